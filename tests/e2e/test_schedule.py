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
from pathlib import Path
from typing import Any

import pytest

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


def listen_to_ctrl_c() -> None:
    """A shell in the background hands down an ignored SIGINT, which a child would go on ignoring."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_a_scheduled_run_fires_by_itself_and_finishes(tmp_path: Path) -> None:
    port = free_port()
    environment = os.environ | {
        "STEWARD_HOME": str(tmp_path),
        "STEWARD_PIPELINES_PREFECT_PORT": str(port),
        "STEWARD_PIPELINES_MONITOR_CRON": "* * * * * */10",  # the sixth field: every ten seconds
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "STEWARD_PIPELINES_INGEST_CRON": "0 0 1 1 *",
        "STEWARD_PIPELINES_RETRAIN_CRON": "0 0 1 1 *",
    }
    with (tmp_path / "schedule.log").open("wb") as log:
        command = [sys.executable, "-m", "pipelines", "schedule"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, preexec_fn=listen_to_ctrl_c)
    try:
        finished: list[dict[str, Any]] = []
        deadline = time.monotonic() + PATIENCE
        while not finished and time.monotonic() < deadline and process.poll() is None:
            finished = [run for run in runs(port) if run["auto_scheduled"] and run["state_type"] == "COMPLETED"]
            threading.Event().wait(0.5)
        assert finished, (tmp_path / "schedule.log").read_text()
        assert finished[0]["parameters"] == {"use_case": "credit_default"}
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) is not None
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass
