"""How often each flow ended how, counted by Prefect's REST API: a few small requests for each flow."""

from collections.abc import Callable, Sequence
from typing import Any

from models.errors import Unavailable
from monitoring.adapters.prefect_runs import ENDINGS, ask, run_of
from monitoring.runs import Ending, FlowRun, Tally

_STATES: dict[Ending, list[str]] = {
    ending: [state for state, found in ENDINGS.items() if found == ending] for ending in ("good", "bad")
}
_STATES["open"] = ["RUNNING", "PENDING", "PAUSED", "CANCELLING"]


class PrefectTallies:
    """`url` as for `PrefectRuns`."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url

    def tallies(self) -> Sequence[Tally]:
        url = self._url().rstrip("/")
        if not url:
            raise Unavailable("Prefect is not running", hint="make schedule")
        try:
            flows = ask(f"{url}/flows/filter", {"sort": "NAME_ASC"})
            return [_tally(url, flow["id"], flow["name"]) for flow in flows]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"Prefect's API at {url} does not answer", hint="make schedule") from error


def _tally(url: str, flow: str, name: str) -> Tally:
    def count(state: dict[str, Any]) -> int:
        return int(ask(f"{url}/flow_runs/count", {**_of(flow), "flow_runs": {"state": state}}))

    def newest(states: list[str]) -> FlowRun | None:
        wanted = {"state": {"type": {"any_": states}}, "start_time": {"is_null_": False}}
        asked = {**_of(flow), "sort": "START_TIME_DESC", "limit": 1, "flow_runs": wanted}
        found = ask(f"{url}/flow_runs/filter", asked)
        return run_of(found[0], {flow: name}, pages=url.removesuffix("/api")) if found else None

    endings = {ending: count({"type": {"any_": states}}) for ending, states in _STATES.items()}
    good = newest(_STATES["good"])
    late = count({"name": {"any_": ["Late"]}})
    return Tally(name, endings, late, newest(_STATES["good"] + _STATES["bad"]), good.started_at if good else None)


def _of(flow: str) -> dict[str, Any]:
    return {"flows": {"id": {"any_": [flow]}}}
