"""How the platform stands, as numbers."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from models.clock import FixedClock
from models.errors import Unavailable
from monitoring import wiring
from monitoring.archiving import Archiving
from monitoring.runs import FlowRun, Tally
from monitoring.settings import MonitoringSettings
from monitoring.telemetry.families import Family
from monitoring.telemetry.standing import Places, Standing, look
from tests import monitored_home

NOW = datetime(2005, 10, 3, tzinfo=UTC)
MODEL = (("model", "credit_default"),)


class Runs:
    def __init__(self, *tallies: Tally, away: bool = False) -> None:
        self._tallies, self._away = tallies, away

    def tallies(self) -> tuple[Tally, ...]:
        if self._away:
            raise Unavailable("Prefect is not running", hint="make schedule")
        return self._tallies


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A home with reports, two champions and a hold."""
    monitored_home.write(tmp_path, b"<!doctype html>")
    return replace(wiring.places(MonitoringSettings(home=tmp_path), str), runs=Runs(), clock=FixedClock(NOW))


def told(families: list[Family]) -> dict[str, Any]:
    return {family.name.removeprefix("steward_"): dict(family.samples) for family in families}


def test_a_home_tells_what_is_in_force_how_old_it_is_and_what_waits(places: Places) -> None:
    found = told(look(places))
    assert found["champion_version"] == {MODEL: 2}
    assert found["champion_published_seconds"] == {MODEL: datetime(2005, 8, 31, 23, 59, tzinfo=UTC).timestamp()}
    assert found["holds_waiting"] == {MODEL: 1}
    assert found["verdict"] == {MODEL: 3}
    assert found["report_recorded_seconds"][MODEL] < NOW.timestamp()
    assert list(found["ledger_head"].values()) == [3]
    assert found["model_halted"] == {MODEL: 0}


def test_what_never_happened_has_no_age(places: Places) -> None:
    found = told(look(places))
    assert (found["decisions_recorded_seconds"], found["labels_recorded_seconds"]) == ({}, {})


def test_a_part_that_cannot_be_read_is_counted_and_costs_no_other(places: Places, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text(ledger.read_text().replace("ranks better", "is worse"))
    found = told(look(replace(places, runs=Runs(away=True))))
    wrong = {labels[0][1] for labels, value in found["unreadable"].items() if value}
    assert {"ledger", "flows"} <= wrong
    assert not {"channel", "reports", "alerts", "decisions", "labels"} & wrong
    assert "holds_waiting" not in found
    assert found["champion_version"] == {MODEL: 2}


def test_runs_are_told_by_flow_and_ending(places: Places) -> None:
    began = datetime(2005, 10, 2, tzinfo=UTC)
    last = FlowRun("monitor", "quiet-owl", "Failed", "bad", began, 12.5, "")
    tally = Tally("monitor", {"good": 4, "bad": 1, "open": 2}, 3, last, began)
    found = told(look(replace(places, runs=Runs(tally))))
    flow = ("flow", "monitor")
    assert found["flow_runs"] == {(flow, ("ending", "good")): 4, (flow, ("ending", "bad")): 1}
    assert (found["flow_runs_open"], found["flow_runs_late"]) == ({(flow,): 2}, {(flow,): 3})
    assert (found["flow_seconds"], found["flow_failed"]) == ({(flow,): 12.5}, {(flow,): 1})


def test_a_database_whose_log_is_not_archived_is_told_of(places: Places) -> None:
    found = told(look(replace(places, archived=lambda: Archiving(failing=True, behind=4_096))))
    assert (found["archive_failing"], found["archive_behind_bytes"]) == ({(): 1}, {(): 4_096})


def test_of_a_database_that_archives_nothing_nothing_is_told(places: Places) -> None:
    assert not {"archive_failing", "archive_behind_bytes"} & told(look(places)).keys()


def test_a_home_that_is_empty_is_no_fault_and_stays_empty(tmp_path: Path) -> None:
    places = replace(wiring.places(MonitoringSettings(home=tmp_path / "var"), str), runs=Runs())
    assert set(told(look(places))["unreadable"].values()) == {0.0}
    assert list(tmp_path.iterdir()) == []


def test_however_many_ask_it_is_looked_at_once_in_a_while(places: Places) -> None:
    asked: list[str] = []

    def decided(model: str) -> datetime | None:
        asked.append(model)
        return None

    now = [0.0]
    standing = Standing(replace(places, decided=decided), seconds=10.0, ticks=lambda: now[0])
    first = standing.families()
    once = len(asked)
    now[0] = 9.0
    assert standing.families() is first
    assert len(asked) == once > 0
    now[0] = 10.0
    standing.families()
    assert len(asked) == 2 * once
