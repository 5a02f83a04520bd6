from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.clock import Month
from models.credit_default import USE_CASE
from monitoring.chance import hanley_mcneil
from monitoring.performance import Performance, comparable_definition, match, realised
from tests import months

AUGUST = Month(2005, 8)
STATUS = {"matured_at": "2005-09-30", "coding": "repayment_status"}
LABEL = {"matured_at": "2005-10-31", "coding": "published_label"}
REFERENCE = {"auc": 0.77, "auc_error": 0.015, "brier": 0.1, "bad_rate": 0.16, "definition_version": 1}


def table(columns: Any, codes: np.ndarray) -> dict[str, np.ndarray]:
    return {"account_id": columns["account_id"], "outcome_code": codes}


def known(codes: np.ndarray, *, facts: Any = STATUS, accepted: int = 1, reference: Any = REFERENCE) -> Performance:
    columns = months.accounts(AUGUST)
    log = dict(columns) | {"probability": months.probabilities(columns)}
    found = realised(USE_CASE, match(USE_CASE, log, table(columns, codes)), facts=facts, reference=reference, accepted=accepted)
    assert found
    return found


def test_an_accounts_last_decision_counts() -> None:
    log = {"account_id": np.array(["A", "B", "A"]), "probability": np.array([0.1, 0.2, 0.9])}
    outcomes = {"account_id": np.array(["B", "A"]), "outcome_code": np.array([0, 2])}

    matched = match(USE_CASE, log, outcomes)

    assert matched.columns["probability"].tolist() == [0.9, 0.2]
    assert matched.codes.tolist() == [2, 0]


def test_decisions_without_an_outcome_are_counted_and_never_good() -> None:
    log = {"account_id": np.array(["A", "B", "C"]), "probability": np.array([0.1, 0.2, 0.3])}
    matched = match(USE_CASE, log, {"account_id": np.array(["C", "Z"]), "outcome_code": np.array([2, 0])})

    assert (matched.columns["account_id"].tolist(), matched.unmatched) == (["C"], 2)


@pytest.mark.parametrize("outcomes", [[], ["Z"]])
def test_without_any_common_account_nothing_is_realised(outcomes: list[str]) -> None:
    log = {"account_id": np.array(["A"]), "probability": np.array([0.1])}
    nothing = {"account_id": np.array(outcomes, dtype=np.str_), "outcome_code": np.zeros(len(outcomes), dtype=np.int64)}
    assert realised(USE_CASE, match(USE_CASE, log, nothing), facts=STATUS, reference=REFERENCE, accepted=1) is None


def test_a_calibrated_model_goes_bad_as_predicted() -> None:
    figures = known(months.outcome_codes(months.accounts(AUGUST))).as_coded.whole

    assert figures.actual == pytest.approx(figures.predicted, abs=0.03)
    assert figures.auc is not None
    assert figures.auc_low is not None
    assert figures.auc_high is not None
    assert figures.auc_low < figures.auc < figures.auc_high


def test_populations_are_reported_beside_all_accounts() -> None:
    populations = known(months.outcome_codes(months.accounts(AUGUST))).as_coded.populations

    assert populations["current"].rows + populations["already behind"].rows == populations["all"].rows == months.ROWS
    assert "inactive" not in populations  # nobody is


def test_where_only_one_outcome_occurs_there_is_no_auc() -> None:
    figures = known(np.zeros(months.ROWS, dtype=np.int64)).as_coded.whole
    assert (figures.auc, figures.bad) == (None, 0)


def test_a_recoded_outcome_hurts_as_coded_and_not_comparably() -> None:
    found = known(months.outcome_codes(months.accounts(AUGUST), recoded=True))

    assert found.comparable
    assert (found.as_coded.definition, found.comparable.definition) == (1, 2)
    assert found.attribution
    assert found.attribution.definition < -0.05
    assert abs(found.attribution.model) < 0.03


@given(st.integers(0, 50), st.booleans())
def test_the_parts_of_a_change_add_up(seed: int, recoded: bool) -> None:
    split = known(months.outcome_codes(months.accounts(AUGUST), seed=seed, recoded=recoded)).attribution
    assert split
    assert split.definition + split.model == pytest.approx(split.total)


def test_the_accepted_definition_makes_months_comparable() -> None:
    definition, note = comparable_definition(USE_CASE, "repayment_status", accepted=2, baseline=1)
    assert definition is USE_CASE.definitions[2]
    assert "a person accepted" in note


def test_a_coding_that_no_other_definition_reads_has_no_comparable_figures() -> None:
    found = known(months.outcome_codes(months.accounts(AUGUST)) // 2, facts=LABEL, accepted=3)

    assert (found.comparable, found.attribution) == (None, None)
    assert "No comparable figures exist" in found.note
    assert "published label" in found.note


def test_a_champion_trained_on_the_label_is_comparable_with_the_label() -> None:
    definition, _ = comparable_definition(USE_CASE, "published_label", accepted=3, baseline=3)
    assert definition is USE_CASE.definitions[3]


def test_a_use_case_with_one_definition_compares_with_itself() -> None:
    alone = replace(USE_CASE, definitions={1: USE_CASE.definitions[1]}, as_coded={"repayment_status": 1})
    definition, _ = comparable_definition(alone, "repayment_status", accepted=1, baseline=1)
    assert definition is alone.definitions[1]


def test_an_older_bundles_reference_error_is_had_from_its_counts() -> None:
    older = {name: value for name, value in REFERENCE.items() if name != "auc_error"} | {"rows": 2_000}
    found = known(months.outcome_codes(months.accounts(AUGUST)), reference=older).reference
    assert found["auc_error"] == hanley_mcneil(0.77, 320, 1_680)
    assert known(months.outcome_codes(months.accounts(AUGUST))).reference["auc_error"] == 0.015


def test_the_auc_knows_its_error() -> None:
    figures = known(months.outcome_codes(months.accounts(AUGUST))).as_coded.whole
    assert figures.auc_error is not None
    assert figures.auc_low is not None
    assert figures.auc is not None
    assert figures.auc - figures.auc_low == pytest.approx(1.96 * figures.auc_error, rel=0.1)
    assert known(np.zeros(months.ROWS, dtype=np.int64)).as_coded.whole.auc_error is None


def test_a_bundle_without_reference_figures_attributes_nothing() -> None:
    assert known(months.outcome_codes(months.accounts(AUGUST)), reference={}).attribution is None
