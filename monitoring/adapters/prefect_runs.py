"""Flow runs from Prefect's REST API, without Prefect: a few requests, standard library only."""

import json
import re
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from models.errors import NotFound, Unavailable
from monitoring.runs import Ending, FlowRun, LogLine, Planned

TIMEOUT_SECONDS = 3.0
PLANNED_ASKED = 200
ENDINGS: dict[str, Ending] = {"COMPLETED": "good", "FAILED": "bad", "CRASHED": "bad", "CANCELLED": "bad"}
_ID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")


class PrefectRuns:
    """`url` says where the API is at the moment (it may come and go), e.g. http://127.0.0.1:4200/api, or "" for nowhere."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url

    def recent(self, limit: int) -> Sequence[FlowRun]:
        asked = {"sort": "START_TIME_DESC", "limit": limit, "flow_runs": {"start_time": {"is_null_": False}}}
        with self._answering() as url:
            return _runs(url, ask(f"{url}/flow_runs/filter", asked))

    def find(self, run: str) -> FlowRun:
        if not _ID.fullmatch(run):
            raise NotFound(f"{run!r} is no run", hint="open it from the list of runs")
        with self._answering() as url:
            found = _runs(url, ask(f"{url}/flow_runs/filter", {"flow_runs": {"id": {"any_": [run]}}}))
        if not found:
            raise NotFound(f"the orchestrator knows no run {run}", hint="it may have been deleted; open the list of runs")
        return found[0]

    def log(self, run: str, limit: int) -> Sequence[LogLine]:
        asked = {"sort": "TIMESTAMP_ASC", "limit": limit, "logs": {"flow_run_id": {"any_": [run]}}}
        with self._answering() as url:
            lines = ask(f"{url}/logs/filter", asked)
            return [LogLine(datetime.fromisoformat(line["timestamp"]), int(line["level"]), line["message"]) for line in lines]

    def planned(self) -> Sequence[Planned]:
        asked = {
            "sort": "EXPECTED_START_TIME_ASC",
            "limit": PLANNED_ASKED,
            "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
        }
        with self._answering() as url:
            runs = ask(f"{url}/flow_runs/filter", asked)
            names = _names(url, runs)
            found: dict[tuple[str, str], Planned] = {}
            for run in runs:
                flow, model = names.get(run["flow_id"], ""), _model(run)
                found.setdefault((flow, model), Planned(flow, model, datetime.fromisoformat(run["expected_start_time"])))
            return list(found.values())

    @contextmanager
    def _answering(self) -> Iterator[str]:
        url = self._url().rstrip("/")
        if not url:
            raise Unavailable("Prefect is not running", hint="make schedule")
        try:
            yield url
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"Prefect's API at {url} does not answer", hint="make schedule") from error


def ask(url: str, body: Any) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
        return json.load(answer)


def _names(url: str, runs: Sequence[dict[str, Any]]) -> dict[str, str]:
    flows = ask(f"{url}/flows/filter", {"flows": {"id": {"any_": sorted({run["flow_id"] for run in runs})}}})
    return {flow["id"]: flow["name"] for flow in flows}


def _runs(url: str, runs: Sequence[dict[str, Any]]) -> list[FlowRun]:
    names = _names(url, runs)
    return [run_of(run, names, pages=url.removesuffix("/api")) for run in runs]


def _model(run: dict[str, Any]) -> str:
    return str((run.get("parameters") or {}).get("use_case") or "")


def run_of(run: dict[str, Any], flows: dict[str, str], *, pages: str) -> FlowRun:
    started = run["start_time"]
    return FlowRun(
        flow=flows.get(run["flow_id"], ""),
        name=run["name"],
        state=run["state_name"],
        ending=ENDINGS.get(run["state_type"], "open"),
        started_at=datetime.fromisoformat(started) if started else None,
        seconds=float(run["total_run_time"]),
        url=f"{pages}/runs/flow-run/{run['id']}",
        id=str(run["id"]),
        model=_model(run),
    )
