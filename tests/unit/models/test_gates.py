import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalog import find
from models.gates import COMPARISONS, EXCUSABLE, FLOORS, PROOFS, Check, HeldOut, Outcome, Parity, conclude, decide

NEEDED = FLOORS + PROOFS
LIMITS = find("credit_default").policy.gates.model_copy(update={"minimum_bad": 100})
ROWS = 4000
ACCOUNTS = np.arange(ROWS)
EXACT = Parity(ROWS, 1e-15, 0)
_rng = np.random.default_rng(0)
TRUTH = _rng.normal(-1.5, 1.5, ROWS)
BAD = _rng.random(ROWS) < 1 / (1 + np.exp(-TRUTH))


def probability(log_odds):
    return 1 / (1 + np.exp(-log_odds))


def model(noise=0.0, shift=0.0, stretch=1.0, seed=1):
    """A model that sees the truth through noise: more noise, less discrimination; calibrated unless shifted or stretched."""
    seen = TRUTH + np.random.default_rng(seed).normal(0, noise, ROWS) if noise else TRUTH
    spread = 1.5**2 / (1.5**2 + noise**2)
    return probability((-1.5 + (seen + 1.5) * spread) * stretch + shift)


GOOD = model(noise=0.5)


SHOWN = tuple(Check(name, 0.0, "0", True, f"{name} holds.") for name in PROOFS)


def judge(challenger, champion=None, parity=EXACT, limits=LIMITS, bad=BAD, proofs=SHOWN, **more):
    return decide(limits, bad, challenger, champion, ACCOUNTS, parity, proofs=proofs, **more)


def failed(decision):
    return {check.name for check in decision.checks if not check.passed}


def test_a_sound_first_model_is_promoted():
    decision = judge(GOOD)
    assert decision.outcome is Outcome.PROMOTE
    assert [check.name for check in decision.checks] == [*FLOORS, *PROOFS]
    assert decision.sentence == "Promote: every floor holds and there is no champion yet."


@pytest.mark.parametrize(
    ("challenger", "floor"),
    [
        (model(noise=8.0), "auc"),
        (model(shift=1.2), "brier_ratio"),
        (model(stretch=1.6), "calibration_slope"),
        (model(stretch=0.6), "calibration_slope"),
        (model(shift=0.6), "calibration_intercept"),
        (model(shift=-0.6), "calibration_intercept"),
    ],
)
def test_a_model_that_breaks_a_floor_is_refused_whether_there_is_a_champion_or_not(challenger, floor):
    limits = LIMITS.model_copy(update={"brier_ceiling_ratio": 0.8})
    for champion in (None, model(noise=9.0)):
        decision = judge(challenger, champion, limits=limits)
        assert decision.outcome is Outcome.REFUSE
        assert floor in failed(decision)


def test_a_floor_counts_at_the_worse_end_of_the_interval():
    auc = next(check for check in judge(GOOD).checks if check.name == "auc")
    assert judge(GOOD, limits=LIMITS.model_copy(update={"auc_floor": auc.value})).outcome is Outcome.PROMOTE
    assert judge(GOOD, limits=LIMITS.model_copy(update={"auc_floor": auc.value + 1e-6})).outcome is Outcome.REFUSE


def test_too_few_bad_outcomes_decide_nothing():
    decision = judge(GOOD, limits=LIMITS.model_copy(update={"minimum_bad": int(BAD.sum()) + 1}))
    assert decision.outcome is Outcome.REFUSE
    assert failed(decision) == {"outcomes"}


@pytest.mark.parametrize(
    ("parity", "broken"),
    [
        (None, {"parity", "same_decisions"}),
        (Parity(ROWS, 2e-9, 0), {"parity"}),
        (Parity(ROWS, float("nan"), 0), {"parity"}),
        (Parity(ROWS, 0.0, 1), {"same_decisions"}),
        (Parity(ROWS - 1, 0.0, 0), {"parity", "same_decisions"}),
    ],
)
def test_a_graph_that_was_not_proven_equal_to_its_estimator_is_refused(parity, broken):
    decision = judge(GOOD, parity=parity)
    assert decision.outcome is Outcome.REFUSE
    assert failed(decision) == broken


