"""Rounds over a model's alerts, what they look like to Prometheus, and whether the ledger knows of every act."""

from datetime import timedelta
from typing import Any

import pytest

from models.clock import FixedClock
from models.credit_default import USE_CASE
from models.errors import Integrity
from models.governance.ledger import Event, Hold
from monitoring.alerts.acts import act
from monitoring.alerts.alert import Act, Alert, Notice
from monitoring.alerts.custody import check_acts
from monitoring.alerts.exposed import gauges
from monitoring.alerts.kinds import OF_THE_SERVICE
from monitoring.alerts.rounds import Watchtower, held, in_force_since, look_around, unanswered, unwatched
from monitoring.alerts.upkeep import acknowledged
from monitoring.invariants.figures import Carried, Invariants, Recomputed, Repeats, Sanity, Skew
from monitoring.report import ReportKey
from monitoring.verdict import Finding, Kind, Level
from tests.alerting import LIMITS, MODEL, NOON, an_alert, finding, month
from tests.fakes.alerts import FakeAlertBook
from tests.fakes.ledger import FakeLedger
from tests.fakes.reports import FakeReportStore


class Tower:
    """Reports as they are stored, month after month, and a round over them."""

    def __init__(self) -> None:
        self.book, self.reports, self.clock = FakeAlertBook(), FakeReportStore(), FixedClock(NOON)

    def report(self, name: str, *findings: Finding, matured: bool = False, invariants: Invariants | None = None) -> None:
        self.clock.set(self.clock.now() + timedelta(hours=1))
        known = {"recorded_at": self.clock.now().isoformat(), "invariants": invariants}
        said = month(name, *findings, matured=matured).model_copy(update=known)
        self.reports.add(said, {})

    def look(self, *clock_says: Finding, unheard: frozenset[Kind] = frozenset()) -> dict[str, str]:
        tower = Watchtower(self.reports, self.book, self.clock)
        look_around(USE_CASE, tower, LIMITS, clock_says, unheard)
        return {alert.kind: alert.severity for alert in self.book.alerts(MODEL) if alert.is_open}


@pytest.fixture
def tower() -> Tower:
    return Tower()


def test_a_drift_warns_pages_and_is_over(tower: Tower) -> None:
    tower.report("2005-08", finding("score_shift"))
    first = tower.look()
    tower.report("2005-09", finding("score_shift"))
    second = tower.look()
    tower.report("2005-10")

    assert (first, second, tower.look()) == ({"score_shift": "warning"}, {"score_shift": "page"}, {})
    (alert,) = tower.book.alerts(MODEL)
    assert alert.owner == USE_CASE.inventory.owner
    assert alert.closed


def test_a_month_reported_on_anew_counts_by_its_newest_report(tower: Tower) -> None:
    tower.report("2005-08", finding("missing", "2005-08"))
    tower.look()
    tower.report("2005-08")

    assert tower.look() == {}


def test_the_clock_raises_and_closes_without_any_report(tower: Tower) -> None:
    hold = Hold(month="2005-10", what="the coding changed.", opened_at="", column="status_0")

    assert tower.look(*held([hold]), *unanswered("The service is away")) == {"hold": "warning", "unavailable": "page"}
    assert tower.look() == {}


@pytest.mark.parametrize("blind", ["insufficient", "missing"])
def test_a_month_that_could_not_be_judged_closes_nothing_and_the_next_one_does(tower: Tower, blind: Kind) -> None:
    tower.report("2005-07", finding("score_shift"), finding("skew", ""))
    tower.report("2005-08", finding("score_shift"), finding("skew", ""))
    seen = tower.look()
    tower.report("2005-09", finding(blind, "2005-09", level=Level.AMBER))
    unsure = tower.look()
    tower.report("2005-10")

    assert seen == {"score_shift": "page", "skew": "page"}
    assert unsure.keys() == {"score_shift", "skew", blind}
    assert tower.look() == {}


def invariants(**changed: Any) -> Invariants:
    """Of a month in which everything could be looked at, and nothing was wrong."""
    usual: dict[str, Any] = {
        "rows": 2_000,
        "whole": True,
        "decisions": 2_000,
        "before": (2_000, 2_000),
        "repeats": Repeats(same=0, other=0),
        "carried": Carried(month="2005-08", accounts=2_000, unchanged=0),
        "skew": Skew(compared=2_000, unknown=0, differing=0, by_input={}, moved=0.0),
        "recomputed": Recomputed(rows=2_000, differing=0, largest=0.0),
        "sanity": Sanity(distinct=2_000, most_common=0.1, share=0.01),
        "units": (),
    }
    return Invariants(**usual | changed)


@pytest.mark.parametrize(
    ("kind", "without"),
    [("skew", {"skew": None}), ("stuck_upstream", {"carried": None}), ("volume", {"before": ()})],
    ids=lambda value: str(value),
)
def test_what_had_nothing_to_be_compared_with_is_not_over(tower: Tower, kind: Kind, without: dict[str, Any]) -> None:
    """A month decided on whose snapshot has not come says nothing of skew."""
    tower.report("2005-08", finding(kind, "2005-08"))
    tower.look()
    tower.report("2005-09", invariants=invariants(**without))
    unsure = tower.look()
    tower.report("2005-10", invariants=invariants())

    assert unsure == {kind: "page"}
    assert tower.look() == {}


