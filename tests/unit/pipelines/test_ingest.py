"""Months arrive: what enters the lake, what is refused, what waits for a person."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from models.clock import FixedClock, Month, end_of_day
from models.contract import Columns
from models.credit_default import USE_CASE
from models.errors import BatchRejected, InputRefused, Unavailable
from models.governance.ledger import Event, open_holds
from models.lake import AUDIT, OUTCOMES, SNAPSHOTS, PartitionVersion
from models.usecase import Cohort
from pipelines.batches import Batch, Finding, Ruling
from pipelines.definitions import accept_definition
from pipelines.ingest import IngestReport, Intake, ingest
from tests.fakes.expectations import FakeExpectations
from tests.fakes.lake import InMemoryLake
from tests.fakes.ledger import FakeLedger
from tests.fakes.quarantine import FakeQuarantine
from tests.fakes.source import AUGUST, JULY, JUNE, MAY, SEPTEMBER, SomeAccounts, with_value


def quiet(_: str) -> None: ...


@dataclass
class Bank:
    """A source and everything around it, on one clock."""

    source: SomeAccounts = field(default_factory=SomeAccounts)
    lake: InMemoryLake = field(default_factory=InMemoryLake)
    restricted: InMemoryLake = field(default_factory=InMemoryLake)
    expectations: FakeExpectations = field(default_factory=FakeExpectations)
    quarantine: FakeQuarantine = field(default_factory=FakeQuarantine)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    clock: FixedClock = field(default_factory=lambda: FixedClock(datetime(2005, 5, 1, tzinfo=UTC)))

    def ingest(self, as_of: date, progress: Callable[[str], None] = quiet) -> IngestReport:
        self.clock.set(max(end_of_day(as_of), self.clock.now()))
        intake = Intake(self.lake, self.restricted, self.expectations, self.quarantine, self.ledger, self.clock)
        return ingest(USE_CASE, self.source, intake, as_of=as_of, progress=progress)

    def accept(self, version: int) -> None:
        accept_definition(
            USE_CASE, self.lake, self.ledger, self.clock, version=version, by="Ada", reason="agreed", progress=quiet
        )

    def months(self, table: str) -> list[Month]:
        return [part.month for part in self.lake.versions(table)]

    def events(self) -> list[Event]:
        return [entry.event for entry in self.ledger.entries()]


@pytest.fixture
def bank() -> Bank:
    return Bank()


def test_the_lake_has_key_time_and_inputs_and_the_restricted_lake_the_audit_columns(bank: Bank) -> None:
    bank.ingest(JUNE.last_day)

    snapshots = bank.lake.read(bank.lake.versions(SNAPSHOTS))
    audit = bank.restricted.read(bank.restricted.versions(AUDIT))
    assert set(snapshots) == {"account_id", "snapshot_month", *USE_CASE.contract.inputs}
    assert set(audit) == {"account_id", "sex", "education", "marriage", "age"}
    assert bank.lake.versions(AUDIT) == []
    assert [part.table for part in bank.restricted.versions(SNAPSHOTS) + bank.restricted.versions(OUTCOMES)] == []


def test_an_outcome_enters_on_the_day_it_matures_and_not_before(bank: Bank) -> None:
    bank.ingest(date(2005, 7, 30))
    assert bank.months(SNAPSHOTS) == [MAY, JUNE]
    assert bank.months(OUTCOMES) == [MAY]

    bank.ingest(date(2005, 7, 31))
    assert bank.months(SNAPSHOTS) == [MAY, JUNE, JULY]
    assert bank.months(OUTCOMES) == [MAY, JUNE]


def test_an_outcome_says_when_it_matured_and_how_it_was_read(bank: Bank) -> None:
    bank.ingest(JULY.last_day)

    june = bank.lake.versions(OUTCOMES)[-1]
    columns = bank.lake.read([june])
    assert june.facts == {"matured_at": "2005-07-31", "definition_version": "1", "coding": "repayment_status"}
    assert set(columns) == {"account_id", "outcome_code", "bad"}
    np.testing.assert_array_equal(columns["bad"], columns["outcome_code"] >= 1)


def test_an_outcome_that_the_source_gives_away_too_early_is_left_out(bank: Bank) -> None:
    early = bank.source.cohort(JUNE, date(2005, 12, 31)).outcome_codes
    bank.source.changes[JUNE] = lambda cohort: replace(cohort, outcome_codes=early)

    bank.ingest(JUNE.last_day)

    assert bank.months(OUTCOMES) == [MAY]


def test_a_second_run_writes_and_checks_nothing(bank: Bank) -> None:
    first = bank.ingest(JULY.last_day)
    checks = len(bank.expectations.checked)

    second = bank.ingest(JULY.last_day)

    assert len(first.written) == 3 + 3 + 2
    assert (second.written, second.unchanged, second.docs) == ((), 8, "")
    assert len(bank.expectations.checked) == checks


def test_a_later_run_adds_only_what_is_new(bank: Bank) -> None:
    bank.ingest(JUNE.last_day)

    report = bank.ingest(JULY.last_day)

    assert [(part.table, part.month) for part in report.written] == [(OUTCOMES, JUNE), (SNAPSHOTS, JULY), (AUDIT, JULY)]


def test_a_late_restatement_adds_a_version_and_what_was_known_stays(bank: Bank) -> None:
    bank.ingest(JUNE.last_day)
    then = bank.clock.now()
    bank.source.changes[MAY] = with_value("bill_0", 0, 123.0)

    report = bank.ingest(JULY.last_day)

    restated = bank.lake.versions(SNAPSHOTS)[0]
    assert (restated.month, restated.version) == (MAY, 2)
    assert restated in report.written
    assert bank.lake.read([restated], ["bill_0"])["bill_0"][0] == 123.0
    known_then = bank.lake.versions(SNAPSHOTS, known_at=then)[0]
    assert bank.lake.read([known_then], ["bill_0"])["bill_0"][0] != 123.0


def test_a_restated_outcome_adds_a_version(bank: Bank) -> None:
    def one_more_bad(cohort: Cohort) -> Cohort:
        return replace(cohort, outcome_codes=np.where(np.arange(len(cohort.outcome_codes)) == 0, 8, cohort.outcome_codes))

    bank.ingest(JULY.last_day)
    bank.source.changes[MAY] = one_more_bad
    bank.ingest(JULY.last_day)

    assert [part.version for part in bank.lake.versions(OUTCOMES)] == [2, 1]
    assert bank.lake.read(bank.lake.versions(OUTCOMES)[:1])["outcome_code"][0] == 8


def test_a_bad_batch_goes_to_quarantine_and_stops_everything_after_it(bank: Bank) -> None:
    bank.ingest(JUNE.last_day)
    good = bank.lake.versions(SNAPSHOTS)
    bank.source.changes[JULY] = lambda cohort: replace(cohort, columns={n: v[:150] for n, v in cohort.columns.items()})

    with pytest.raises(BatchRejected) as refused:
        bank.ingest(AUGUST.last_day)

    assert refused.value.problem == ("snapshots of 2005-07 went to quarantine: row count: 150 rows, usually 3,000")
    assert "quarantine/snapshots/2005-07/verdict.md" in refused.value.hint
    ((batch, verdict),) = bank.quarantine.kept
    assert (batch.month, batch.rows, verdict.ruling) == (JULY, 150, Ruling.QUARANTINE)
    assert bank.lake.versions(SNAPSHOTS) == good
    assert bank.restricted.versions(AUDIT)[-1].month == JUNE


def test_a_corrected_batch_enters_after_quarantine(bank: Bank) -> None:
    bank.source.changes[MAY] = lambda cohort: replace(cohort, columns={**cohort.columns, "sex": cohort.audit["sex"]})
    with pytest.raises(BatchRejected, match="unknown column of sex"):
        bank.ingest(MAY.last_day)

    del bank.source.changes[MAY]
    bank.ingest(MAY.last_day)

    assert bank.months(SNAPSHOTS) == [MAY]


def test_a_restatement_that_is_bad_leaves_the_good_version(bank: Bank) -> None:
    bank.ingest(JUNE.last_day)
    bank.source.changes[JUNE] = lambda cohort: replace(cohort, columns={n: v[:9] for n, v in cohort.columns.items()})

    with pytest.raises(BatchRejected):
        bank.ingest(JUNE.last_day)

    assert [part.version for part in bank.lake.history(SNAPSHOTS, JUNE)] == [1]


def test_what_the_expectations_refuse_is_refused_and_the_error_counts_what_else_is_wrong() -> None:
    def nulls(batch: Batch) -> list[Finding]:
        found = Finding("no nulls", "bill_0", "2 of 3,000 rows", "no nulls", Ruling.QUARANTINE)
        return [found, replace(found, column="bill_1")] if batch.month == JUNE and batch.table == SNAPSHOTS else []

    bank = Bank(expectations=FakeExpectations(nulls))

    with pytest.raises(BatchRejected, match=r"no nulls of bill_0: 2 of 3,000 rows, and 1 more"):
        bank.ingest(JUNE.last_day)
    assert bank.months(SNAPSHOTS) == [MAY]


def test_audit_rows_of_other_accounts_are_refused(bank: Bank) -> None:
    bank.source.changes[MAY] = lambda cohort: replace(cohort, audit={n: v[1:] for n, v in cohort.audit.items()})

    with pytest.raises(BatchRejected, match="same accounts of account_id"):
        bank.ingest(MAY.last_day)
    assert bank.restricted.versions(AUDIT) == []


def test_audit_columns_that_did_not_change_are_not_checked_every_month(bank: Bank) -> None:
    bank.ingest(JULY.last_day)

    assert [batch.month for batch in bank.expectations.checked if batch.table == AUDIT] == [MAY]
    assert [part.month for part in bank.restricted.versions(AUDIT)] == [MAY, JUNE, JULY]


def test_no_hold_is_opened_before_september_2005(bank: Bank) -> None:
    assert bank.ingest(date(2005, 9, 29)).holds == ()
    assert bank.events() == []


def test_september_2005_is_admitted_and_held(bank: Bank) -> None:
    report = bank.ingest(SEPTEMBER.last_day)

    assert bank.months(SNAPSHOTS)[-1] == SEPTEMBER
    assert bank.months(OUTCOMES)[-1] == AUGUST
    assert [(hold.month, hold.what, hold.coding) for hold in report.holds] == [
        ("2005-09", "the coding of outcome_code seems to have changed", "repayment_status"),
        ("2005-09", "the coding of status_0 seems to have changed", ""),
    ]
    assert open_holds(bank.ledger.entries("credit_default")) == list(report.holds)
    of_outcome, of_input = (entry.facts["evidence"] for entry in bank.ledger.entries())
    assert "code 1: 0." in of_input
    assert "bad rate" in of_outcome


def test_the_label_of_october_2005_opens_a_hold_for_its_coding_alone(bank: Bank) -> None:
    bank.ingest(SEPTEMBER.last_day)

    report = bank.ingest(date(2005, 10, 31))

    assert [(hold.month, hold.coding) for hold in report.holds] == [("2005-10", "published_label")]
    assert bank.ledger.entries()[-1].facts["evidence"] == (
        "the outcome's coding changed from repayment_status to published_label"
    )
    assert bank.lake.versions(OUTCOMES)[-1].facts["definition_version"] == "3"


def test_a_hold_is_not_opened_twice_nor_after_its_release(bank: Bank) -> None:
    bank.ingest(SEPTEMBER.last_day)
    bank.ingest(SEPTEMBER.last_day)
    assert bank.events() == [Event.HOLD_OPENED] * 2

    bank.accept(2)
    assert bank.ingest(SEPTEMBER.last_day).holds == ()
    assert open_holds(bank.ledger.entries()) == []


def test_new_outcomes_are_read_by_the_definition_that_a_person_accepted(bank: Bank) -> None:
    bank.ingest(AUGUST.last_day)
    bank.accept(2)

    bank.ingest(SEPTEMBER.last_day)

    august = bank.lake.versions(OUTCOMES)[-1]
    columns = bank.lake.read([august])
    assert august.facts["definition_version"] == "2"
    np.testing.assert_array_equal(columns["bad"], columns["outcome_code"] >= 2)


class DiesBeforeWriting(InMemoryLake):
    """A lake whose machine goes away just before a month is written."""

    def __init__(self, month: Month) -> None:
        super().__init__()
        self.month: Month | None = month

    def write(
        self, table: str, month: Month, columns: Columns, *, recorded_at: datetime, facts: Mapping[str, str] | None = None
    ) -> PartitionVersion:
        if (table, month) == (SNAPSHOTS, self.month):
            raise Unavailable("the machine went away")
        return super().write(table, month, columns, recorded_at=recorded_at, facts=facts)


def test_a_run_that_died_between_hold_and_lake_is_completed_by_the_next() -> None:
    lake = DiesBeforeWriting(SEPTEMBER)
    bank = Bank(lake=lake)
    with pytest.raises(Unavailable):
        bank.ingest(SEPTEMBER.last_day)
    assert bank.events() == [Event.HOLD_OPENED] * 2
    assert SEPTEMBER not in bank.months(SNAPSHOTS)

    lake.month = None
    report = bank.ingest(SEPTEMBER.last_day)

    assert [(part.table, part.month) for part in report.written] == [(SNAPSHOTS, SEPTEMBER), (AUDIT, SEPTEMBER)]
    assert bank.events() == [Event.HOLD_OPENED] * 2


def test_an_acceptance_that_died_half_way_is_completed_by_the_next_ingest(bank: Bank) -> None:
    bank.ingest(AUGUST.last_day)
    checks = len(bank.expectations.checked)
    facts: dict[str, Any] = {"version": 2, "codings": ["repayment_status"], "reason": "agreed", "rule": ""}
    bank.ledger.append(Event.DEFINITION_ACCEPTED, model=USE_CASE.name, actor="Ada", at=bank.clock.now(), facts=facts)

    bank.ingest(AUGUST.last_day)

    assert {part.facts["definition_version"] for part in bank.lake.versions(OUTCOMES)} == {"2"}
    assert len(bank.expectations.checked) == checks, "the codes are known; only their reading is new"


def test_the_future_cannot_be_ingested(bank: Bank) -> None:
    intake = Intake(bank.lake, bank.restricted, bank.expectations, bank.quarantine, bank.ledger, bank.clock)

    with pytest.raises(InputRefused, match="has not come yet"):
        ingest(USE_CASE, bank.source, intake, as_of=date(2005, 5, 2), progress=quiet)


def test_progress_is_told_month_by_month(bank: Bank) -> None:
    told: list[str] = []

    bank.ingest(MAY.last_day, told.append)

    assert told == ["2005-05: snapshots 3,000 rows, version 1", "2005-05: audit 3,000 rows, version 1"]
