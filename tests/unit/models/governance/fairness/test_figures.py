"""What limits say of a figure; and a small cohort whose every figure was worked out by hand."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.credit_default.contract import CONTRACT
from models.credit_default.policy import POLICY
from models.evaluation import Estimate
from models.governance.fairness.figures import Figure, Kind, Verdict, bounds, judge, missing, rule, worst
from models.governance.fairness.groups import (
    NOT_RECORDED,
    Decided,
    band_names,
    compare,
    groups,
    intersections,
    other_reading,
    pairs,
    reference,
    table,
)
from models.policy import Action, FairnessLimits

LIMITS: FairnessLimits = POLICY.fairness.model_copy(update={"minimum_cell": 4, "minimum_outcomes": 2})  # type: ignore[union-attr]


def figure(value: float, low: float, high: float, kind: Kind = Kind.IMPACT_RATIO, column: str = "sex") -> Figure:
    return Figure("a sample", kind, column, "male", "female", 1_000, Estimate(value, low, high), "a fixture")


def decided(keep: str, bad: str) -> Decided:
    """One character an account: k, r or R for the decision; 1 for a bad outcome."""
    by_letter = {"k": (0.01, Action.KEEP), "r": (0.15, Action.REVIEW), "R": (0.6, Action.REDUCE)}
    probability = np.array([by_letter[letter][0] for letter in keep])
    accounts = np.array([f"A{number}" for number in range(len(keep))])
    actions = np.array([by_letter[letter][1].value for letter in keep])
    return Decided.of(LIMITS, accounts, probability, actions, np.array([letter == "1" for letter in bad]))


# Ten women, eight favoured: 7 of 8 goods and 1 of 2 bads. Ten men, five favoured: 4 of 6 goods and 1 of 4 bads.
COHORT = decided("kkkkkkkrkR" + "kkkkrRkRRR", "0000000011" + "0000001111")
SEX = np.repeat(["female", "male"], 10)


def by_kind(figures: list[Figure], group: str) -> dict[Kind, Figure]:
    return {each.kind: each for each in figures if each.group == group}


def test_the_figures_of_a_small_cohort_worked_out_by_hand() -> None:
    found = by_kind(compare("a sample", COHORT, "sex", SEX, LIMITS, 0.95), "male")
    # 5 of 10 against 8 of 10 favoured
    assert found[Kind.IMPACT_RATIO].estimate.value == pytest.approx(0.5 / 0.8)
    # Fisher, margins 10, 10, 13: p = sum over tables no likelier than (5, 8); C(10,5)C(10,8) = 11,340 of C(20,13) = 77,520
    assert found[Kind.IMPACT_RATIO].p_value == pytest.approx(2 * (11_340 + 2_100 + 120) / 77_520)
    # bads not favoured: 3 of 4 against 1 of 2; goods not favoured: 2 of 6 against 1 of 8
    assert found[Kind.TRUE_POSITIVE_GAP].estimate.value == pytest.approx(3 / 4 - 1 / 2)
    assert found[Kind.FALSE_POSITIVE_GAP].estimate.value == pytest.approx(2 / 6 - 1 / 8)
    # predicted: (5 x .01 + .15 + 4 x .6) / 10 = .26 against 4 of 10 bads
    assert found[Kind.CALIBRATION_RATIO].estimate.value == pytest.approx(0.26 / 0.4)
    # higher log-odds for men: they are thought riskier
    assert found[Kind.SCORE_DIFFERENCE].estimate.value > 0.5


def test_a_figure_says_its_number_and_what_it_was_computed_from() -> None:
    """error^2 = 1/5 - 1/10 + 1/8 - 1/10 = .125; exp(1.959964 sqrt(.125)) = 1.99965; .625 / 1.99965 = .313."""
    found = by_kind(compare("a sample", COHORT, "sex", SEX, LIMITS, 0.95), "male")
    assert found[Kind.IMPACT_RATIO].sentence == (
        "Adverse impact ratio of sex male against female (a sample) is 0.625 (interval 0.313 to 1.250), from 5 of 10 against"
        " 8 of 10 accounts favoured, Katz log interval, Fisher's exact p = 0.35."
    )


def test_the_reference_group_is_only_checked_for_its_calibration() -> None:
    assert set(by_kind(compare("a sample", COHORT, "sex", SEX, LIMITS, 0.95), "female")) == {Kind.CALIBRATION_RATIO}


def test_review_counts_as_the_policy_says_and_the_other_reading_is_told() -> None:
    milder = LIMITS.model_copy(update={"favourable": (Action.KEEP, Action.REVIEW)})
    assert (LIMITS.favourable, COHORT.favoured.sum()) == ((Action.KEEP,), 13)
    again = Decided.of(milder, COHORT.accounts, COHORT.probability, COHORT.actions, COHORT.bad)
    assert again.favoured.sum() == 15
    # six of ten men are kept or reviewed, nine of ten women
    assert "Were review counted as favourable, the lowest adverse impact ratio would be 0.667" in other_reading(
        COHORT, {"sex": SEX}, LIMITS, 0.95
    )
    assert "Were review counted as not favourable, the lowest adverse impact ratio would be 0.625" in other_reading(
        again, {"sex": SEX}, milder, 0.95
    )


def test_the_reference_is_the_group_that_the_policy_names() -> None:
    of_row = np.repeat(["a", "b", "c"], [4, 12, 4])
    found = decided("kkkk" + "kkkkkkrrrrrr" + "rrrr", "0" * 20)
    for rule_, expected in (("highest_rate", "a"), ("largest", "b")):
        assert reference(found, of_row, LIMITS.model_copy(update={"reference": rule_})) == expected


def test_a_handful_of_accounts_is_no_yardstick() -> None:
    of_row = np.repeat(["few", "many"], [4, 16])
    found = decided("kkkk" + "kkkkkkkkrrrrrrrr", "0" * 20)
    assert reference(found, of_row, LIMITS) == "few"
    assert reference(found, of_row, LIMITS.model_copy(update={"reference_share": 0.25})) == "many"
    assert reference(found, of_row, LIMITS.model_copy(update={"minimum_cell": 5})) == "many"
    assert reference(found, of_row, LIMITS.model_copy(update={"minimum_cell": 17})) == ""


def test_those_of_whom_nothing_is_recorded_are_no_yardstick_either() -> None:
    of_row = np.repeat([NOT_RECORDED, "many"], [8, 12])
    assert reference(decided("kkkkkkkk" + "kkkkrrrrrrrr", "0" * 20), of_row, LIMITS) == "many"


def test_a_cell_that_is_too_small_has_no_number_and_never_passes() -> None:
    few = LIMITS.model_copy(update={"minimum_cell": 11})
    found = compare("a sample", COHORT, "sex", SEX, few, 0.95)
    assert all(each.shortfall and np.isnan(each.estimate.value) for each in found)
    assert {ruling.verdict for ruling in judge(found, few)} == {Verdict.INSUFFICIENT}
    assert [set(row) for row in table(COHORT, "sex", SEX, few, 0.95)] == [{"column", "group", "accounts", "reference"}] * 2


def test_too_few_bads_in_the_reference_leave_the_gap_open() -> None:
    found = by_kind(compare("a", COHORT, "sex", SEX, LIMITS.model_copy(update={"minimum_outcomes": 3}), 0.95), "male")
    assert found[Kind.TRUE_POSITIVE_GAP].shortfall == "2 bad accounts in female, 3 needed"
    assert not found[Kind.FALSE_POSITIVE_GAP].shortfall


def test_crossings_are_judged_cell_by_cell_and_small_cells_as_one() -> None:
    """Of ten women five are young, one is old; the men are all young."""
    age = np.repeat(["young", "middle", "old", "young"], [5, 4, 1, 10])
    found = intersections("a sample", COHORT, {"sex": SEX, "age": age}, LIMITS, 0.95)
    assert {each.column for each in found} == {"sex x age"}
    given_ = {each.group: each for each in found}
    # women: the five young ones are all favoured, so they are the reference; of the middle four, three
    assert given_["female, middle"].estimate.value == pytest.approx(0.75)
    assert given_["male, young"].estimate.value == pytest.approx(0.5)
    assert given_["in 1 small cells"].shortfall == "fewer than 4 accounts in each"


def test_codes_of_one_meaning_are_one_group_and_unknown_accounts_one_of_their_own() -> None:
    audit = {"education": np.array([0, 5, 6, 1, 2]), "age": np.array([25, 26, 61, 62, 40])}
    known = np.array([True, True, True, True, False])
    found = groups(CONTRACT, LIMITS, audit, known)
    assert found["education"].tolist() == ["unknown"] * 3 + ["graduate school", "not recorded"]
    assert found["age"].tolist() == ["18 to 25", "26 to 30", "51 to 61", "62 and over", "not recorded"]


def test_bands_leave_no_age_out() -> None:
    assert band_names((18, 26, 62)) == ["under 18", "18 to 25", "26 to 61", "62 and over"]


def test_pairs_are_every_two_columns() -> None:
    found = pairs({"sex": np.array(["f"]), "age": np.array(["old"]), "marriage": np.array(["single"])})
    assert {name: labels.tolist() for name, labels in found.items()} == {
        "sex x age": ["f, old"],
        "sex x marriage": ["f, single"],
        "age x marriage": ["old, single"],
    }


@pytest.mark.parametrize(
    ("estimate", "verdict"),
    [
        ((0.9, 0.81, 0.99), Verdict.WITHIN),
        ((0.9, 0.79, 1.01), Verdict.INSUFFICIENT),
        ((0.79, 0.70, 0.88), Verdict.OUTSIDE),
        ((nan, nan, nan), Verdict.INSUFFICIENT),
        ((0.9, nan, nan), Verdict.INSUFFICIENT),
    ],
)
def test_the_whole_interval_must_be_inside(estimate: tuple[float, float, float], verdict: Verdict) -> None:
    assert rule(figure(*estimate), "here", 0.8, inf).verdict is verdict


def test_a_ruling_names_its_gate_its_limit_and_its_jurisdiction() -> None:
    found = rule(figure(0.79, 0.70, 0.88), "US", 0.8, inf)
    assert found.gate == "fairness.impact_ratio"
    assert found.why == "US asks all of it to be >= 0.8: outside."


def test_each_jurisdiction_has_its_own_limits_and_columns() -> None:
    """The same figure is within limits in one country, outside in another, and of no concern in a third."""
    rulings = judge([figure(0.85, 0.82, 0.88), figure(0.5, 0.4, 0.6, column="education")], LIMITS)
    assert {(each.jurisdiction, each.figure.column): each.verdict for each in rulings} == {
        ("US", "sex"): Verdict.WITHIN,
        ("EU", "sex"): Verdict.OUTSIDE,
        ("house", "sex"): Verdict.WITHIN,
        ("house", "education"): Verdict.OUTSIDE,
    }


def test_a_crossing_is_judged_where_both_of_its_columns_are() -> None:
    rulings = judge([figure(0.85, 0.82, 0.88, column="sex x marriage")], LIMITS)
    assert {each.jurisdiction for each in rulings} == {"US", "house"}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.ALTERNATIVE])
def test_every_kind_has_limits_that_perfect_equality_keeps(kind: Kind) -> None:
    equal = {Kind.IMPACT_RATIO: 1.0, Kind.CALIBRATION_RATIO: 1.0, Kind.PROXY_AUC: 0.5}.get(kind, 0.0)
    for limits in LIMITS.jurisdictions.values():
        low, high = bounds(limits, kind)
        assert low < equal < high


def test_nothing_judged_is_insufficient() -> None:
    assert worst([]) is Verdict.INSUFFICIENT


def test_the_worst_verdict_counts() -> None:
    kinds = (figure(0.9, 0.85, 0.95), figure(0.9, 0.7, 1.0), figure(0.5, 0.4, 0.6))
    rulings = [rule(each, "here", 0.8, inf) for each in kinds]
    assert [worst(rulings[:count]) for count in (1, 2, 3)] == [Verdict.WITHIN, Verdict.INSUFFICIENT, Verdict.OUTSIDE]
    assert rule(missing("a", Kind.IMPACT_RATIO, "sex", "male", 3, "too few"), "here", 0.8, inf).verdict is Verdict.INSUFFICIENT


@given(st.floats(0.1, 2), st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 1.5))
def test_a_wider_interval_never_turns_into_a_pass(value: float, below: float, above: float, limit: float) -> None:
    narrow = rule(figure(value, value - below / 2, value + above / 2), "here", limit, inf).verdict
    wide = rule(figure(value, value - below, value + above), "here", limit, inf).verdict
    assert narrow is Verdict.WITHIN or wide is not Verdict.WITHIN
