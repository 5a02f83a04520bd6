"""Monotone gradient-boosted trees: LightGBM through its scikit-learn interface (why: docs/adr/0002-lightgbm.md).

Inputs are finite by contract, so missing values have no branch, and no split is categorical: every node asks
`x <= threshold`, which is all that the graph's trees can ask.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from lightgbm import LGBMClassifier
from lightgbm.basic import LightGBMError
from numpy.typing import NDArray

from models.errors import Integrity, Misconfigured, NotEnoughData
from models.estimator import Fitted, Parameters, Tree, TreeEnsemble

_DETERMINISTIC: Mapping[str, Any] = {
    "monotone_constraints_method": "basic",  # the looser ones have been seen to break monotonicity: issues 5358, 6155
    "max_bin": 63,  # a quarter faster than 255, and equal in quality here
    "n_jobs": 1,
    "deterministic": True,
    "force_row_wise": True,
    "use_missing": False,
    "zero_as_missing": False,
    "verbose": -1,
}


class GradientBoosting:
    """Parameters: `trees`, `leaves`, `learning_rate`, `row_share` and `feature_share` by tree, `l2`, and
    `minimum_leaf`, a share of the rows, so that parameters mean the same on fewer rows."""

    name = "gradient_boosting"
    complexity = 2

    def fit(
        self,
        X: NDArray[np.float64],
        y: NDArray[np.bool_],
        *,
        features: Sequence[str],
        directions: Mapping[str, int],
        parameters: Parameters,
        seed: int,
    ) -> Fitted:
        """Raises `NotEnoughData` if only one outcome occurs."""
        if len(np.unique(y)) < 2:
            raise NotEnoughData("all rows have the same outcome", hint="train on more rows")
        model = LGBMClassifier(
            n_estimators=int(parameters["trees"]),
            num_leaves=int(parameters["leaves"]),
            learning_rate=float(parameters["learning_rate"]),
            min_child_samples=max(1, round(float(parameters["minimum_leaf"]) * len(y))),
            subsample=float(parameters["row_share"]),
            subsample_freq=1,
            colsample_bytree=float(parameters["feature_share"]),
            reg_lambda=float(parameters["l2"]),
            monotone_constraints=[directions.get(name, 0) for name in features],
            random_state=seed,
            **_DETERMINISTIC,
        )
        try:
            model.fit(X, y.astype(np.int64))
        except LightGBMError as error:
            raise Misconfigured(f"LightGBM refused: {error}", hint=f"look at its parameters: {dict(parameters)}") from error
        return FittedBooster(model, tuple(features))


class FittedBooster:
    def __init__(self, model: LGBMClassifier, features: tuple[str, ...]) -> None:
        self._booster = model.booster_
        self._features = features

    def log_odds(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self._booster.predict(X, raw_score=True, num_threads=1), dtype=np.float64)

    def ensemble(self) -> TreeEnsemble:
        """The booster's own dump: it prints 17 digits, so every threshold and leaf is the float64 that LightGBM uses.

        The intercept is 0 because LightGBM adds the base rate's log-odds to the leaves of its first tree.
        """
        dump = self._booster.dump_model()
        return TreeEnsemble(self._features, 0.0, tuple(flat(found["tree_structure"]) for found in dump["tree_info"]))


def flat(root: Mapping[str, Any]) -> Tree:
    """LightGBM's nested nodes as flat arrays, parents first."""
    nodes: list[Mapping[str, Any]] = [root]
    left, right = [], []
    for node in nodes:  # grows while it is read
        if "leaf_value" in node:
            left.append(-1)
            right.append(-1)
            continue
        _check(node)
        left.append(len(nodes))
        right.append(len(nodes) + 1)
        nodes += [node["left_child"], node["right_child"]]
    return Tree(
        feature=np.array([node.get("split_feature", 0) for node in nodes], dtype=np.int64),
        threshold=np.array([node.get("threshold", 0.0) for node in nodes], dtype=np.float64),
        left=np.array(left, dtype=np.int64),
        right=np.array(right, dtype=np.int64),
        value=np.array([node.get("leaf_value", 0.0) for node in nodes], dtype=np.float64),
    )


def _check(node: Mapping[str, Any]) -> None:
    if (node["decision_type"], node["missing_type"]) != ("<=", "None"):
        raise Integrity(
            f"a split of the kind {node['decision_type']!r} with missing values {node['missing_type']!r} has no exact export",
            hint="train without categorical features and without missing values",
        )
