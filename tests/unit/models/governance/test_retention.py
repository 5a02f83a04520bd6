"""How long a decision is kept."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.credit_default import USE_CASE
from models.governance.retention import expired_before, kept_until

MONTHS = 25
instants = st.floats(946_684_800, 2_208_988_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))  # 2000 to 2039


@pytest.mark.parametrize(
    ("recorded", "last"),
    [("2005-08-15", "2007-09-15"), ("2005-08-31", "2007-09-30"), ("2006-01-30", "2008-02-29"), ("2005-12-01", "2008-01-01")],
)
def test_a_decision_is_kept_to_the_end_of_the_day_25_months_later(recorded: str, last: str) -> None:
    until = kept_until(datetime.fromisoformat(f"{recorded}T12:00:00+00:00"), MONTHS)
    assert until.isoformat() == f"{last}T23:59:59.999999+00:00"


@given(instants, instants)
def test_what_may_be_deleted_is_exactly_what_is_kept_no_longer(recorded: datetime, now: datetime) -> None:
    assert (recorded < expired_before(now, MONTHS)) == (kept_until(recorded, MONTHS) < now)


@given(instants)
def test_nothing_is_deleted_before_25_months_are_over(recorded: datetime) -> None:
    """25 months are at least 758 days."""
    assert recorded >= expired_before(recorded + timedelta(days=758), MONTHS)


def test_the_example_keeps_its_decisions_for_the_25_months_of_regulation_b() -> None:
    assert USE_CASE.policy.retention_months == MONTHS


def test_no_policy_may_say_less() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 25"):
        type(USE_CASE.policy).model_validate(USE_CASE.policy.model_dump() | {"retention_months": 24})
