from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.clock import Month
from models.errors import NotFound
from pipelines.simulation.pool import Pool, banded, fitted_log_odds, sigmoid, standardised
from pipelines.simulation.scenario import (
    CalibrationShift,
    ConceptShift,
    CovariateShift,
    LabelDelay,
    Ramp,
    Restatement,
    Scenario,
    Shift,
)
from pipelines.simulation.simulator import Simulator

FIRST, LATER = Month(2005, 5), Month(2005, 9)
LONG_AFTER = date(2010, 1, 1)
ROWS = 4_000


def made_up_pool() -> Pool:
    dice = np.random.default_rng(1)
    behind, usage = dice.integers(0, 3, ROWS), dice.random(ROWS)
    log_odds = -3 + 1.5 * behind + usage
    bad = dice.random(ROWS) < sigmoid(log_odds)
    accounts = np.array([f"A{number:05d}" for number in range(ROWS)])
    return Pool(
        columns={"account_id": accounts, "status_0": behind, "bill_0": usage},
        audit={"account_id": accounts, "age": dice.integers(20, 70, ROWS)},
        codes=np.where(bad, dice.integers(2, 5, ROWS), dice.integers(-2, 1, ROWS)),
        bad=bad,
        coding="repayment_status",
        log_odds=log_odds,
        factors={"behind": standardised(behind.astype(float)), "usage": standardised(usage)},
    )


POOL = made_up_pool()


def simulate(*shifts: Shift, seed: int = 7, accounts: int = 3_000) -> Simulator:
    return Simulator(POOL, Scenario("test", "test", FIRST, 12, accounts, seed, shifts))


def test_a_month_without_shifts_looks_like_the_pool() -> None:
    quiet = simulate(accounts=20_000)
    for month in quiet.months():
        drawn = quiet.cohort(month, LONG_AFTER).columns["status_0"]
        expected = np.bincount(POOL.columns["status_0"], minlength=3) / ROWS
        statistic = (20_000 * (np.bincount(drawn, minlength=3) / 20_000 - expected) ** 2 / expected).sum()
        assert statistic < 18.4, f"chi-squared with 2 degrees of freedom has a chance of .0001 to exceed 18.4 ({month})"
        assert abs(quiet.truth(month).bad.mean() - sigmoid(POOL.log_odds).mean()) < 4 * np.sqrt(0.25 / 20_000)


@given(share=st.integers(1, 8))
def test_a_ramp_is_nothing_before_its_start_and_whole_at_its_end(share: int) -> None:
    ramp = Ramp(LATER, share)
    assert ramp.share(LATER.plus(-1)) == 0
    assert ramp.share(LATER) == pytest.approx(1 / share)
    assert ramp.share(LATER.plus(share - 1)) == ramp.share(LATER.plus(40)) == 1


def test_a_covariate_shift_tilts_the_drawing_weights_and_leaves_the_relation_alone() -> None:
    shifted, quiet = simulate(CovariateShift(Ramp(LATER), {"usage": 0.5})), simulate()
    ratio = np.log(shifted.weights(LATER) * ROWS)
    slope = np.polyfit(POOL.factors["usage"], ratio, 1)[0]
    assert slope == pytest.approx(0.5)
    assert np.array_equal(shifted.probability(LATER), quiet.probability(LATER))
    assert np.array_equal(shifted.weights(LATER.plus(-1)), quiet.weights(LATER.plus(-1)))
    usage = [shifted.cohort(month, LONG_AFTER).columns["bill_0"].mean() for month in (FIRST, LATER)]
    assert usage[1] - usage[0] > 0.08


def test_a_concept_shift_adds_its_slope_and_keeps_the_bad_rate() -> None:
    shifted, quiet = simulate(ConceptShift(Ramp(LATER), {"behind": -0.6})), simulate()
    moved = np.log(1 / quiet.probability(LATER) - 1) - np.log(1 / shifted.probability(LATER) - 1)
    assert np.polyfit(POOL.factors["behind"], moved, 1)[0] == pytest.approx(-0.6)
    assert shifted.probability(LATER).mean() == pytest.approx(quiet.probability(LATER).mean())
    assert np.array_equal(shifted.probability(LATER.plus(-1)), quiet.probability(LATER.plus(-1)))
    assert np.array_equal(shifted.weights(LATER), quiet.weights(LATER))


def test_a_calibration_shift_multiplies_everybodys_odds_alike() -> None:
    shifted, quiet = simulate(CalibrationShift(Ramp(LATER), np.log(2))), simulate()
    odds = [p / (1 - p) for p in (quiet.probability(LATER), shifted.probability(LATER))]
    assert odds[1] / odds[0] == pytest.approx(np.full(ROWS, 2.0))


