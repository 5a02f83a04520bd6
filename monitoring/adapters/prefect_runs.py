"""Flow runs from Prefect's REST API, without Prefect: two requests, standard library only."""

import json
import urllib.request
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from models.errors import Unavailable
from monitoring.runs import Ending, FlowRun

TIMEOUT_SECONDS = 3.0
ENDINGS: dict[str, Ending] = {"COMPLETED": "good", "FAILED": "bad", "CRASHED": "bad", "CANCELLED": "bad"}


class PrefectRuns:
    """`url` says where the API is at the moment (it may come and go), e.g. http://127.0.0.1:4200/api, or "" for nowhere."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url

    def recent(self, limit: int) -> Sequence[FlowRun]:
        url = self._url().rstrip("/")
        if not url:
            raise Unavailable("Prefect is not running", hint="make schedule")
        asked = {"sort": "START_TIME_DESC", "limit": limit, "flow_runs": {"start_time": {"is_null_": False}}}
        try:
            runs = ask(f"{url}/flow_runs/filter", asked)
            flows = ask(f"{url}/flows/filter", {"flows": {"id": {"any_": sorted({run["flow_id"] for run in runs})}}})
            names = {flow["id"]: flow["name"] for flow in flows}
            return [run_of(run, names, pages=url.removesuffix("/api")) for run in runs]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"Prefect's API at {url} does not answer", hint="make schedule") from error


def ask(url: str, body: Any) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
        return json.load(answer)


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
    )