def test_a_proven_gain_replaces_the_champion():
    decision = judge(GOOD, model(noise=1.5))
    assert decision.outcome is Outcome.PROMOTE
    assert decision.sentence.startswith("Promote: A proven gain: AUC gain +0.0")


def test_better_calibration_alone_is_a_reason_to_change():
    decision = judge(GOOD, probability(np.log(GOOD / (1 - GOOD)) + 0.25))
    assert decision.outcome is Outcome.PROMOTE
    assert failed(decision) == set()


def test_a_challenger_that_scores_like_the_champion_is_not_worth_a_change():
    decision = judge(GOOD, GOOD.copy())
    assert decision.outcome is Outcome.KEEP
    assert failed(decision) == {"reason_to_change"}


def test_a_challenger_as_good_as_the_champion_is_not_worth_a_change():
    decision = judge(model(noise=0.05, seed=2), model(noise=0.05, seed=3))
    assert decision.outcome is Outcome.KEEP
    assert failed(decision) == {"reason_to_change"}


def test_a_sound_challenger_worse_than_the_champion_is_kept_out():
    decision = judge(model(noise=0.7), GOOD)
    assert decision.outcome is Outcome.KEEP
    assert failed(decision) == {"auc_gain", "brier_gain", "reason_to_change"}


def test_a_champion_that_breaks_a_floor_is_reason_enough():
    low, high = model(noise=0.5, shift=-0.15), model(noise=0.5, shift=0.15)
    assert judge(low, high).outcome is Outcome.KEEP
    narrow = LIMITS.model_copy(update={"calibration_intercept": (-0.1, 0.35), "brier_margin": 0.01})
    decision = judge(low, high, limits=narrow)
    assert decision.outcome is Outcome.PROMOTE
    assert "The champion itself breaks a floor: Calibration intercept is -0.1" in decision.sentence


def test_a_champion_made_for_another_definition_is_not_blamed_for_it():
    low, high = model(noise=0.5, shift=-0.15), model(noise=0.5, shift=0.15)
    narrow = LIMITS.model_copy(update={"calibration_intercept": (-0.1, 0.35), "brier_margin": 0.01})
    changed = "The outcome definition changed from 1 to 2 after the champion was trained."
    decision = judge(low, high, limits=narrow, redefined=changed)
    assert decision.outcome is judge(low, high, limits=narrow).outcome is Outcome.PROMOTE
    assert decision.sentence.startswith(f"Promote: {changed} ")
    assert "By the new definition the champion breaks a floor: Calibration intercept is -0.1" in decision.sentence
    assert "itself" not in decision.sentence


def test_a_definition_that_changed_is_told_but_is_no_reason_by_itself():
    changed = "The outcome definition changed from 1 to 2 after the champion was trained."
    decision = judge(GOOD, GOOD.copy(), redefined=changed)
    assert decision.outcome is Outcome.KEEP
    assert decision.sentence.startswith(f"Keep: {changed} No proven gain")


HALF = ACCOUNTS % 2 == 0
CALIBRATED = HeldOut(BAD[HALF], GOOD[HALF], ACCOUNTS[HALF])


def test_calibration_is_judged_on_the_model_that_would_be_deployed_and_out_of_time():
    shifted = model(noise=0.5, shift=0.6)
    assert failed(judge(GOOD, deployed=HeldOut(BAD[HALF], shifted[HALF], ACCOUNTS[HALF]))) == {"calibration_intercept"}
    decision = judge(shifted, deployed=CALIBRATED)
    assert (decision.outcome, failed(decision)) == (Outcome.REFUSE, {"out_of_time_intercept"})
    stretched = judge(model(noise=0.5, stretch=0.6), deployed=CALIBRATED)
    assert (stretched.outcome, failed(stretched) & {"out_of_time_slope"}) == (Outcome.REFUSE, {"out_of_time_slope"})


