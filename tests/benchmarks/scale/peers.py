"""How others do it: pandas, and MLflow's `pyfunc`, with the same model on the same rows."""

import shutil
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow.dataset as ds

from models.adapters.onnx_runtime import OnnxScorer
from pipelines.wiring import platform
from tests.benchmarks.scale.metering import Figures, measured
from tests.benchmarks.scale.places import FOLDER, MONTH, PART_ROWS, champion, source
from tests.benchmarks.serving import scikit


def pandas_features(rows: int) -> Figures:
    """The whole file in memory, checked and computed column by column."""
    from models import catalog

    use_case, target = catalog.find("credit_default"), FOLDER / "pandas.parquet"
    with measured() as told:
        frame = pd.read_parquet(source(rows) / "snapshots" / f"month={MONTH}")
        for column in use_case.contract.columns:
            if column.name in frame and column.kind != "text":
                assert frame[column.name].between(column.minimum, column.maximum).all()
            elif column.name in frame:
                assert frame[column.name].str.fullmatch((column.pattern or "").strip("^$")).all()
        inputs = {name: frame[name].to_numpy() for name in use_case.contract.inputs}
        pd.DataFrame(use_case.features(inputs, np)).to_parquet(target)
    target.unlink()
    return told


def mlflow_pyfunc(rows: int) -> Figures:
    """The same model as MLflow loads it."""
    import mlflow

    parts = platform()
    assert parts.registry.versions("credit_default")  # follows a home that was moved
    mlflow.set_tracking_uri(parts.settings.mlflow_url or f"sqlite:///{parts.settings.home.resolve() / 'mlflow' / 'mlflow.db'}")
    model = mlflow.pyfunc.load_model("models:/credit_default@champion")
    return asked(lambda frame: model.predict(frame)["probability"], rows)


def scikit_pyfunc(rows: int) -> Figures:
    """The same trees as teams log a model, a scikit-learn pipeline, as MLflow loads it. Answers are compared first."""
    import mlflow

    sealed, where = champion(), FOLDER / "scikit"
    shutil.rmtree(where, ignore_errors=True)
    scikit.save(sealed, where)
    model = mlflow.pyfunc.load_model(str(where))
    golden = scikit.golden(sealed)
    ours = OnnxScorer(sealed.graph).probabilities(golden)
    np.testing.assert_allclose(model.predict(scikit.frame(sealed.contract, golden))[:, 1], ours, atol=1e-5)
    return asked(lambda frame: pd.Series(model.predict(frame)[:, 1]), rows)


def asked(predict: Callable[[pd.DataFrame], "pd.Series[float]"], rows: int) -> Figures:
    """With data frames of a part's size, one after the other."""
    contract, target = platform().use_case.contract, FOLDER / "pyfunc.parquet"
    types = {name: "int64" if contract[name].codes else "float64" for name in contract.inputs}
    with measured() as told:
        batches = ds.dataset(source(rows) / "snapshots", format="parquet").to_batches(
            columns=list(contract.inputs), batch_size=PART_ROWS
        )
        found = [predict(batch.to_pandas().astype(types)) for batch in batches]
        pd.concat(found).to_frame("probability").to_parquet(target)
    assert sum(map(len, found)) == rows
    target.unlink()
    return told
