"""A model is as well as the worst of what is known of it, and what is not known is not green."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from models.alerting import Severity
from models.clock import FixedClock
from models.errors import Integrity, Unavailable
from models.governance.approval import Approval
from models.governance.ledger import Entry, Event, Hold, Ledger
from models.governance.signing import Signed
from models.governance.stop import Stop
from monitoring.alerts.rounds import held
from monitoring.console.pages import today
from monitoring.console.pages.releases import Release, champion
from monitoring.console.pages.standing import Standing, standing
from monitoring.console.sources import Trouble
from monitoring.report import MonthlyReport
from monitoring.verdict import Level, Suggestion, Verdict, weigh
from tests.alerting import an_alert, month
from tests.consoles import looking
from tests.fakes.channel import FakeChannel
from tests.fakes.ledger import FakeLedger
from tests.unit.monitoring.console.test_views import MODEL, NOW, TRUST, promote, report

STOPPED = Stop(MODEL, sequence=1, stopped=True, reason="scores jump", asked_by="ada", at=NOW.isoformat())
HOLD = Hold(month="2005-10", what="the coding changed", opened_at="", column="status_0")
PAGE, WARNING = an_alert(severity=Severity.PAGE), an_alert(severity=Severity.WARNING)


def in_force(approval: Approval | Trouble | None = None, *, expired: bool = False) -> Release:
    sources = looking(trust=lambda: TRUST, clock=FixedClock(NOW))
    promote(sources, "first", 3)
    found = champion(sources, MODEL)
    return replace(found, approval=approval or found.approval, expired=expired)


def of(level: Level = Level.GREEN, weighed: list[MonthlyReport] | None = None, **known: Any) -> Standing:
    verdict = Verdict(level=level, sentence="As it was.", findings=(), suggests=Suggestion.NONE)
    given: dict[str, Any] = {"alerts": [], "stopped": None, "late": "", "champion": in_force(), "holds": []}
    return standing(verdict, weighed or [month("2005-08")], **given | known)


def test_a_good_month_with_nothing_against_it_is_green_and_names_month_and_version() -> None:
    version = month("2005-08").version
    assert of() == Standing("green", f"2005-08, decided by version {version}: As it was.")
    two = [month("2005-09").model_copy(update={"version": 2}), month("2005-08").model_copy(update={"version": 1})]
    assert of(weighed=two).sentence == "2005-09, decided by version 2 and 2005-08, decided by version 1: As it was."


@pytest.mark.parametrize(
    ("known", "level", "said"),
    [
        ({"alerts": [WARNING]}, "amber", "1 alert is open."),
        ({"alerts": [WARNING, PAGE]}, "red", "2 alerts are open."),
        ({"alerts": Trouble("damaged", "")}, "none", "Whether an alert is open is not known."),
        ({"stopped": STOPPED}, "red", "A person stopped the model."),
        ({"stopped": Trouble("damaged", "")}, "none", ""),
        ({"champion": None}, "red", "No version is in force: it does not answer."),
        ({"champion": in_force(expired=True)}, "red", "The approval of version 3 has ended: it does not answer."),
        ({"champion": in_force(Trouble("nobody signed", ""))}, "red", "Nobody's approval of version 3 holds: nobody signed."),
        ({"holds": [HOLD]}, "amber", "Retraining is held: 1 hold for a person."),
        ({"holds": Trouble("the ledger was edited", "")}, "none", "What is held is not known: the ledger was edited."),
        ({"late": "nobody has watched it since 2005-01-01"}, "none", "not known: nobody has watched it since 2005-01-01."),
        ({"late": Trouble("the bundle was changed", "")}, "none", "not known: the bundle was changed."),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_speaks_against_a_model_after_a_good_month_takes_its_green_away(
    known: dict[str, Any], level: str, said: str
) -> None:
    found = of(**known)
    assert found.level == level
    assert said in found.sentence


def test_the_worst_counts_and_not_the_last() -> None:
    assert of(Level.HELD, alerts=[WARNING], stopped=STOPPED, late="late").level == "held"
    assert of(Level.RED, alerts=[WARNING]).level == "red"
    assert of(Level.AMBER, late="late").level == "amber"


def test_a_model_without_a_report_is_not_known_and_one_with_a_page_is_red() -> None:
    known: dict[str, Any] = {"stopped": None, "late": "", "champion": None, "holds": []}
    assert standing(None, [], alerts=[], **known) == Standing("none", "No month has been reported on yet.")
    assert standing(None, [], alerts=[PAGE], **known).level == "red"


def test_the_first_page_asks_the_alerts_the_calendar_of_the_tier_and_whether_the_champion_can_be_verified() -> None:
    sources = looking(trust=lambda: TRUST, clock=FixedClock(NOW))
    promote(sources, "first", 1)
    report(sources, "2005-09")
    assert today.card(sources, MODEL).standing.level == "green"
    late = today.card(replace(sources, clock=FixedClock(datetime(2006, 8, 1, tzinfo=UTC))), MODEL)
    assert (late.standing.level, late.next_step.command) == ("none", "make report")
    sources.alerts.revise(MODEL, lambda _: [an_alert(model=MODEL, severity=Severity.PAGE)])
    paged = today.card(sources, MODEL)
    assert (paged.standing.level, paged.next_step.command) == ("red", "make alerts")


def test_the_first_page_is_not_green_where_the_ledger_cannot_be_read_or_the_approval_has_ended() -> None:
    sources = looking(trust=lambda: TRUST, clock=FixedClock(NOW))
    bundle = promote(sources, "first", 1)
    report(sources, "2005-09")

    class Damaged(FakeLedger):
        def entries(self, model: str | None = None) -> list[Entry]:
            raise Integrity("the ledger was edited", hint="make verify")

    assert today.card(replace(sources, ledger=Damaged()), MODEL).standing.level == "none"
    sources.channel.remove_approval(bundle.digest)  # type: ignore[attr-defined]
    unsigned = today.card(sources, MODEL)
    assert unsigned.standing.level == "red"
    assert unsigned.next_step.command == "make requests"


def test_a_hold_that_the_month_speaks_of_is_not_told_twice() -> None:
    (found,) = held([HOLD])
    verdict = weigh([found.model_copy(update={"subject": HOLD.month})], quiet="")
    known: dict[str, Any] = {"alerts": [], "stopped": None, "late": "", "champion": in_force()}
    once = standing(verdict, [month("2005-10")], holds=[HOLD], **known)
    assert (once.level, once.sentence.count("Retraining is held")) == ("held", 1)
    later = replace(HOLD, month="2005-11")
    assert (
        "Retraining is held: 2 holds for a person."
        in standing(verdict, [month("2005-10")], holds=[HOLD, later], **known).sentence
    )


def test_reports_that_cannot_be_read_are_not_taken_for_none_and_hide_nothing_else() -> None:
    damaged = Trouble("the report of 2005-09 is damaged", "")
    known: dict[str, Any] = {"stopped": None, "late": "", "holds": [], "alerts": []}
    unread = standing(None, damaged, champion=in_force(), **known)
    assert unread == Standing("none", "What the months were like is not known: the report of 2005-09 is damaged.")
    assert standing(None, damaged, champion=in_force(expired=True), **known).level == "red"


class Instead(FakeLedger):
    """What lies there instead of the ledger whose head is still known."""

    def __init__(self, whole: Ledger, entries: list[Entry]) -> None:
        super().__init__()
        self._heads, self._entries = whole.heads(), entries

    def heads(self) -> list[tuple[str, Signed]]:
        return self._heads


def test_the_first_page_is_not_green_where_nobody_can_say_whether_the_champion_was_watched() -> None:
    sources = looking(trust=lambda: TRUST, clock=FixedClock(NOW))
    promote(sources, "first", 1)
    report(sources, "2005-09")

    class Unread(FakeChannel):
        def pointer(self, model: str, sequence: int) -> Signed:
            raise Unavailable("the bucket does not answer", hint="ask again")

        def pointers(self, model: str) -> int:
            return 1

    card = today.card(replace(sources, channel=Unread()), MODEL)
    assert card.standing.level == "none"
    assert "How it is now is not known: the bucket does not answer." in card.standing.sentence


@pytest.mark.parametrize("left", [0, 1], ids=["gone", "cut off"])
def test_the_first_page_is_not_green_where_an_end_of_the_ledger_is_missing(left: int) -> None:
    sources = looking(trust=lambda: TRUST, clock=FixedClock(NOW))
    promote(sources, "first", 1)
    report(sources, "2005-09")
    sources.ledger.append(Event.HOLD_OPENED, model=MODEL, actor="pipeline", at=NOW, facts={"month": "2005-09", "what": "codes"})
    assert today.card(sources, MODEL).standing.level == "amber"
    card = today.card(replace(sources, ledger=Instead(sources.ledger, sources.ledger.entries()[:left])), MODEL)
    assert (card.standing.level, card.next_step.command) == ("none", "")
    assert "removed from the end" in card.standing.sentence


def test_the_first_page_is_not_green_where_ledger_and_channel_know_of_different_champions() -> None:
    sources = looking(trust=lambda: TRUST, clock=FixedClock(NOW))
    promote(sources, "first", 1)
    report(sources, "2005-09")
    no_ledger = today.card(replace(sources, ledger=FakeLedger()), MODEL)
    assert no_ledger.standing.level == "none"
    assert "newest pointer is 1 on the release channel, and none in the ledger" in no_ledger.standing.sentence
    no_channel = today.card(replace(sources, channel=FakeChannel()), MODEL)
    assert no_channel.standing.level == "red"
    assert no_channel.next_step.command != "make train"  # a champion is to be put back, not made
