"""From findings to a verdict."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from models.clock import Month
from models.contract import Role
from models.credit_default import USE_CASE
from models.lake import OUTCOMES
from pipelines.batches import Batch, Finding, Ruling, Verdict
from pipelines.validation import judge, markdown
from tests.fakes.expectations import FakeExpectations

LIMITS = USE_CASE.policy.monitoring
NULLS = Finding("no nulls", "outcome_code", "2 of 100 rows", "no nulls", Ruling.QUARANTINE, ("A1: outcome_code = nan",))
GOOD = {"account_id": np.array([f"A{number}" for number in range(100)]), "outcome_code": np.tile([0, 0, 0, 2], 25)}


def batch(columns: Mapping[str, Any] = GOOD, coding: str = "repayment_status") -> Batch:
    contract = USE_CASE.contract.only(Role.KEY, Role.OUTCOME)
    return Batch(USE_CASE.name, OUTCOMES, Month(2005, 7), contract, columns, coding=coding, definition=USE_CASE.definitions[1])


def test_a_batch_without_findings_is_admitted() -> None:
    assert judge(batch(), [batch()], LIMITS, FakeExpectations()).ruling is Ruling.ADMIT


def test_what_the_expectations_find_is_in_the_verdict() -> None:
    verdict = judge(batch(), [batch()], LIMITS, FakeExpectations(lambda _: [NULLS]))

    assert verdict == Verdict((NULLS,))
    assert verdict.ruling is Ruling.QUARANTINE


def test_the_severest_finding_rules() -> None:
    verdict = judge(batch(), [batch(coding="other")], LIMITS, FakeExpectations(lambda _: [NULLS]))

    assert [finding.ruling for finding in verdict.findings] == [Ruling.QUARANTINE, Ruling.HOLD]
    assert verdict.ruling is Ruling.QUARANTINE


@pytest.mark.parametrize(
    ("columns", "rule", "column"),
    [
        ({"account_id": GOOD["account_id"]}, "missing column", "outcome_code"),
        ({**GOOD, "sex": GOOD["outcome_code"]}, "unknown column", "sex"),
        ({**GOOD, "outcome_code": np.array([0])}, "equal lengths", ""),
        ({name: values[:0] for name, values in GOOD.items()}, "row count", ""),
        ({}, "row count", ""),
    ],
)
def test_a_misshapen_batch_goes_to_quarantine_before_any_row_is_looked_at(
    columns: Mapping[str, Any], rule: str, column: str
) -> None:
    expectations = FakeExpectations()

    verdict = judge(batch(columns), [batch()], LIMITS, expectations)

    assert (rule, column) in [(finding.rule, finding.column) for finding in verdict.findings]
    assert verdict.ruling is Ruling.QUARANTINE
    assert expectations.checked == []


def test_a_person_reads_the_rule_the_column_and_the_rows() -> None:
    text = markdown(batch(), Verdict((NULLS,)))

    assert "outcomes of 2005-07: quarantine" in text
    assert "**no nulls** of `outcome_code`: 2 of 100 rows" in text
    assert "A1: outcome_code = nan" in text


def test_a_program_reads_the_same() -> None:
    assert json.loads(json.dumps(Verdict((NULLS,)).to_dict())) == {
        "ruling": "quarantine",
        "findings": [
            {
                "rule": "no nulls",
                "column": "outcome_code",
                "observed": "2 of 100 rows",
                "limit": "no nulls",
                "ruling": "quarantine",
                "examples": ["A1: outcome_code = nan"],
            }
        ],
    }