def test_the_limits_out_of_time_are_the_policys_own():
    wide = LIMITS.model_copy(update={"out_of_time_intercept": (-0.9, 0.9)})
    assert judge(model(noise=0.5, shift=0.6), limits=wide, deployed=CALIBRATED).outcome is Outcome.PROMOTE
    silent = LIMITS.model_copy(update={"out_of_time_intercept": None, "out_of_time_slope": None})
    assert failed(judge(model(noise=0.5, shift=0.6), limits=silent, deployed=CALIBRATED)) == {"out_of_time_intercept"}


def test_where_the_level_moved_for_the_champion_too_it_does_not_refuse_but_stays_open():
    """To keep a champion that is as far out would help nobody: what is deployed is calibrated on the newest month."""
    decision = judge(model(noise=0.5, shift=0.8), model(noise=1.5, shift=1.3), deployed=CALIBRATED)
    assert decision.outcome is Outcome.PROMOTE
    assert failed(decision) == {"out_of_time_intercept"}
    assert "on the same accounts: the level moved for both." in decision.sentence
    assert decision.to_dict()["outcome"] == "promote"


def test_a_challenger_that_is_further_out_than_the_champion_is_refused():
    decision = judge(model(noise=0.5, shift=1.2), model(noise=1.5, shift=0.6), deployed=CALIBRATED)
    assert decision.outcome is Outcome.REFUSE
    assert "out_of_time_intercept" in failed(decision)
    assert not any(check.excused for check in decision.checks)


def test_no_other_check_can_be_excused_and_none_without_a_champion():
    checks = judge(GOOD, model(noise=1.5)).checks
    assert conclude(checks, against_champion=True) is Outcome.PROMOTE
    for name in NEEDED:
        broken = [replace(check, passed=False, excused=True) if check.name == name else check for check in checks]
        assert (conclude(broken, against_champion=True) is Outcome.PROMOTE) == (name in EXCUSABLE)
    alone = [replace(check, passed=check.name not in EXCUSABLE, excused=True) for check in judge(GOOD).checks]
    assert conclude(alone, against_champion=False) is Outcome.REFUSE


def test_a_refit_that_no_longer_discriminates_does_not_hide_behind_its_candidate():
    half = ACCOUNTS % 2 == 0
    decision = judge(GOOD, deployed=HeldOut(BAD[half], model(noise=8.0)[half], ACCOUNTS[half]))
    assert decision.outcome is Outcome.REFUSE
    assert "deployed_auc" in failed(decision)
    assert "auc" not in failed(decision)


def test_a_held_out_sample_too_small_to_prove_calibration_refuses():
    few = slice(0, 60)
    decision = judge(GOOD, deployed=HeldOut(BAD[few], GOOD[few], ACCOUNTS[few]))
    assert decision.outcome is Outcome.REFUSE


@given(st.integers(0, ROWS - 1), st.sampled_from([np.nan, np.inf, -0.1, 1.1]), st.sampled_from(["challenger", "champion"]))
def test_a_single_broken_probability_refuses(row, poison, whose):
    scores = {"challenger": GOOD.copy(), "champion": model(noise=1.5)}
    scores[whose][row] = poison
    decision = judge(**scores)
    assert decision.outcome is Outcome.REFUSE
    assert decision.sentence == "Refuse: Not all rows have a known outcome and a probability from every model."


def test_an_unknown_outcome_refuses():
    unknown = BAD.astype(float)
    unknown[0] = np.nan
    assert judge(GOOD, bad=unknown).outcome is Outcome.REFUSE


def test_scores_of_other_rows_refuse():
    assert judge(GOOD, champion=GOOD[:-1]).outcome is Outcome.REFUSE
    assert decide(LIMITS, BAD, GOOD, None, ACCOUNTS[:-1], EXACT).outcome is Outcome.REFUSE


def test_nothing_to_judge_refuses():
    nothing = np.zeros(0)
    assert decide(LIMITS, nothing.astype(bool), nothing, None, nothing, Parity(0, 0.0, 0)).outcome is Outcome.REFUSE


