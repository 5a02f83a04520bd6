"""`make schedule` as an operator meets it: a run falls due, starts by itself, and finishes."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from monitoring.adapters.prefect_runs import PrefectRuns
from monitoring.adapters.prefect_tallies import PrefectTallies

pytestmark = pytest.mark.integration

PATIENCE = 240.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def runs(port: int) -> list[dict[str, Any]]:
    """Every flow run that the server knows; none while it does not answer."""
    body = json.dumps({"sort": "START_TIME_DESC"}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/flow_runs/filter", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return list(json.load(answer))
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return []


def post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    """Asks again on 503, as Prefect's own client does: the server says so while its SQLite file is locked."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            if error.code != 503 or time.monotonic() > deadline:
                raise


def listen_to_ctrl_c() -> None:
    """A shell in the background hands down an ignored SIGINT, which a child would go on ignoring."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Of the server that `make schedule` started. One ctrl-c ends it and all that it started."""
    port, home = free_port(), tmp_path_factory.mktemp("schedule")
    environment = os.environ | {
        "STEWARD_HOME": str(home),
        "STEWARD_PIPELINES_PREFECT_PORT": str(port),
        "STEWARD_PIPELINES_METRICS_PORT": "0",
        "STEWARD_PIPELINES_MONITOR_CRON": "* * * * * */10",  # the sixth field: every ten seconds
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "STEWARD_PIPELINES_INGEST_CRON": "0 0 1 1 *",
        "STEWARD_PIPELINES_RETRAIN_CRON": "0 0 1 1 *",
    }
    said = home / "schedule.log"
    with said.open("wb") as log:
        command = [sys.executable, "-m", "pipelines", "schedule"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, preexec_fn=listen_to_ctrl_c)
    try:
        deadline = time.monotonic() + PATIENCE
        while not runs(port) and time.monotonic() < deadline and process.poll() is None:
            threading.Event().wait(0.5)
        assert runs(port), said.read_text()
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) is not None
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


def test_a_scheduled_run_fires_by_itself_and_finishes(port: int) -> None:
    finished: list[dict[str, Any]] = []
    deadline = time.monotonic() + PATIENCE
    while not finished and time.monotonic() < deadline:
        finished = [run for run in runs(port) if run["auto_scheduled"] and run["state_type"] == "COMPLETED"]
        threading.Event().wait(0.5)
    assert finished, [(run["name"], run["state_type"]) for run in runs(port)]
    assert finished[0]["parameters"] == {"use_case": "credit_default"}


def test_recent_runs_come_newest_first_with_their_flow_and_their_end(port: int) -> None:
    url = f"http://127.0.0.1:{port}/api"
    flow = post(f"{url}/flows/", {"name": "by hand"})
    for name, states in {"first": ["RUNNING", "COMPLETED"], "second": ["RUNNING", "FAILED"], "later": ["SCHEDULED"]}.items():
        run = post(f"{url}/flow_runs/", {"flow_id": flow["id"], "name": name})
        for state in states:
            post(f"{url}/flow_runs/{run['id']}/set_state", {"state": {"type": state}, "force": True})
    (tally,) = [each for each in PrefectTallies(lambda: url).tallies() if each.flow == "by hand"]
    assert (tally.endings, tally.late) == ({"good": 1, "bad": 1, "open": 0}, 0)
    assert tally.latest
    assert (tally.latest.name, tally.good_at is not None) == ("second", True)
    found = [run for run in PrefectRuns(lambda: url).recent(100) if run.flow == "by hand"]
    assert [(run.name, run.ending) for run in found] == [("second", "bad"), ("first", "good")]
    assert all(run.started_at and run.seconds >= 0 and "/runs/flow-run/" in run.url for run in found)
