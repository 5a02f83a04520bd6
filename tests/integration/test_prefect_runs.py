"""The run history as a real Prefect server tells it."""

import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from models.errors import Unavailable
from monitoring.adapters.prefect_runs import PrefectRuns
from pipelines.adapters.prefect_server import prefect_api

pytestmark = pytest.mark.integration


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


def test_recent_runs_come_newest_first_with_their_flow_and_their_end(tmp_path: Path) -> None:
    with prefect_api(tmp_path) as api:
        api.await_ready()
        url = api.url
        flow = post(f"{url}/flows/", {"name": "retrain"})
        for name, states in {"first": ["RUNNING", "COMPLETED"], "second": ["RUNNING", "FAILED"], "later": ["SCHEDULED"]}.items():
            run = post(f"{url}/flow_runs/", {"flow_id": flow["id"], "name": name})
            for state in states:
                post(f"{url}/flow_runs/{run['id']}/set_state", {"state": {"type": state}, "force": True})
        found = PrefectRuns(lambda: url).recent(10)
    assert [(run.flow, run.name, run.ending) for run in found] == [("retrain", "second", "bad"), ("retrain", "first", "good")]
    assert all(run.started_at and run.seconds >= 0 and "/runs/flow-run/" in run.url for run in found)


def test_a_prefect_that_is_not_there_is_unavailable_and_says_how_to_start_it() -> None:
    with pytest.raises(Unavailable) as refused:
        PrefectRuns(lambda: "http://127.0.0.1:9/api").recent(10)
    assert refused.value.hint == "make schedule"