@pytest.mark.parametrize("bad", [np.zeros(ROWS, dtype=bool), np.ones(ROWS, dtype=bool)])
def test_one_kind_of_outcome_refuses(bad):
    assert judge(GOOD, bad=bad).outcome is Outcome.REFUSE


def test_a_decision_is_plain_json_even_where_a_figure_is_missing():
    told = json.loads(json.dumps(judge(GOOD, parity=None).to_dict(), allow_nan=False))
    assert told["outcome"] == "refuse"
    assert {check["name"]: check["value"] for check in told["checks"]}["parity"] is None


@pytest.mark.parametrize("limit", ["auc_floor", "brier_ceiling_ratio", "auc_margin", "brier_margin"])
def test_a_limit_that_is_not_a_number_lets_nothing_through(limit):
    broken = LIMITS.model_copy(update={limit: float("nan")})
    assert judge(GOOD, model(noise=1.5), limits=broken).outcome is not Outcome.PROMOTE


def passing(*names):
    return [Check(name, 0.0, "", passed=True, sentence="") for name in names]


@given(st.sets(st.sampled_from(NEEDED + COMPARISONS)), st.booleans())
def test_only_the_full_set_of_passed_checks_promotes(names, against_champion):
    expected = set(NEEDED + COMPARISONS) if against_champion else set(NEEDED)
    outcome = conclude(passing(*names), against_champion=against_champion)
    assert (outcome is Outcome.PROMOTE) == (names == expected)


@given(st.sampled_from(NEEDED + COMPARISONS), st.sampled_from([float("nan"), float("inf")]))
def test_any_figure_that_is_missing_refuses(name, figure):
    checks = [replace(c, value=figure) if c.name == name else c for c in passing(*NEEDED, *COMPARISONS)]
    assert conclude(checks, against_champion=True) is Outcome.REFUSE


@given(st.sets(st.sampled_from(NEEDED + COMPARISONS), min_size=1))
def test_any_failed_check_stops_the_promotion(broken):
    checks = [replace(c, passed=c.name not in broken) for c in passing(*NEEDED, *COMPARISONS)]
    outcome = conclude(checks, against_champion=True)
    assert outcome is (Outcome.REFUSE if broken & set(NEEDED) else Outcome.KEEP)


def test_a_check_made_twice_refuses():
    assert conclude(passing(*NEEDED, "auc"), against_champion=False) is Outcome.REFUSE


@settings(max_examples=15)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(-0.1, 0.1), st.integers(0, 50))
def test_two_models_never_replace_each_other(one, other, shift, seed):
    ours, theirs = model(noise=one, seed=seed), model(noise=other, shift=shift, seed=seed + 1)
    assert {judge(ours, theirs).outcome, judge(theirs, ours).outcome} != {Outcome.PROMOTE}


def test_a_gain_in_one_measure_does_not_outweigh_a_loss_in_the_other():
    ranks_better = model(noise=0.5, shift=0.35)
    calibrated = model(noise=0.52)
    wide = dict.fromkeys(("calibration_intercept", "out_of_time_intercept"), (-0.5, 0.5))
    generous = LIMITS.model_copy(update={"brier_margin": 0.05, **wide})
    decision = judge(ranks_better, calibrated, limits=generous)
    assert decision.outcome is Outcome.KEEP
    assert "A proven gain, but a proven loss as well" in decision.sentence


@pytest.mark.parametrize("name", PROOFS)
def test_what_the_sealed_bundle_must_show_is_as_binding_as_a_floor(name):
    without = tuple(check for check in SHOWN if check.name != name)
    broken = (*without, Check(name, 1.0, "0", False, "It does not hold."))

    assert judge(GOOD, proofs=without).outcome is Outcome.REFUSE
    assert judge(GOOD, proofs=broken).outcome is Outcome.REFUSE
    assert judge(GOOD, proofs=broken).sentence == "Refuse: It does not hold."
