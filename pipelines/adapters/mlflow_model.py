"""A bundle as a folder that stock MLflow can load: the ONNX flavour, a signature, an example, explicit requirements."""

from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow.onnx
import onnx
import pandas as pd
from mlflow.entities import LoggedModel
from mlflow.models import Model
from mlflow.models.signature import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from models.bundle import Bundle
from models.contract import Contract

FILES = "extra_files"  # MLflow's own name for what lies beside the model
# Left out, MLflow finds them by loading the model in a second process, which takes 10 to 15 seconds.
_REQUIRES = ("mlflow", "numpy", "onnx", "onnxruntime", "pandas")
_TYPES = {"integer": DataType.long, "number": DataType.double}
_OUTPUTS = Schema([ColSpec(DataType.double, "probability"), ColSpec(DataType.double, "log_odds")])


def save_model(path: Path, bundle: Bundle, logged: LoggedModel, run_id: str) -> None:
    """Write the model folder `path`, with every file of the bundle, byte by byte, in its folder `FILES`."""
    contract = bundle.contract
    with TemporaryDirectory() as folder:
        for name, data in bundle.files.items():
            (Path(folder) / name).write_bytes(data)
        mlflow.onnx.save_model(
            onnx.load_model_from_string(bundle.graph),
            str(path),
            mlflow_model=Model(
                artifact_path=f"models:/{logged.model_id}",  # not its folder, which moves with the home
                run_id=run_id,
                model_uuid=logged.model_id,
                model_id=logged.model_id,
            ),
            signature=ModelSignature(_inputs(contract), _OUTPUTS),
            input_example=_example(contract),
            pip_requirements=[f"{package}=={version(package)}" for package in _REQUIRES],
            onnx_execution_providers=["CPUExecutionProvider"],
            onnx_session_options={"intra_op_num_threads": 1, "inter_op_num_threads": 1, "execution_mode": "sequential"},
            metadata={"bundle": bundle.digest},
            save_as_external_data=False,
            extra_files=[str(Path(folder) / name) for name in sorted(bundle.files)],
        )


def _inputs(contract: Contract) -> Schema:
    return Schema([ColSpec(_TYPES[contract[name].kind], name) for name in contract.inputs])


def _example(contract: Contract) -> pd.DataFrame:
    return pd.DataFrame({name: [contract[name].dtype(contract[name].example)] for name in contract.inputs})
