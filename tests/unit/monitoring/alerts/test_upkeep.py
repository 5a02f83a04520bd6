"""An alert's life: raised, followed, escalated, acknowledged, closed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from models.alerting import Alerting, Severity
from models.errors import Conflict
from monitoring.alerts.alert import PLATFORM, Act, Alert, Cause
from monitoring.alerts.kinds import KINDS
from monitoring.alerts.upkeep import acknowledged, ended, kept_true, reminded
from tests.alerting import NOON, OWNER, about, an_alert, cause, opened

LATER = NOON + timedelta(days=30)
EVERYTHING = frozenset(KINDS)
BY_ANA = Act(by="ana", reason="a campaign", at=LATER.isoformat())


def revised(alerts: Sequence[Alert], *causes: Cause, now: datetime = LATER) -> list[Alert]:
    return kept_true(alerts, causes, EVERYTHING, about(now))


def told(alert: Alert) -> Alert:
    """Every channel has taken what was to be told."""
    done = tuple(n.model_copy(update={"done": True, "attempts": 1}) for n in alert.notices)
    return alert.model_copy(update={"notices": done})


def events(alert: Alert) -> list[str]:
    return [notice.event for notice in alert.notices]


def test_an_alert_says_who_is_to_do_what_until_when() -> None:
    (alert,) = opened([cause("skew", "bill_0")])

    assert (alert.owner, alert.runbook) == (OWNER, "docs/runbooks/skew.md")
    assert alert.deadline == (NOON + timedelta(days=1)).isoformat()
    assert alert.action
    assert events(alert) == ["raised"]


def test_the_use_case_may_name_another_owner_and_other_deadlines() -> None:
    milder = Alerting(owner="On call", days={Severity.WARNING: 20, Severity.PAGE: 2})

    (alert,) = kept_true([], [cause()], EVERYTHING, about(alerting=milder))

    assert (alert.owner, alert.deadline) == ("On call", (NOON + timedelta(days=2)).isoformat())


def test_the_same_again_is_the_same_alert() -> None:
    assert revised(opened([cause()]), cause()) == []


def test_what_lasts_is_followed_in_the_same_alert_and_told_once() -> None:
    before = told(an_alert())

    (after,) = revised([before], cause(window="2005-10", windows=("2005-09", "2005-10"), value=0.4))

    assert (after.id, after.window, after.value, after.since) == (before.id, "2005-10", 0.4, "2005-09")
    assert events(after) == ["raised"]


def test_a_warning_that_becomes_a_page_is_told_again_and_begins_anew_for_its_owner() -> None:
    (warning,) = opened([cause(severity=Severity.WARNING)])
    seen = acknowledged(told(warning), BY_ANA)

    (page,) = revised([seen], cause(window="2005-10"))

    assert (page.severity, page.acknowledged) == (Severity.PAGE, None)
    assert page.deadline == (LATER + timedelta(days=1)).isoformat()
    assert events(page) == ["raised", "escalated"]


def test_one_that_was_never_told_is_raised_as_what_it_has_become() -> None:
    (page,) = revised(opened([cause(severity=Severity.WARNING)]), cause())

    assert events(page) == ["raised"]


def test_a_page_does_not_become_milder_while_it_lasts() -> None:
    (after,) = revised([an_alert()], cause(severity=Severity.WARNING, window="2005-10"))

    assert after.severity is Severity.PAGE


def test_it_closes_by_itself_when_its_cause_is_gone_and_says_so() -> None:
    (closed,) = revised([told(an_alert())])

    assert closed.closed
    assert closed.closed.by == PLATFORM
    assert events(closed) == ["raised", "closed"]


def test_of_one_that_nobody_was_told_of_nobody_is_told_that_it_is_over() -> None:
    (closed,) = revised([an_alert()])

    assert events(closed) == []


def test_a_round_that_did_not_look_closes_nothing() -> None:
    assert kept_true([an_alert()], [], frozenset({"hold"}), about(LATER)) == []


def test_after_its_end_the_same_cause_opens_another_alert() -> None:
    (closed,) = revised([an_alert()])

    (again,) = revised([closed], cause(window="2005-10"), now=LATER + timedelta(days=1))

    assert again.id != closed.id


def test_what_a_person_closed_stays_closed_for_the_window_that_they_saw() -> None:
    closed = ended(an_alert(), BY_ANA)

    assert revised([closed], cause()) == []
    assert len(revised([closed], cause(window="2005-10"))) == 1


def test_an_acknowledged_alert_stays_open() -> None:
    seen = acknowledged(an_alert(), BY_ANA)

    assert seen.is_open
    assert seen.acknowledged == BY_ANA


def test_only_one_person_acknowledges() -> None:
    with pytest.raises(Conflict, match="ana has acknowledged"):
        acknowledged(acknowledged(an_alert(), BY_ANA), BY_ANA)


@pytest.mark.parametrize("act", [acknowledged, ended])
def test_what_is_closed_is_settled(act: object) -> None:
    with pytest.raises(Conflict, match="was closed by ana"):
        act(ended(an_alert(), BY_ANA), BY_ANA)  # type: ignore[operator]


def test_when_the_deadline_is_over_it_is_told_once_more_unless_somebody_is_at_it() -> None:
    late = told(an_alert())
    (reminder,) = reminded([late], LATER)

    assert events(reminder) == ["raised", "reminded"]
    assert reminded([reminder], LATER + timedelta(days=9)) == []
    assert reminded([acknowledged(late, BY_ANA)], LATER) == reminded([late], NOON) == []
