"""How often a model is watched is counted by the injected clock, from its newest report on."""

from datetime import UTC, datetime

import pytest

from models.bundle import canonical
from models.clock import Month
from models.credit_default import USE_CASE
from models.governance.inventory import PurposeClass
from models.governance.ledger import Event
from monitoring.cadence import check_watched, last_watched, overdue, too_rare
from monitoring.verdict import Level
from tests.fakes.ledger import FakeLedger
from tests.fakes.replay import report_of
from tests.fakes.reports import FakeReportStore
from tests.office import MODEL, paper_bundle

AUGUST_1 = datetime(2005, 8, 1, 4, tzinfo=UTC)


def of_tier_3() -> bytes:
    exposure = USE_CASE.inventory.exposure.model_copy(update={"amount": 1e8})
    changes = {"exposure": exposure, "purpose_class": PurposeClass.SUPPORT}
    return canonical(USE_CASE.inventory.model_copy(update=changes).model_dump(mode="json"))


MONTHLY, QUARTERLY = paper_bundle("first"), paper_bundle("first", inventory=of_tier_3())


@pytest.mark.parametrize(
    ("now", "late"),
    [
        (datetime(2005, 8, 2, tzinfo=UTC), False),
        (datetime(2005, 9, 1, 4, tzinfo=UTC), False),
        (datetime(2005, 9, 1, 23, 59, tzinfo=UTC), False),
        (datetime(2005, 9, 2, 0, 1, tzinfo=UTC), True),
    ],
)
def test_tier_2_is_watched_every_month(now: datetime, late: bool) -> None:
    assert bool(overdue(MONTHLY, AUGUST_1, now)) is late
    assert overdue(QUARTERLY, AUGUST_1, now) == ""


def test_tier_3_is_watched_every_three() -> None:
    assert overdue(QUARTERLY, AUGUST_1, datetime(2005, 11, 1, 12, tzinfo=UTC)) == ""
    (found,) = check_watched(QUARTERLY, AUGUST_1, datetime(2005, 11, 2, 12, tzinfo=UTC))
    assert found.where == f"monitoring of {MODEL}"
    assert found.problem == "nobody has watched it since 2005-08-01, and tier 3 is watched every 3 months"


def test_what_never_was_in_force_is_not_due() -> None:
    assert overdue(MONTHLY, None, AUGUST_1) == ""


def test_the_time_counts_from_the_newest_report_of_any_month_else_from_the_first_promotion() -> None:
    store, ledger = FakeReportStore(), FakeLedger()
    assert last_watched(store, ledger.entries(), MODEL) is None
    ledger.append(Event.PROMOTED, model=MODEL, actor="pipeline", at=AUGUST_1, facts={})
    assert last_watched(store, ledger.entries(), MODEL) == AUGUST_1
    for month, at in (("2005-07", datetime(2005, 10, 1, tzinfo=UTC)), ("2005-08", datetime(2005, 9, 1, tzinfo=UTC))):
        report = report_of(Month.parse(month), Level.GREEN)
        store.add(report.model_copy(update={"model": MODEL, "recorded_at": at.isoformat()}), {})
    assert last_watched(store, ledger.entries(), MODEL) == datetime(2005, 10, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("months", "allowed", "rare"),
    [((8, 9, 10, 11), 1, False), ((8, 9, 11), 1, True), ((2, 5, 8, 11), 3, False), ((2, 5, 9), 3, True), ((8,), 1, False)],
)
def test_a_schedule_with_a_gap_that_the_tier_does_not_allow_is_too_rare(
    months: tuple[int, ...], allowed: int, rare: bool
) -> None:
    assert too_rare([datetime(2005, month, 1, 4, tzinfo=UTC) for month in months], allowed) is rare
