"""The schedule of a drill: score, take in, monitor, consider, look around; whatever speaks is noted with its window and hour."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from models.alerting import Severity
from models.clock import Month
from models.errors import BatchRejected, Integrity, PlatformError
from models.governance.ledger import Hold
from monitoring.alerts.alert import Alert
from monitoring.report import MonthlyReport
from pipelines.drills.catalogue import START, Drill, Weight
from pipelines.drills.living import live
from tests.situations import reported

HOME = Path("nowhere")


class FakePlant:
    """Three accounts a month; what is to happen is set by month of the first."""

    def __init__(self) -> None:
        self.hours: list[datetime] = []
        self.opened: dict[int, list[Alert]] = {}
        self.broken: dict[str, PlatformError] = {}
        self.holds: Sequence[Hold] = ()
        self.decisions = 3
        self._alerts: list[Alert] = []
        self._watched = 0

    def at(self, now: datetime) -> None:
        self.hours.append(now)

    def accounts(self, month: Month) -> Sequence[Mapping[str, Any]]:
        return [{"account_id": name} for name in "abc"]

    def ingest(self) -> Sequence[Hold]:
        self._break("ingest")
        return self.holds

    def watch(self) -> Sequence[MonthlyReport]:
        self._watched += 1
        self._alerts += self.opened.get(self._watched, [])
        self._break("watch")
        report = reported(str(START.plus(self._watched - 1))).report
        return [report.model_copy(update={"decisions": self.decisions})]

    def look_around(self) -> None: ...

    def alerts(self) -> Sequence[Alert]:
        return list(self._alerts)

    def consider(self, reports: Sequence[MonthlyReport]) -> str:
        return f"rest on {len(reports)}"

    def verify(self) -> Sequence[str]:
        return ["bundle: was edited"]

    def _break(self, step: str) -> None:
        if error := self.broken.get(step):
            raise error


class FakeService:
    def __init__(self) -> None:
        self.keys: list[str] = []
        self.refuses: PlatformError | None = None
        self.ill: list[str] = []

    def score(self, records: Sequence[Mapping[str, Any]], key: str) -> object:
        self.keys.append(key)
        if self.refuses:
            raise self.refuses
        return len(records)

    def problems(self) -> Sequence[str]:
        return []

    def await_problem(self) -> Sequence[str]:
        return self.ill

    def await_health(self) -> None:
        self.ill = []


def alert(kind: str, severity: Severity = Severity.PAGE, number: str = "1") -> Alert:
    return Alert.model_construct(id=number, kind=kind, severity=severity, text=f"{kind}!", closed=None)


def said(drill: Drill, plant: FakePlant, service: FakeService | None = None) -> list[tuple[int, Weight, str]]:
    lived = live(drill, plant, service or FakeService(), HOME)
    return [(notice.window, notice.weight, notice.by) for notice in lived.notices]


ONE = Drill("one", "", "")
TWO = Drill("two", "", "", within=2)


def test_the_month_is_scored_on_its_last_day_and_worked_on_at_the_hours_of_the_schedule() -> None:
    plant = FakePlant()
    live(ONE, plant, FakeService(), HOME)
    assert [f"{hour:%m-%d %H}" for hour in plant.hours[:4]] == ["09-30 23", "10-01 02", "10-01 04", "10-01 06"]
    assert f"{plant.hours[-1]:%m-%d}" == "10-07", "the alerts' own rounds go on for days"


def test_an_alert_is_noted_once_and_again_when_it_becomes_a_page() -> None:
    plant = FakePlant()
    plant.opened = {1: [alert("input_shift", Severity.WARNING)], 2: [alert("input_shift"), alert("auc_drop", number="2")]}
    assert said(TWO, plant) == [
        (1, Weight.WARNING, "alert input_shift"),
        (2, Weight.PAGE, "alert input_shift"),
        (2, Weight.PAGE, "alert auc_drop"),
    ]


def test_what_refuses_and_what_breaks_off_is_noted_and_the_rest_goes_on() -> None:
    plant, service = FakePlant(), FakeService()
    plant.broken = {"ingest": BatchRejected("no nulls"), "watch": Integrity("the bundle was edited")}
    plant.opened = {1: [alert("missing")]}
    service.refuses = PlatformError("null is refused")
    assert said(ONE, plant, service) == [
        (1, Weight.STOPPED, "scoring service"),
        (1, Weight.STOPPED, "ingest"),
        (1, Weight.PAGE, "alert missing"),
        (1, Weight.STOPPED, "monitoring"),
    ]


def test_an_outage_is_there_while_accounts_are_scored_and_what_health_says_of_it_is_noted() -> None:
    order: list[str] = []

    @contextmanager
    def outage(home: Path) -> Iterator[None]:
        order.append("begins")
        yield
        order.append("ends")

    service = FakeService()
    service.ill = ["spool: 3 decisions wait"]
    assert said(Drill("out", "", "", outage=outage), FakePlant(), service) == [(1, Weight.STOPPED, "health of the service")]
    assert order == ["begins", "ends"]
    assert service.ill == [], "it was waited for"


def test_decisions_that_the_report_does_not_find_are_lost() -> None:
    plant = FakePlant()
    plant.decisions = 2
    assert live(ONE, plant, FakeService(), HOME).lost == 1


def test_accounts_that_are_sent_twice_have_keys_of_their_own() -> None:
    plant, service = FakePlant(), FakeService()
    plant.decisions = 6
    assert live(Drill("twice", "", "", sent=2), plant, service, HOME).lost == 0
    assert len(set(service.keys)) == len(service.keys) == 2


def test_verification_speaks_where_a_drill_asks_for_it() -> None:
    assert said(Drill("v", "", "", verified=True), FakePlant())[-1] == (1, Weight.STOPPED, "make verify")


def test_an_outage_lasts_until_the_alerts_own_round_has_looked_at_it() -> None:
    lasting = [False]

    @contextmanager
    def outage(_home: Path) -> Iterator[None]:
        lasting[0] = True
        yield
        lasting[0] = False

    class Looking(FakePlant):
        def look_around(self) -> None:
            if lasting[0]:
                self._alerts.append(alert("unrecorded"))

    plant = Looking()
    assert said(Drill("gone", "", "", outage=outage), plant) == [(1, Weight.PAGE, "alert unrecorded")]
    assert f"{plant.hours[1]:%m-%d %H:%M}" == "10-01 00:14", "a quarter of an hour after the month's last instant"
