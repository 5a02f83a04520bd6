"""What may be known is bounded twice: by when it was true, and by when it was learnt."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.clock import FixedClock, Month, end_of_day
from models.credit_default import USE_CASE
from models.errors import Held, NotEnoughData
from models.governance.ledger import Event
from models.lake import OUTCOMES, SNAPSHOTS, PartitionVersion
from pipelines.assessment import Cohorts
from pipelines.dataset import load
from pipelines.definitions import accept_definition
from pipelines.holds import Holds
from pipelines.knowledge import Knowledge
from pipelines.packaging import Origin, lineage
from tests.fakes.lake import InMemoryLake
from tests.fakes.ledger import FakeLedger

MAY, JUNE, JULY, AUGUST = (Month(2005, number) for number in range(5, 9))
CODES = np.array([0, 1, 2])
NOON = timedelta(hours=12)


@dataclass
class Books:
    """Three matured cohorts as they stood at the end of August, and whatever was learnt later."""

    lake: InMemoryLake = field(default_factory=InMemoryLake)
    ledger: FakeLedger = field(default_factory=FakeLedger)

    def __post_init__(self) -> None:
        for month in (MAY, JUNE, JULY):
            self.snapshot(month, end_of_day(month.last_day))
            self.outcome(month, end_of_day(month.plus(1).last_day))

    def snapshot(self, month: Month, at: datetime, bill: float = 0.0) -> PartitionVersion:
        rows = len(CODES)
        amounts = {name: np.zeros(rows) for name in ("credit_limit", "bill_0", "bill_1", "payment_0", "payment_1")}
        codes = {name: np.zeros(rows, dtype=np.int64) for name in ("status_0", "status_1")}
        columns = {**self._key(), "snapshot_month": np.full(rows, str(month)), **amounts, **codes, "bill_0": np.full(rows, bill)}
        return self.lake.write(SNAPSHOTS, month, columns, recorded_at=at)

    def outcome(self, month: Month, at: datetime, codes: np.ndarray = CODES, matured: date | None = None) -> PartitionVersion:
        facts = {
            "matured_at": str(matured or USE_CASE.matured_at(month)),
            "coding": "repayment_status",
            "definition_version": "1",
        }
        return self.lake.write(OUTCOMES, month, {**self._key(), "outcome_code": codes}, recorded_at=at, facts=facts)

    def accept(self, version: int, at: datetime) -> None:
        clock = FixedClock(at)
        accept_definition(
            USE_CASE, self.lake, self.ledger, clock, version=version, by="Ada", reason="agreed", progress=lambda _: None
        )

    def hold(self, month: str, at: datetime) -> None:
        facts = {"month": month, "what": "the coding changed", "coding": "repayment_status", "column": "outcome_code"}
        self.ledger.append(Event.HOLD_OPENED, model=USE_CASE.name, actor="ingest", at=at, facts=facts)

    def knowledge(self, known_at: datetime, as_of: date = AUGUST.last_day) -> Knowledge:
        return Knowledge(USE_CASE, self.lake, self.ledger, as_of, known_at)

    def _key(self) -> Mapping[str, np.ndarray]:
        return {USE_CASE.contract.key: np.array([f"A{number}" for number in range(len(CODES))])}


THEN, LATER = end_of_day(AUGUST.last_day), datetime(2005, 9, 15, tzinfo=UTC)


@pytest.fixture
def books() -> Books:
    return Books()


def read(cohorts: Cohorts) -> list[tuple[str, Month, int]]:
    return [(part.table, part.month, part.version) for part in cohorts.matured.partitions]


def test_a_restated_snapshot_counts_from_the_instant_it_was_recorded(books: Books) -> None:
    books.snapshot(MAY, LATER, bill=9.0)

    then = books.knowledge(LATER - timedelta(microseconds=1)).cohorts()
    now = books.knowledge(LATER).cohorts()

    assert (SNAPSHOTS, MAY, 1) in read(then)
    assert not then.development.columns["bill_0"].any()
    assert (SNAPSHOTS, MAY, 2) in read(now)
    assert (now.development.columns["bill_0"] == 9.0).any()


def test_a_restated_outcome_counts_from_the_instant_it_was_recorded(books: Books) -> None:
    books.outcome(JULY, LATER, codes=np.array([2, 2, 2]))

    assert books.knowledge(THEN).cohorts().out_of_time.bad.tolist() == [False, True, True]
    assert books.knowledge(LATER).cohorts().out_of_time.bad.all()


def test_a_definition_counts_from_the_instant_a_person_accepted_it(books: Books) -> None:
    books.accept(2, LATER)

    then, now = books.knowledge(LATER - NOON), books.knowledge(LATER)

    assert (then.definition(), then.cohorts().matured.definition_version) == (1, 1)
    assert (now.definition(), now.cohorts().matured.definition_version) == (2, 2)


def test_a_hold_holds_from_its_opening_to_its_release_and_not_before_or_after(books: Books) -> None:
    opened, released = LATER, LATER + NOON
    books.hold("2005-08", opened)
    (hold,) = books.knowledge(opened).holds()
    Holds(USE_CASE, books.ledger, FixedClock(released)).release(hold, "Ada", "agreed")

    assert books.knowledge(opened - timedelta(microseconds=1)).holds() == []
    with pytest.raises(Held, match="the coding changed") as held:
        books.knowledge(released - timedelta(microseconds=1)).cohorts()
    assert "make accept-definition" in held.value.hint
    assert books.knowledge(released).holds() == []


def test_a_hold_about_a_month_that_is_not_over_holds_nothing_yet(books: Books) -> None:
    books.hold("2005-09", LATER)

    assert books.knowledge(LATER).holds() == []


def test_cohorts_that_were_not_recorded_yet_are_not_planned_with(books: Books) -> None:
    end_of_july = end_of_day(JULY.last_day)

    cohorts = books.knowledge(end_of_july).cohorts()

    assert (cohorts.plan.development, cohorts.plan.out_of_time) == ((MAY,), JUNE)
    with pytest.raises(NotEnoughData, match="1 matured cohorts"):
        books.knowledge(end_of_july - NOON).cohorts()


def test_a_cohort_that_a_restatement_would_make_vanish_is_an_error_and_not_a_smaller_training_set(books: Books) -> None:
    books.outcome(JUNE, datetime(2005, 9, 30, 12, tzinfo=UTC), matured=date(2005, 9, 30))

    with pytest.raises(NotEnoughData) as refused:
        books.knowledge(datetime(2005, 10, 1, tzinfo=UTC)).cohorts()
    assert refused.value.problem == (
        "outcomes 2005-06 were known as of 2005-08-31;"
        " version 2, recorded at 2005-09-30 12:00, says that they matured at 2005-09-30"
    )
    assert "--known-at before the restatement" in refused.value.hint

    assert JUNE in books.knowledge(THEN).cohorts().plan.development
    after = books.knowledge(datetime(2005, 10, 1, tzinfo=UTC), date(2005, 9, 30)).cohorts()
    assert (OUTCOMES, JUNE, 2) in read(after)


def test_an_outcome_that_was_late_from_the_start_is_unknown_and_not_an_error(books: Books) -> None:
    books.snapshot(AUGUST, end_of_day(AUGUST.last_day))
    books.outcome(AUGUST, datetime(2005, 10, 31, 12, tzinfo=UTC), matured=date(2005, 10, 31))

    cohorts = books.knowledge(datetime(2005, 11, 1, tzinfo=UTC), date(2005, 9, 30)).cohorts()

    assert cohorts.plan.out_of_time == JULY


def test_an_outcome_without_its_snapshot_stops_training_by_name(books: Books) -> None:
    books.outcome(AUGUST, end_of_day(date(2005, 9, 30)))

    with pytest.raises(NotEnoughData, match="2005-08: no snapshots with matured outcomes as of 2005-09-30"):
        books.knowledge(datetime(2005, 10, 1, tzinfo=UTC), date(2005, 9, 30)).cohorts()


restatements = st.lists(
    st.tuples(st.sampled_from([SNAPSHOTS, OUTCOMES]), st.sampled_from([MAY, JUNE, JULY]), st.integers(1, 60), st.integers(0, 2)),
    max_size=8,
)


@given(restatements, st.integers(0, 61))
def test_nothing_recorded_later_is_ever_read_and_the_lineage_reads_the_very_same_versions_again(
    restated: list[tuple[str, Month, int, int]], days: int
) -> None:
    books = Books()
    for table, month, day, value in sorted(restated, key=lambda one: one[2]):
        at = THEN + timedelta(days=day)
        if table == SNAPSHOTS:
            books.snapshot(month, at, bill=float(value))
        else:
            books.outcome(month, at, codes=np.roll(CODES, value))
    known_at = THEN + timedelta(days=days)

    cohorts = books.knowledge(known_at).cohorts()

    for part in cohorts.matured.partitions:
        history = books.lake.history(part.table, part.month)
        assert part == [known for known in history if known.recorded_at <= known_at][-1]
    recorded = lineage(Origin("", ""), partitions=cohorts.matured.lineage(), recipe={}, seed=1, as_of="2005-08-31")
    instant = datetime.fromisoformat(recorded["known_at"])
    assert instant <= known_at
    again = load(USE_CASE, books.lake, (MAY, JUNE, JULY), AUGUST.last_day, instant)
    assert again.partitions == cohorts.matured.partitions
