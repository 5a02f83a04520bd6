"""The servers of the comparison: how each is started, where it is asked, and what its answer says."""

import json
import os
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from models.credit_default import USE_CASE
from tests.benchmarks.reasons import champion
from tests.benchmarks.serving import mlserver_home, scikit
from tests.benchmarks.serving.material import Material, Record
from tests.benchmarks.serving.running import Server

_ACCOUNTS = count()


def mlserver(material: Material, where: Path) -> Server:
    """MLServer with our graph, in an environment of its own below `where`."""
    python, home = mlserver_home.environment(where), material.home.parent / "mlserver"
    command = [str(python), "-c", "from mlserver.cli import main; main()", "start", str(home)]
    graph = champion(material.home).graph
    return Server(
        "mlserver",
        "MLServer, given our graph",
        command,
        "/v2/models/graph/infer",
        _tensor,
        _tensor_answer,
        {"PYTHONPATH": str(home)},
        prepare=lambda port: mlserver_home.folder(home, graph, port),
    )


def servers(material: Material, *, answered_first: bool = False) -> list[Server]:
    """`answered_first`: Steward answers before it records, in the mode `async`."""
    home = {"STEWARD_HOME": str(material.home), "STEWARD_SERVING_PORT": "{port}"}
    home |= {"STEWARD_SERVING_ASYNC_MODELS": USE_CASE.name} if answered_first else {}
    score = "/v1/models/credit_default/score"
    steward = Server("steward", "Steward", [sys.executable, "-m", "serving"], score, _ours, _our_answer, home)
    constant = Server(
        "constant", "FastAPI, a constant", _uvicorn("--factory", f"{_PEERS}:constant"), "/score", _single, None, {}, False
    )
    bare = Server("bare", "ASGI, a constant", _uvicorn(f"{_PEERS}:bare"), "/", _single, None, {}, False)
    return [steward, *_as_scikit(material), _mlflow_graph(material), constant, bare]


def _as_scikit(material: Material) -> list[Server]:
    """What teams log and serve: the same trees, behind pandas and a scikit-learn pipeline."""
    where = material.home.parent / "scikit"

    def prepare(_port: int) -> None:
        if not where.exists():
            scikit.save(champion(material.home), where)

    # The pipeline's own functions lie here.
    environment = _MLFLOW | {"BENCHMARK_MODEL": str(where), "PYTHONPATH": str(Path(__file__).parents[3])}
    served, tutorial = _mlflow(str(where)), _uvicorn("--factory", f"{_PEERS}:tutorial")
    title = "MLflow, the model as a scikit-learn pipeline"
    return [
        Server("mlflow", title, served, "/invocations", _split, _bad, environment, prepare=prepare),
        Server("tutorial", "FastAPI as in tutorials", tutorial, "/score", _single, _single_answer, environment, False, prepare),
    ]


def _mlflow_graph(material: Material) -> Server:
    """What our registry holds: the whole model as one graph, which spares MLflow pandas' and scikit-learn's part."""
    home = {"MLFLOW_TRACKING_URI": f"sqlite:///{material.home / 'mlflow' / 'mlflow.db'}"}
    command = _mlflow("models:/credit_default@champion")
    return Server("mlflow-graph", "MLflow, given our graph", command, "/invocations", _split, _probability, _MLFLOW | home)


_PEERS = "tests.benchmarks.serving.peers"
_MLFLOW = {"PYTHONWARNINGS": "ignore", "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
"""It starts uvicorn by name."""


def _mlflow(model: str) -> list[str]:
    serve = [sys.executable, "-m", "mlflow", "models", "serve", "-m", model, "--env-manager", "local"]
    return [*serve, "--port", "{port}", "--workers", "2"]


def _uvicorn(*application: str) -> list[str]:
    return [sys.executable, "-m", "uvicorn", *application, "--port", "{port}", "--no-access-log", "--log-level", "warning"]


def _ours(records: Sequence[Record]) -> bytes:
    named = [_named(record) for record in records]
    return json.dumps(named[0] if len(named) == 1 else {"records": named}).encode()


def _named(record: Record) -> Record:
    """With an account of its own."""
    contract = USE_CASE.contract
    return {contract.key: f"A{next(_ACCOUNTS):07d}", contract.time: "2005-09"} | record


def _our_answer(body: bytes) -> list[float]:
    return [answer["probability"] for answer in json.loads(body)["answers"]]


def _split(records: Sequence[Record]) -> bytes:
    names = list(USE_CASE.contract.inputs)
    rows = [[record[name] for name in names] for record in records]
    return json.dumps({"dataframe_split": {"columns": names, "data": rows}}).encode()


def _probability(body: bytes) -> list[float]:
    return [answer["probability"] for answer in json.loads(body)["predictions"]]


def _bad(body: bytes) -> list[float]:
    return [bad for _, bad in json.loads(body)["predictions"]]


def _tensor(records: Sequence[Record]) -> bytes:
    rows = [float(record[name]) for record in records for name in USE_CASE.contract.inputs]
    shape = [len(records), len(USE_CASE.contract.inputs)]
    return json.dumps({"inputs": [{"name": "inputs", "shape": shape, "datatype": "FP64", "data": rows}]}).encode()


def _tensor_answer(body: bytes) -> list[float]:
    found: list[float] = json.loads(body)["outputs"][0]["data"]
    return found


def _single(records: Sequence[Record]) -> bytes:
    return json.dumps(records[0]).encode()


def _single_answer(body: bytes) -> list[float]:
    return [json.loads(body)["probability"]]
