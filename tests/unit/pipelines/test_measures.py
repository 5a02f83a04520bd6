"""What history shows of a batch: the real 2005, and every rule's limit."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.contract import Role
from models.credit_default import USE_CASE
from models.lake import AUDIT, OUTCOMES, SNAPSHOTS
from models.usecase import Cohort
from pipelines.batches import Batch, Measure, Ruling
from pipelines.measures import measures, total_variation

LIMITS = USE_CASE.policy.monitoring


@lru_cache(maxsize=1)
def cohorts() -> tuple[Cohort, ...]:
    source = USE_CASE.source()
    return tuple(source.cohort(month, date(2005, 12, 31)) for month in source.months())


def snapshots() -> list[Batch]:
    contract = USE_CASE.contract.only(Role.KEY, Role.TIME, Role.INPUT)
    return [Batch(USE_CASE.name, SNAPSHOTS, cohort.month, contract, cohort.columns) for cohort in cohorts()]


def outcomes() -> list[Batch]:
    contract = USE_CASE.contract.only(Role.KEY, Role.OUTCOME)
    return [
        Batch(
            USE_CASE.name,
            OUTCOMES,
            cohort.month,
            contract,
            {"account_id": cohort.columns["account_id"], "outcome_code": cohort.outcome_codes},
            coding=cohort.coding,
            definition=USE_CASE.definitions[USE_CASE.as_coded[cohort.coding]],
        )
        for cohort in cohorts()
    ]


def broken(batch: Batch, history: Sequence[Batch]) -> list[tuple[str, str, Ruling]]:
    return [(m.rule, m.column, m.ruling) for m in measures(batch, history, LIMITS) if m.broken]


def changed(batch: Batch, **columns: np.ndarray) -> Batch:
    return replace(batch, columns={**batch.columns, **columns})


@pytest.mark.parametrize("number", range(4))
def test_no_snapshot_before_september_2005_is_strange(number: int) -> None:
    assert broken(snapshots()[number], snapshots()[:number]) == []


@pytest.mark.parametrize("number", range(3))
def test_no_outcome_before_that_of_august_2005_is_strange(number: int) -> None:
    assert broken(outcomes()[number], outcomes()[:number]) == []


def test_september_2005_shows_that_status_code_1_came_into_use() -> None:
    *before, september = snapshots()

    assert broken(september, before) == [("mix of codes", "status_0", Ruling.HOLD)]
    (mix,) = [m for m in measures(september, before, LIMITS) if m.broken]
    assert mix.evidence == "code 1: 0.1% in 2005-08, 12.3% now; distance 0.123"


def test_the_outcome_of_august_2005_shows_it_too() -> None:
    *before, august, _ = outcomes()

    assert broken(august, before) == [
        ("mix of codes", "outcome_code", Ruling.HOLD),
        ("bad rate", "outcome_code", Ruling.HOLD),
    ]


def test_the_label_of_october_2005_is_another_coding_and_is_compared_in_nothing_else() -> None:
    *before, september = outcomes()

    assert broken(september, before) == [("coding", "outcome_code", Ruling.HOLD)]


def test_the_quiet_months_stay_far_below_the_limits() -> None:
    found = [m for n in range(4) for m in measures(snapshots()[n], snapshots()[:n], LIMITS)]

    assert max(m.value for m in found if m.rule == "mix of codes") < 0.5 * LIMITS.code_mix
    assert max(m.value for m in found if m.rule == "repeated content") < 0.1


def test_going_back_to_the_old_coding_is_not_strange() -> None:
    *before, august, september = snapshots()
    shifted = changed(august, snapshot_month=np.full(august.rows, "2005-10"), bill_0=august.columns["bill_0"] + 1)

    assert broken(shifted, [*before, august, september]) == []


@pytest.mark.parametrize(("rows", "is_strange"), [(24_000, False), (23_999, True), (30_000, False)])
def test_a_fifth_fewer_rows_than_usual_is_the_limit(rows: int, is_strange: bool) -> None:
    july, august = snapshots()[2:4]
    fewer = replace(august, columns={name: values[:rows] for name, values in august.columns.items()})

    assert broken(fewer, [july]) == ([("row count", "", Ruling.QUARANTINE)] if is_strange else [])


def test_a_fifth_more_rows_than_usual_is_the_limit() -> None:
    july, august = snapshots()[2:4]
    fewer = replace(july, columns={name: values[:24_000] for name, values in july.columns.items()})

    assert ("row count", "", Ruling.QUARANTINE) in broken(august, [fewer])


def test_last_months_rows_under_a_new_name_are_noticed_in_any_order() -> None:
    july = snapshots()[2]
    turned = {name: values[::-1] for name, values in july.columns.items()}
    again = replace(july, columns={**turned, "snapshot_month": np.full(july.rows, "2005-08")})

    assert broken(again, [july]) == [("repeated content", "", Ruling.QUARANTINE)]


def test_a_file_half_of_which_is_last_months_is_noticed() -> None:
    july, august = snapshots()[2:4]
    old = np.arange(august.rows) < 0.6 * august.rows
    mixed = {name: np.where(old, july.columns[name], august.columns[name]) for name in USE_CASE.contract.inputs}

    assert broken(changed(august, **mixed), [july]) == [("repeated content", "", Ruling.QUARANTINE)]


def test_a_code_that_history_never_had_is_held_if_it_is_more_than_a_stray() -> None:
    july, august = snapshots()[2:4]
    status = august.columns["status_1"].copy()
    status[:200] = 9
    stray = august.columns["status_1"].copy()
    stray[:20] = 9

    assert broken(changed(august, status_1=status), [july]) == [("unseen codes", "status_1", Ruling.HOLD)]
    assert broken(changed(august, status_1=stray), [july]) == []


def test_a_falling_bad_rate_is_as_strange_as_a_rising_one() -> None:
    july = outcomes()[2]
    codes = july.columns["outcome_code"].copy()
    codes[np.flatnonzero(codes >= 1)[::2]] = 0

    assert ("bad rate", "outcome_code", Ruling.HOLD) in broken(changed(july, outcome_code=codes), [july])


def test_a_month_without_a_bad_account_can_still_be_compared() -> None:
    july = outcomes()[2]
    none = changed(july, outcome_code=np.zeros(july.rows, dtype=np.int64))

    assert ("bad rate", "outcome_code", Ruling.HOLD) in broken(none, [july])
    assert ("bad rate", "outcome_code", Ruling.HOLD) in broken(july, [none])


def test_audit_rows_are_those_of_the_snapshots_accounts() -> None:
    cohort = cohorts()[0]
    contract = USE_CASE.contract.only(Role.KEY, Role.AUDIT)
    batch = Batch(USE_CASE.name, AUDIT, cohort.month, contract, cohort.audit, accounts=cohort.columns["account_id"])
    other = replace(batch, accounts=np.append(cohort.columns["account_id"][1:], "Z1"))

    assert broken(batch, []) == []
    assert broken(other, []) == [("same accounts", "account_id", Ruling.QUARANTINE)]


def test_values_of_a_wrong_type_are_not_measured() -> None:
    july, august = snapshots()[2:4]
    texts = changed(august, status_0=august.columns["status_0"].astype(str).astype(object))

    assert {m.column for m in measures(texts, [july], LIMITS)} == {"", "status_1"}


def test_the_first_month_has_nothing_to_be_compared_with() -> None:
    assert [m.rule for m in measures(snapshots()[0], [], LIMITS)] == ["row count"]


@given(low=st.floats(-10, 10), width=st.floats(0, 10), value=st.floats(-30, 30))
def test_a_measure_is_broken_outside_its_bounds_and_nowhere_else(low: float, width: float, value: float) -> None:
    measure = Measure("rule", "", value, low, low + width, Ruling.HOLD, "")

    assert measure.broken == (value < low or value > low + width)


mixes = st.dictionaries(st.integers(-2, 9), st.integers(1, 1000), min_size=1).map(
    lambda counts: {code: count / sum(counts.values()) for code, count in counts.items()}
)


@given(mixes, mixes, mixes)
def test_total_variation_is_a_distance_between_0_and_1(a: dict, b: dict, c: dict) -> None:
    assert total_variation(a, a) == 0
    assert total_variation(a, b) == pytest.approx(total_variation(b, a))
    assert 0 <= total_variation(a, b) <= 1 + 1e-9
    assert total_variation(a, c) <= total_variation(a, b) + total_variation(b, c) + 1e-9


def test_mixes_without_a_common_code_are_as_far_apart_as_can_be() -> None:
    assert total_variation({1: 1.0}, {2: 0.5, 3: 0.5}) == pytest.approx(1)


def some(batch: Batch, rows: int, seed: int) -> Batch:
    """As many accounts of the same month, drawn at random."""
    chosen = np.random.default_rng(seed).choice(batch.rows, rows, replace=False)
    return replace(batch, columns={name: values[chosen] for name, values in batch.columns.items()})


@pytest.mark.parametrize("rows", [30, 100, 400])
def test_a_mix_of_codes_that_chance_explains_is_not_strange_on_few_rows(rows: int) -> None:
    may, june = snapshots()[:2]
    months = 200
    alarms = sum(
        any(rule == "mix of codes" for rule, _, _ in broken(some(june, rows, seed), [some(may, rows, seed + months)]))
        for seed in range(months)
    )
    assert alarms <= 0.03 * months


def test_the_real_change_of_coding_is_found_on_a_few_hundred_rows_too() -> None:
    *before, september = snapshots()
    assert ("mix of codes", "status_0", Ruling.HOLD) in broken(some(september, 600, 1), before)


def test_on_many_rows_the_policys_limit_stands() -> None:
    (limit,) = {m.high for m in measures(snapshots()[1], snapshots()[:1], LIMITS) if m.rule == "mix of codes"}
    assert limit == LIMITS.code_mix


@pytest.mark.parametrize(("turned", "strange"), [(100, False), (300, False), (301, True), (900, True)])
def test_outcomes_of_which_more_than_one_in_a_hundred_were_corrected_are_restated(turned: int, *, strange: bool) -> None:
    june = outcomes()[1]
    codes = june.columns["outcome_code"].copy()
    codes[:turned] = np.where(codes[:turned] == 0, 2, 0)
    corrected = changed(june, outcome_code=codes)
    found = [m for m in measures(corrected, outcomes()[:1], LIMITS, june) if m.rule == "restated"]
    assert [m.broken for m in found] == [strange]
    assert found[0].value == pytest.approx(turned / 30_000)


def test_rows_that_are_gone_are_restated_too_and_a_first_delivery_is_not() -> None:
    june = outcomes()[1]
    fewer = replace(june, columns={name: values[1_000:] for name, values in june.columns.items()})
    assert [m.value for m in measures(fewer, [], LIMITS, june) if m.rule == "restated"] == [pytest.approx(1 / 30)]
    assert [m for m in measures(june, outcomes()[:1], LIMITS) if m.rule == "restated"] == []
