"""The servers of the comparison: how each is started, where it is asked, and what its answer says."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Any, Self

import numpy as np
import psutil

from models.adapters.onnx_runtime import OnnxScorer
from models.credit_default import USE_CASE
from models.errors import NotEnoughData
from models.governance.doubt.rule import Rule
from models.policy import Action
from tests.benchmarks.reasons import champion
from tests.benchmarks.serving import mlserver_home
from tests.benchmarks.serving.load import ask, post

Record = dict[str, Any]
ADVERSE, RECORDS, BATCH = 0.2, 2_000, 1_000
PATIENCE = 120.0
_ACCOUNTS = count()


@dataclass(frozen=True)
class Material:
    """Records to score, what the model's graph says of them, and a home of the benchmark's own."""

    home: Path
    records: Sequence[Record]
    probabilities: Sequence[float]
    bundle: str

    @classmethod
    def gather(cls, home: Path | None, folder: Path, adverse: float = ADVERSE) -> Self:
        """`adverse`: the share of records that are reduced. Raises `NoChampion`, or `NotEnoughData` if too few accounts are."""
        own = folder / "home"
        shutil.copytree(home or Path(os.environ.get("STEWARD_HOME", "var")), own)
        bundle = champion(own)
        source, contract = USE_CASE.source(), USE_CASE.contract
        month = source.months()[-1]
        columns = source.cohort(month, date.max).columns
        rows = contract.matrix(columns)
        probability = bundle.policy.quantise(OnnxScorer(bundle.graph).probabilities(rows))
        judged = Rule.of(bundle).actions(probability, rows) == Action.REDUCE
        reduced, others = np.flatnonzero(judged), np.flatnonzero(~judged)
        wanted = int(RECORDS * adverse)
        if len(reduced) < wanted:
            raise NotEnoughData(f"only {len(reduced)} accounts of {month} are reduced, {wanted} are needed", hint="make train")
        rng = np.random.default_rng(1)
        drawn = np.concatenate([rng.choice(reduced, wanted, False), rng.choice(others, RECORDS - wanted, False)])
        places = rng.permutation(drawn).tolist()
        records = [{name: columns[name][place].item() for name in contract.inputs} for place in places]
        return cls(own, records, [float(probability[place]) for place in places], bundle.digest)


@dataclass(frozen=True)
class Server:
    """One competitor. `bodies` turns records into the bodies of requests, `said` an answer into probabilities."""

    name: str
    command: Sequence[str]
    path: str
    body: Callable[[Sequence[Record]], bytes]
    said: Callable[[bytes], list[float]] | None
    environment: Mapping[str, str]
    batches: bool = True
    prepare: Callable[[int], object] = lambda _port: None  # what it needs before it is started on that port

    def requests(self, port: int, groups: Sequence[Sequence[Record]]) -> list[bytes]:
        return [post(port, self.path, self.body(group)) for group in groups]

    @contextmanager
    def running(self, probe: Sequence[Record], log: Path) -> Iterator["Running"]:
        """Started, and answering: the cold start is the time from the command to the first answer with 200."""
        port = _free_port()
        self.prepare(port)
        command = [part.format(port=port) for part in self.command]
        environment = os.environ | {name: value.format(port=port) for name, value in self.environment.items()}
        with log.open("wb") as said:
            began = perf_counter()
            process = subprocess.Popen(command, env=environment, stdout=said, stderr=said, start_new_session=True)
            try:
                self._await(process, port, probe, log)
                yield Running(port, perf_counter() - began, process)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()

    def _await(self, process: subprocess.Popen[bytes], port: int, probe: Sequence[Record], log: Path) -> None:
        (request,) = self.requests(port, [probe])
        deadline = monotonic() + PATIENCE
        while monotonic() < deadline and process.poll() is None:
            with suppress(OSError):
                if ask(port, request)[0] == 200:
                    return
            sleep(0.01)  # nobody tells when another's server begins to listen
        raise RuntimeError(f"{self.name} does not answer:\n{log.read_text()[-3_000:]}")


@dataclass(frozen=True)
class Running:
    port: int
    cold_start: float
    process: subprocess.Popen[bytes]

    def megabytes(self) -> float:
        """Memory of the process and all its children: proportional set size, so that shared pages count once."""
        return sum(_pss(each) for each in self._family()) / 2**20

    def processor_seconds(self) -> float:
        """Computed so far by the process and all its children, in user and in kernel mode."""
        return sum(sum(each.cpu_times()[:2]) for each in self._family())

    def _family(self) -> list[psutil.Process]:
        whole = psutil.Process(self.process.pid)
        return [whole, *whole.children(recursive=True)]


def mlserver(material: Material, where: Path) -> Server:
    """MLServer with our graph, in an environment of its own below `where`."""
    python, home = mlserver_home.environment(where), material.home.parent / "mlserver"
    command = [str(python), "-c", "from mlserver.cli import main; main()", "start", str(home)]
    graph = champion(material.home).graph
    return Server(
        "mlserver",
        command,
        "/v2/models/graph/infer",
        _tensor,
        _tensor_answer,
        {"PYTHONPATH": str(home)},
        prepare=lambda port: mlserver_home.folder(home, graph, port),
    )


def servers(material: Material, *, answered_first: bool = False) -> list[Server]:
    """`answered_first`: Steward answers before it records, in the mode `async`."""
    # MLflow starts uvicorn by name.
    quiet = {"PYTHONWARNINGS": "ignore", "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    model = {"BENCHMARK_MODEL": "models:/credit_default@champion", "MLFLOW_TRACKING_URI": _tracking(material.home)}

    def application(name: str) -> list[str]:
        return [sys.executable, "-m", "uvicorn", *name.split(), "--port", "{port}", "--no-access-log", "--log-level", "warning"]

    peers = "tests.benchmarks.serving.peers"
    score = "/v1/models/credit_default/score"
    home = {"STEWARD_HOME": str(material.home), "STEWARD_SERVING_PORT": "{port}"}
    home |= {"STEWARD_SERVING_ASYNC_MODELS": USE_CASE.name} if answered_first else {}
    mlflow = [sys.executable, "-m", "mlflow", "models", "serve", "-m", model["BENCHMARK_MODEL"], "--env-manager", "local"]
    return [
        Server("steward", [sys.executable, "-m", "serving"], score, _ours, _our_answer, home),
        Server("mlflow", [*mlflow, "--port", "{port}", "--workers", "2"], "/invocations", _split, _mlflow_answer, quiet | model),
        Server("tutorial", application(f"--factory {peers}:tutorial"), "/score", _single, _single_answer, quiet | model, False),
        Server("constant", application(f"--factory {peers}:constant"), "/score", _single, None, {}, False),
        Server("bare", application(f"{peers}:bare"), "/", _single, None, {}, False),
    ]


def seen(material: Material, collector: int) -> Server:
    """Steward with its access log and its traces on; a collector listens at that port."""
    (plain,) = (server for server in servers(material) if server.name == "steward")
    on = {"STEWARD_SERVING_ACCESS_LOG": "true", "STEWARD_SERVING_TRACES": f"http://127.0.0.1:{collector}/v1/traces"}
    return replace(plain, name="steward, seen", environment={**plain.environment, **on})


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


def _mlflow_answer(body: bytes) -> list[float]:
    return [answer["probability"] for answer in json.loads(body)["predictions"]]


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


def _tracking(home: Path) -> str:
    return f"sqlite:///{home / 'mlflow' / 'mlflow.db'}"


def _pss(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(full, "pss", full.uss))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
