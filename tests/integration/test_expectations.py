"""Faults injected into a real month, judged with the real Great Expectations."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from models.clock import FixedClock, Month
from models.contract import Columns, Role
from models.credit_default import USE_CASE
from models.lake import AUDIT, OUTCOMES, SNAPSHOTS
from models.usecase import Cohort
from pipelines.adapters.expectations import GreatExpectations
from pipelines.batches import Batch, Ruling, Verdict
from pipelines.validation import judge

pytestmark = pytest.mark.integration

ROWS = 1_200
AUGUST = Month(2005, 8)
CLOCK = FixedClock(datetime(2005, 9, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def expectations(tmp_path_factory: pytest.TempPathFactory) -> GreatExpectations:
    return GreatExpectations(tmp_path_factory.mktemp("validation"), CLOCK)


@pytest.fixture(scope="module")
def cohorts() -> list[Cohort]:
    source = USE_CASE.source()
    return [source.cohort(month, date(2005, 12, 31)) for month in source.months()]


def snapshot(cohort: Cohort) -> Batch:
    contract = USE_CASE.contract.only(Role.KEY, Role.TIME, Role.INPUT)
    columns = {name: values[:ROWS].copy() for name, values in cohort.columns.items()}
    return Batch(USE_CASE.name, SNAPSHOTS, cohort.month, contract, columns)


def outcome(cohort: Cohort, definition: int) -> Batch:
    columns = {"account_id": cohort.columns["account_id"][:ROWS], "outcome_code": cohort.outcome_codes[:ROWS].copy()}
    contract = USE_CASE.contract.only(Role.KEY, Role.OUTCOME)
    return Batch(
        USE_CASE.name,
        OUTCOMES,
        cohort.month,
        contract,
        columns,
        coding=cohort.coding,
        definition=USE_CASE.definitions[definition],
    )


def verdict(batch: Batch, history: list[Batch], expectations: GreatExpectations) -> Verdict:
    return judge(batch, history, USE_CASE.policy.monitoring, expectations)


@dataclass(frozen=True)
class Fault:
    """What is put into some rows of a column, and the finding that must name it."""

    column: str
    rows: list[int]
    value: object
    rule: str
    example: str | None

    def into(self, columns: Columns) -> Columns:
        values = columns[self.column]
        if self.value is None or isinstance(self.value, str):
            values = values.astype(object)
        elif isinstance(self.value, float):
            values = values.astype(float)
        values = values.copy()
        values[self.rows] = self.value
        return {**columns, self.column: values}


# Faults of one group are in the batch together: each must be named all the same.
FAULTS = {
    "a missing bill": (1, Fault("bill_0", [3, 9], np.nan, "no nulls", "A00004: bill_0 = nan")),
    "a gap among integers": (1, Fault("status_0", [5], np.nan, "no nulls", "A00006: status_0 = nan")),
    "integers that became numbers": (1, Fault("status_0", [5], np.nan, "type", None)),
    "a negative payment": (1, Fault("payment_0", [4], -5.0, "range", "A00005: payment_0 = -5.0")),
    "an account in another spelling": (1, Fault("account_id", [0], "A 1", "pattern", "A 1: account_id = A 1")),
    "rows of another month": (1, Fault("snapshot_month", [1], "2005-07", "month", "A00002: snapshot_month = 2005-07")),
    "a missing account": (2, Fault("account_id", [7], None, "no nulls", "None: account_id = None")),
    "an account with a line end": (2, Fault("account_id", [9], "A00010\n", "pattern", None)),
    "a text among numbers": (2, Fault("bill_1", [2], "12,50", "type", None)),
    "an infinite bill": (2, Fault("bill_0", [4], np.inf, "range", "A00005: bill_0 = inf")),
    "a code that the contract lacks": (2, Fault("status_0", [1], 77, "allowed codes", "A00002: status_0 = 77")),
    "last month's file again": (2, Fault("snapshot_month", list(range(ROWS)), "2005-07", "month", None)),
    "an account twice": (3, Fault("account_id", [1], "A00001", "unique key", "A00001: account_id = A00001")),
}


@pytest.fixture(scope="module")
def verdicts(expectations: GreatExpectations, cohorts: list[Cohort]) -> dict[int, Verdict]:
    """Verdicts by group of faults."""
    batch, found = snapshot(cohorts[3]), {}
    for group in {group for group, _ in FAULTS.values()}:
        columns = batch.columns
        for _, fault in (entry for entry in FAULTS.values() if entry[0] == group):
            columns = fault.into(columns)
        found[group] = verdict(replace(batch, columns=columns), [snapshot(cohorts[2])], expectations)
    return found


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_batch_goes_to_quarantine_with_rule_column_and_rows_named(name: str, verdicts: dict[int, Verdict]) -> None:
    group, fault = FAULTS[name]

    (finding,) = [f for f in verdicts[group].findings if (f.rule, f.column) == (fault.rule, fault.column)]

    assert verdicts[group].ruling is finding.ruling is Ruling.QUARANTINE
    assert finding.observed
    assert finding.limit
    assert len(finding.examples) <= 5
    assert fault.example is None or fault.example in finding.examples


def test_a_healthy_month_is_admitted(expectations: GreatExpectations, cohorts: list[Cohort]) -> None:
    may, june, july, august = (snapshot(cohort) for cohort in cohorts[:4])

    assert verdict(august, [may, june, july], expectations) == Verdict()


def test_an_outcome_code_that_the_contract_lacks_goes_to_quarantine(
    expectations: GreatExpectations, cohorts: list[Cohort]
) -> None:
    july = outcome(cohorts[2], 1)
    july.columns["outcome_code"][0] = 10

    found = verdict(july, [outcome(cohorts[0], 1)], expectations)

    (finding,) = [f for f in found.findings if f.ruling is Ruling.QUARANTINE]
    assert (finding.rule, finding.column, finding.examples) == (
        "allowed codes",
        "outcome_code",
        ("A00001: outcome_code = 10",),
    )


def test_audit_columns_are_checked_but_leave_no_trace_in_the_record(tmp_path: Path, cohorts: list[Cohort]) -> None:
    expectations = GreatExpectations(tmp_path, CLOCK)
    contract = USE_CASE.contract.only(Role.KEY, Role.AUDIT)
    columns = {name: values[:50].copy() for name, values in cohorts[0].audit.items()}
    columns["marriage"][7] = 44
    batch = Batch(USE_CASE.name, AUDIT, AUGUST, contract, columns, accounts=columns["account_id"])

    found = verdict(batch, [], expectations)
    expectations.publish()

    assert [(f.rule, f.column) for f in found.findings] == [("allowed codes", "marriage")]
    assert not [path for path in written(tmp_path) if "marriage" in path.read_text(errors="ignore")]


def test_the_pages_show_every_batch_and_what_was_wrong(tmp_path: Path, cohorts: list[Cohort]) -> None:
    june, july = (snapshot(cohort) for cohort in cohorts[1:3])
    july.columns["status_0"][0] = 77

    verdict(june, [], GreatExpectations(tmp_path, CLOCK))
    later = GreatExpectations(tmp_path, CLOCK)  # another process
    verdict(july, [june], later)
    index = Path(later.publish())

    assert "2005-06" in index.read_text()
    assert "2005-07" in index.read_text()
    assert [page for page in index.parent.rglob("*.html") if "2005-07" in str(page) and "77" in page.read_text()]


def test_a_record_cut_off_by_a_kill_does_not_spoil_the_pages(tmp_path: Path, cohorts: list[Cohort]) -> None:
    verdict(snapshot(cohorts[1]), [], GreatExpectations(tmp_path, CLOCK))
    result = next((tmp_path / "results").rglob("*.json"))
    result.write_bytes(result.read_bytes()[:100])

    again = GreatExpectations(tmp_path, CLOCK)
    verdict(snapshot(cohorts[2]), [], again)

    assert "2005-07" in Path(again.publish()).read_text()


def test_there_are_no_pages_before_the_first_check(tmp_path: Path) -> None:
    assert GreatExpectations(tmp_path, CLOCK).publish() == ""


def written(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix in {".json", ".html"})
