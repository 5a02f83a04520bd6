from datetime import UTC, date, datetime, time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.catalog import find
from models.clock import Month, end_of_day
from models.contract import Role
from models.errors import Held, Integrity, NotEnoughData
from models.lake import AUDIT, OUTCOMES, SNAPSHOTS
from pipelines import dataset
from tests.fakes.lake import InMemoryLake

USE_CASE = find("credit_default")
MAY, JUNE, JULY, AUGUST = (Month(2005, number) for number in range(5, 9))
END_OF_JULY = date(2005, 7, 31)
COLUMNS = {"credit_limit", "status_0", "status_1", "bill_0", "bill_1", "payment_0", "payment_1"}


def noon(day):
    return datetime.combine(day, time(12), UTC)


def names(numbers):
    return np.array([f"A{number:05d}" for number in numbers])


def snapshot(lake, month, accounts=(1, 2, 3), recorded=None, **extra):
    rows = len(accounts)
    columns = {
        "account_id": names(accounts),
        "snapshot_month": np.full(rows, str(month)),
        "credit_limit": 1000.0 * np.array(accounts),
        "status_0": np.zeros(rows, dtype=np.int64),
        "status_1": np.zeros(rows, dtype=np.int64),
        **{name: np.zeros(rows) for name in ("bill_0", "bill_1", "payment_0", "payment_1")},
    }
    return lake.write(SNAPSHOTS, month, columns | extra, recorded_at=noon(recorded or month.last_day))


def outcome(lake, month, codes, *, matured=None, recorded=None, definition=1, coding="repayment_status"):
    """`codes` by account number."""
    matured = matured or month.plus(1).last_day
    columns = {"account_id": names(codes), "outcome_code": np.array(list(codes.values()), dtype=np.int64)}
    facts = {"matured_at": matured.isoformat(), "definition_version": str(definition), "coding": coding}
    return lake.write(OUTCOMES, month, columns, recorded_at=noon(recorded or matured), facts=facts)


def load(lake, months=(MAY, JUNE), as_of=END_OF_JULY, known_at=None, **more):
    return dataset.load(USE_CASE, lake, months, as_of, known_at or end_of_day(as_of), **more)


@pytest.fixture
def lake():
    lake = InMemoryLake()
    for month in (MAY, JUNE):
        snapshot(lake, month)
        outcome(lake, month, {1: 0, 2: 2, 3: -1})
    return lake


def test_snapshots_meet_their_outcomes_by_account():
    lake = InMemoryLake()
    snapshot(lake, MAY, accounts=(3, 1, 2))
    outcome(lake, MAY, {2: 2, 3: 0, 1: -1, 9: 2})
    found = load(lake, [MAY])
    assert found.accounts.tolist() == ["A00003", "A00001", "A00002"]
    assert found.columns["credit_limit"].tolist() == [3000.0, 1000.0, 2000.0]
    assert found.bad.tolist() == [False, False, True]
    assert found.months.tolist() == ["2005-05"] * 3


def test_only_key_time_and_inputs_are_loaded(lake):
    assert set(load(lake).columns) == {"account_id", "snapshot_month"} | COLUMNS


def test_an_audit_column_or_a_label_planted_in_the_snapshots_does_not_get_through(lake):
    snapshot(lake, JUNE, sex=np.array([1, 2, 1]), age=np.array([30, 40, 50]), outcome_code=np.array([0, 2, -1]))
    forbidden = set(USE_CASE.contract.named(Role.AUDIT, Role.OUTCOME))
    assert not forbidden & set(load(lake).columns)


def test_the_audit_table_is_never_read(lake):
    class Watched:
        def __init__(self):
            self.tables = set()

        def versions(self, table, **more):
            self.tables.add(table)
            return lake.versions(table, **more)

        def read(self, partitions, columns=None):
            self.tables |= {part.table for part in partitions}
            return lake.read(partitions, columns)

    lake.write(AUDIT, MAY, {"account_id": names([1]), "sex": np.array([1])}, recorded_at=noon(MAY.last_day))
    watched = Watched()
    load(watched)
    assert watched.tables == {SNAPSHOTS, OUTCOMES}


def test_a_label_never_arrives_before_it_matured(lake):
    snapshot(lake, JULY)
    outcome(lake, JULY, {1: 0, 2: 0, 3: 0})
    with pytest.raises(NotEnoughData, match="2005-07: no snapshots with matured outcomes as of 2005-08-30"):
        load(lake, [MAY, JUNE, JULY], as_of=date(2005, 8, 30), known_at=end_of_day(date(2026, 1, 1)))
    assert "2005-07" in load(lake, [MAY, JUNE, JULY], as_of=date(2005, 8, 31)).months


def test_an_immature_cohort_is_unknown_and_not_good(lake):
    snapshot(lake, JULY)
    with pytest.raises(NotEnoughData, match=r"^2005-07: no snapshots with matured outcomes"):
        load(lake, [MAY, JUNE, JULY])


def test_an_outcome_that_claims_to_be_known_before_its_month_was_over_is_refused(lake):
    snapshot(lake, JULY)
    outcome(lake, JULY, {1: 0, 2: 2, 3: 0}, matured=END_OF_JULY)
    with pytest.raises(Integrity, match="cannot be known before its month is over"):
        load(lake, [MAY, JUNE, JULY])


