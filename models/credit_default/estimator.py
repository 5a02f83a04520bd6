"""Where the search looks, family by family. The families themselves are shared: `models/adapters/`."""

from collections.abc import Mapping

from models.estimator import Dimension, Real, Whole

SEARCH_SPACES: Mapping[str, Mapping[str, Dimension]] = {
    "scorecard": {
        "bins": Whole(4, 16),
        "smoothing": Real(1.0, 200.0, log=True),
        "penalty": Real(1e-3, 10.0, log=True),
    },
    "gradient_boosting": {
        "trees": Whole(100, 240),
        "leaves": Whole(12, 31),
        "learning_rate": Real(0.035, 0.12, log=True),
        "minimum_leaf": Real(0.0005, 0.01, log=True),
        "row_share": Real(0.6, 1.0),
        "feature_share": Real(0.4, 1.0),
        "l2": Real(0.1, 30.0, log=True),
    },
}