def test_a_shift_that_ramps_up_in_two_months_is_half_there_in_the_first() -> None:
    scenario = simulate(ConceptShift(Ramp(LATER, 2), {"behind": -0.8})).scenario
    assert [scenario.slopes(LATER.plus(n)) for n in (-1, 0, 1, 2)] == [{}, {"behind": -0.4}, {"behind": -0.8}, {"behind": -0.8}]


def test_outcomes_follow_the_stated_probability() -> None:
    truth = simulate(accounts=50_000).truth(LATER)
    for low in np.arange(0, 1, 0.1):
        band = (truth.probability >= low) & (truth.probability < low + 0.1)
        if band.sum() > 500:
            assert abs(truth.bad[band].mean() - truth.probability[band].mean()) < 4.5 * np.sqrt(0.25 / band.sum())


@given(late=st.integers(0, 3), month=st.integers(0, 11), wait=st.integers(0, 200))
def test_an_outcome_never_arrives_before_it_matured(late: int, month: int, wait: int) -> None:
    simulator = simulate(LabelDelay(LATER, late), accounts=5)
    cohort = FIRST.plus(month)
    as_of = date.fromordinal(cohort.last_day.toordinal() + wait)
    due = cohort.plus(1 + (late if cohort >= LATER else 0)).last_day
    assert simulator.reported_on(cohort) == due
    assert (simulator.cohort(cohort, as_of).outcome_codes is not None) == (as_of >= due)


def test_a_restatement_corrects_its_share_one_month_after_the_first_report() -> None:
    simulator = simulate(Restatement(LATER, 0.1), accounts=20_000)
    first = simulator.cohort(LATER, LATER.plus(1).last_day).outcome_codes
    later = simulator.cohort(LATER, LATER.plus(2).last_day).outcome_codes
    assert first is not None
    assert later is not None
    assert abs(((first >= 2) != (later >= 2)).mean() - 0.1) < 4.5 * np.sqrt(0.09 / 20_000)
    earlier = [simulator.cohort(FIRST, FIRST.plus(n).last_day).outcome_codes for n in (1, 2)]
    assert np.array_equal(earlier[0], earlier[1])


def test_codes_say_what_the_truth_says_and_keep_the_real_spelling() -> None:
    simulator = simulate(ConceptShift(Ramp(FIRST), {"behind": -0.8}))
    codes, truth = simulator.cohort(LATER, LONG_AFTER).outcome_codes, simulator.truth(LATER)
    assert codes is not None
    assert np.array_equal(codes >= 2, truth.bad)
    assert set(np.unique(codes)) == set(np.unique(POOL.codes))


def test_the_same_seed_gives_the_same_months_in_any_order_and_another_seed_others() -> None:
    one, two = simulate(), simulate()
    two.cohort(LATER.plus(2), LONG_AFTER)
    for name, values in one.cohort(LATER, LONG_AFTER).columns.items():
        assert np.array_equal(values, two.cohort(LATER, LONG_AFTER).columns[name])
    assert np.array_equal(one.truth(LATER).bad, two.truth(LATER).bad)
    assert not np.array_equal(one.truth(LATER).bad, simulate(seed=8).truth(LATER).bad)


def test_a_second_copy_of_an_account_has_a_number_of_its_own() -> None:
    accounts = simulate(accounts=3 * ROWS).cohort(LATER, LONG_AFTER).columns["account_id"]
    assert len(np.unique(accounts)) == 3 * ROWS
    assert any(account.endswith("-2") for account in accounts)


def test_rows_stay_whole_and_audit_columns_stay_apart() -> None:
    cohort = simulate().cohort(LATER, LONG_AFTER)
    original = np.array([int(account[1:6]) for account in cohort.columns["account_id"]])
    for name in ("status_0", "bill_0"):
        assert np.array_equal(cohort.columns[name], POOL.columns[name][original])
    assert np.array_equal(cohort.audit["age"], POOL.audit["age"][original])
    assert np.array_equal(cohort.audit["account_id"], cohort.columns["account_id"])
    assert "age" not in cohort.columns


def test_a_month_is_not_there_before_its_last_day() -> None:
    with pytest.raises(NotFound, match="no cohort 2005-09 as of 2005-09-29"):
        simulate().cohort(LATER, date(2005, 9, 29))


def test_the_stated_model_reproduces_the_bad_rate_of_every_band() -> None:
    bands = [POOL.columns["status_0"], banded(POOL.columns["bill_0"])]
    probability = sigmoid(fitted_log_odds(bands, POOL.bad, penalty=1e-6))
    for band in bands:
        for value in np.unique(band):
            assert probability[band == value].mean() == pytest.approx(POOL.bad[band == value].mean(), abs=1e-6)