def test_an_outcome_recorded_before_it_matured_is_refused(lake):
    snapshot(lake, JULY)
    outcome(lake, JULY, {1: 0, 2: 2, 3: 0}, recorded=END_OF_JULY)
    with pytest.raises(
        Integrity, match="outcomes 2005-07 version 1 say they matured at 2005-08-31 and were recorded at 2005-07-31"
    ):
        load(lake, [MAY, JUNE, JULY])


def test_a_future_month_planted_in_an_older_partition_is_refused(lake):
    snapshot(lake, JUNE, snapshot_month=np.array(["2005-06", "2005-08", "2005-06"]))
    with pytest.raises(Integrity, match="snapshots 2005-06 version 2 hold rows of 2005-08"):
        load(lake)


def test_a_month_that_was_not_asked_for_is_not_read(lake):
    assert set(load(lake, [MAY]).months) == {"2005-05"}


def test_the_past_is_read_as_it_was_known_then(lake):
    outcome(lake, MAY, {1: 2, 2: 2, 3: 2}, matured=date(2005, 6, 30), recorded=date(2005, 9, 15))
    assert load(lake, [MAY]).bad.tolist() == [False, True, False]
    assert load(lake, [MAY], known_at=end_of_day(date(2005, 9, 15))).bad.all()


def test_an_account_without_an_outcome_is_left_out_and_counted(lake):
    snapshot(lake, MAY, accounts=(1, 2, 3, 4, 5))
    found = load(lake, [MAY])
    assert found.accounts.tolist() == ["A00001", "A00002", "A00003"]
    assert found.unlabelled == 2


def test_outcomes_that_arrived_under_different_definitions_wait_for_a_person(lake):
    outcome(lake, JUNE, {1: 0, 2: 2, 3: 1}, definition=2)
    with pytest.raises(Held, match="2005-05 under 1, 2005-06 under 2") as held:
        load(lake)
    assert "accept one definition" in held.value.hint


def test_an_accepted_definition_reads_every_month_alike(lake):
    outcome(lake, JUNE, {1: 0, 2: 2, 3: 1}, definition=2)
    found = load(lake, definition=2)
    assert found.definition_version == 2
    assert found.bad.tolist() == [False, True, False] * 2
    assert load(lake, definition=1).bad.tolist() == [False, True, False, False, True, True]


def test_codes_that_the_accepted_definition_cannot_read_wait_for_a_person(lake):
    outcome(lake, JUNE, {1: 0, 2: 1, 3: 1}, definition=3, coding="published_label")
    with pytest.raises(Held, match=r"definition 2 .* cannot read outcomes 2005-06: they are coded as published_label"):
        load(lake, definition=2)


@pytest.mark.parametrize("table", [SNAPSHOTS, OUTCOMES])
def test_an_account_that_appears_twice_in_a_month_is_refused(lake, table):
    if table == SNAPSHOTS:
        snapshot(lake, JUNE, accounts=(1, 2, 2))
    else:
        columns = {"account_id": names([1, 2, 2]), "outcome_code": np.array([0, 0, 2])}
        facts = lake.history(OUTCOMES, JUNE)[0].facts
        lake.write(OUTCOMES, JUNE, columns, recorded_at=noon(END_OF_JULY), facts=facts)
    with pytest.raises(Integrity, match=f"{table} 2005-06 version 2 hold account A00002 2 times"):
        load(lake)


def test_nothing_matured_is_said_plainly(lake):
    with pytest.raises(NotEnoughData, match="2005-05, 2005-06: no snapshots with matured outcomes as of 2005-06-29"):
        load(lake, as_of=date(2005, 6, 29), known_at=end_of_day(END_OF_JULY))


def test_the_lineage_names_every_partition_by_digest(lake):
    found = load(lake).lineage()
    assert [(part["table"], part["month"]) for part in found] == [
        (SNAPSHOTS, "2005-05"),
        (OUTCOMES, "2005-05"),
        (SNAPSHOTS, "2005-06"),
        (OUTCOMES, "2005-06"),
    ]
    assert found[0]["digest"] == lake.history(SNAPSHOTS, MAY)[0].digest
    assert found[0]["recorded_at"] == "2005-05-31T12:00:00+00:00"


def test_taking_some_rows_keeps_them_together_and_keeps_the_lineage(lake):
    whole = load(lake)
    some = whole.take(whole.months == "2005-06")
    assert some.accounts.tolist() == ["A00001", "A00002", "A00003"]
    assert some.bad.tolist() == [False, True, False]
    assert some.columns["snapshot_month"].tolist() == ["2005-06"] * 3
    assert some.lineage() == whole.lineage()


@given(st.dates(date(2005, 5, 1), date(2005, 12, 31)), st.dates(date(2005, 5, 1), date(2005, 12, 31)))
def test_no_as_of_day_and_no_knowledge_day_ever_shows_an_outcome_of_the_future(as_of, known):
    lake = InMemoryLake()
    for month in (MAY, JUNE, JULY, AUGUST):
        snapshot(lake, month)
        outcome(lake, month, {1: 0, 2: 2, 3: -1})
    day = min(as_of, known)
    for month in (MAY, JUNE, JULY, AUGUST):
        try:
            load(lake, [month], as_of, end_of_day(known))
        except NotEnoughData:
            assert USE_CASE.matured_at(month) > day
        else:
            assert USE_CASE.matured_at(month) <= day