def test_a_damaged_report_calls_somebody_and_closes_nothing(tower: Tower) -> None:
    tower.report("2005-08", finding("score_shift"))
    tower.look()
    whole = tower.reports

    class Damaged(FakeReportStore):
        def keys(self, model: str, month: str | None = None) -> list[ReportKey]:
            raise Integrity("report 2005-08 was changed", hint="make verify")

    tower.reports = Damaged()
    assert tower.look(*unanswered("away")) == {"score_shift": "warning", "unreadable": "page", "unavailable": "page"}
    tower.reports = whole
    assert tower.look() == {"score_shift": "warning"}


@pytest.mark.parametrize("blind", ["insufficient", "not_comparable"])
def test_outcomes_that_could_not_be_judged_close_nothing(tower: Tower, blind: Kind) -> None:
    tower.report("2005-07", finding("auc_drop", "all"), matured=True)
    tower.look()
    tower.report("2005-08", finding(blind, "2005-08"), matured=True)
    unsure = tower.look()
    tower.report("2005-09", matured=True)

    assert "auc_drop" in unsure
    assert tower.look() == {}


def test_a_service_that_nobody_can_look_at_from_here_stays_as_it_is(tower: Tower) -> None:
    """And so does who said that they are at it."""
    tower.look(*unanswered("The service is away"))
    (alert,) = tower.book.alerts(MODEL)
    tower.book.revise(MODEL, lambda _: [acknowledged(alert, Act(by="ana", reason="r", at=NOON.isoformat()))])
    tower.look(unheard=OF_THE_SERVICE)

    (still,) = tower.book.alerts(MODEL)
    assert still.is_open
    assert still.acknowledged
    assert tower.look() == {}


def test_two_holds_of_one_month_are_two_alerts(tower: Tower) -> None:
    tower.look(*held([Hold(month="2005-10", what="a", opened_at="", column=name) for name in ("status_0", "status_1")]))

    assert len(tower.book.alerts(MODEL)) == 2


def test_nothing_wrong_is_no_finding() -> None:
    assert unanswered("") == unwatched("") == held([]) == []


def test_an_overdue_alert_is_reminded_of(tower: Tower) -> None:
    tower.report("2005-08", finding("missing", "2005-08"))
    tower.look()
    sent = Notice(event="raised", at="", attempts=1, done=True)
    tower.book.revise(MODEL, lambda alerts: [alert.model_copy(update={"notices": (sent,)}) for alert in alerts])
    tower.clock.set(NOON + timedelta(days=9))
    tower.look()

    assert [notice.event for notice in tower.book.alerts(MODEL)[0].notices] == ["raised", "reminded"]


def test_a_model_is_waited_for_since_it_came_into_force_first() -> None:
    ledger = FakeLedger()
    assert in_force_since(ledger.entries()) is None
    for hours in (0, 1):
        ledger.append(Event.PROMOTED, model=MODEL, actor="a", at=NOON + timedelta(hours=hours), facts={})
    assert in_force_since(ledger.entries()) == NOON


def exposed(*alerts: Alert, days: float = 0) -> dict[str, float]:
    book = FakeAlertBook()
    book.revise(MODEL, lambda _: list(alerts))
    found = gauges(book, NOON + timedelta(days=days))
    assert all(gauge.labels["model"] == MODEL for gauge in found)
    return {" ".join([gauge.name, *list(gauge.labels.values())[1:]]): gauge.value for gauge in found}


def test_prometheus_sees_what_is_open_how_grave_and_whether_somebody_is_at_it() -> None:
    acknowledged = an_alert(id="bb", acknowledged=Act(by="ana", reason="r", at=""))

    found = exposed(an_alert(id="aa"), acknowledged, days=2)

    assert found == {
        "steward_alerts_open score_shift page no": 1,
        "steward_alerts_open score_shift page yes": 1,
        "steward_alerts_pages": 2,
        "steward_alerts_overdue": 1,
        "steward_alert_notices_waiting": 2,
        "steward_alert_notices_failing": 0,
        "steward_alert_notices_lost": 0,
    }


def test_prometheus_sees_that_messages_do_not_arrive() -> None:
    failing = an_alert(id="aa", notices=(Notice(event="raised", at="", attempts=3, failure="mail"),))
    lost = an_alert(id="bb", notices=(Notice(event="raised", at="", attempts=20, failure="mail", done=True),))

    found = exposed(failing, lost)

    names = ("waiting", "failing", "lost")
    assert [found[f"steward_alert_notices_{name}"] for name in names] == [1, 1, 1]


def test_without_open_alerts_a_model_says_zero() -> None:
    found = exposed(an_alert(closed=Act(by="ana", reason="r", at=""), notices=()))

    assert set(found.values()) == {0}
    assert "steward_alerts_pages" in found


@pytest.mark.parametrize("doing", ["acknowledge", "close"])
def test_the_ledger_knows_of_every_act_and_an_act_that_it_does_not_know_is_found(doing: Any) -> None:
    book, ledger, alert = FakeAlertBook(), FakeLedger(), an_alert()
    book.revise(MODEL, lambda _: [alert])
    act(book, ledger, FixedClock(NOON), doing, alert.id, by="ana", reason="r")

    assert list(check_acts(book, ledger.entries())) == []
    (found,) = check_acts(book, [])
    assert found.where == f"alert {alert.id} of {MODEL}"
    assert "by ana" in found.problem


def test_what_the_platform_closed_needs_no_entry(tower: Tower) -> None:
    tower.look(*unanswered("away"))
    tower.look()

    assert list(check_acts(tower.book, [])) == []
