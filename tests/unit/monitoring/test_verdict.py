from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.credit_default import USE_CASE
from models.governance.ledger import Hold
from monitoring.drift import Shift, shift
from monitoring.findings import Evidence, judge
from monitoring.performance import Attribution, Figures, Performance, Reading
from monitoring.verdict import Finding, Level, Suggestion, Verdict, apart, counted, overall, short, weigh

LIMITS = USE_CASE.policy.monitoring
HOLD = Hold("2005-09", "the coding of status_0 seems to have changed", "2005-10-01T00:00:00+00:00")
STILL = [9_000, 1_000]


def moved(name: str, current: Sequence[int] = (9_000, 1_000)) -> Shift:
    return shift(name, {"edges": [1.0], "counts": STILL}, np.array(current), LIMITS, columns=5)


def coded(current: Sequence[int]) -> Shift:
    return shift("status_0", {"codes": [0, 1, 2], "counts": [9_000, 10, 990, 0]}, np.array(current), LIMITS, columns=5)


def reading(definition: int, auc: float | None = 0.87, actual: float = 0.14, rows: int = 10_000) -> Reading:
    high = None if auc is None else auc + 0.01
    figures = Figures(
        rows=rows,
        bad=int(rows * actual),
        predicted=0.14,
        actual=actual,
        brier=0.1,
        auc=auc,
        auc_low=auc,
        auc_high=high,
        auc_error=0.005,
    )
    return Reading(definition=definition, rule=f"definition {definition}", populations={"all": figures})


def realised(as_coded: Reading, comparable: Reading | None = None, trained_on: int = 1) -> Performance:
    return Performance(
        matured_at="2005-09-30",
        coding="repayment_status",
        as_coded=as_coded,
        comparable=comparable,
        note="No comparable figures exist: the outcome is something else.",
        reference_definition=trained_on,
        reference={"auc": 0.87, "auc_error": 0.004},
        attribution=Attribution(total=0.0, definition=0.0, model=0.0),
        unmatched=0,
    )


def verdict(**changes: Any) -> Verdict:
    known: dict[str, Any] = {
        "month": "2005-08",
        "decisions": 10_000,
        "accounts": 10_000,
        "score": moved("probability"),
        "inputs": [moved("bill_0")],
        "actions": moved("action"),
        "performance": None,
        "maturity": "Outcomes mature on 2005-09-30; until then they are unknown, not good.",
    }
    return judge(Evidence(**known | changes), LIMITS)


def kinds(found: Verdict) -> list[str]:
    return [finding.kind for finding in found.findings]


def test_a_month_like_the_training_is_green_and_says_when_its_outcomes_are_known() -> None:
    found = verdict()
    assert (found.level, found.suggests, found.findings) == (Level.GREEN, Suggestion.NONE, ())
    assert found.sentence.startswith("All quiet: 10,000 decisions look like the training data")
    assert "unknown, not good" in found.sentence


def test_a_quiet_matured_month_says_what_was_realised() -> None:
    found = verdict(performance=realised(reading(1), reading(2)))
    assert found.level is Level.GREEN
    assert "AUC .87, .87 at training; 14.0 % went bad, 14.0 % were predicted." in found.sentence


def test_a_month_without_decisions_is_an_alarm_and_nothing_to_train_on() -> None:
    found = verdict(decisions=0, score=None, inputs=[], actions=None)
    assert (found.level, found.suggests) == (Level.RED, Suggestion.WAIT)
    assert found.sentence == "No decisions were logged for 2005-08."


def test_too_few_decisions_are_neither_good_nor_bad() -> None:
    found = verdict(decisions=100, score=moved("probability", [90, 10]), inputs=[moved("bill_0", [10, 90])])
    assert (found.level, kinds(found)) == (Level.AMBER, ["insufficient"])


def test_a_warning_about_an_input_says_that_the_score_has_not_moved() -> None:
    found = verdict(inputs=[moved("payment_0", [7_800, 2_200])])
    assert (found.level, found.suggests) == (Level.AMBER, Suggestion.NONE)
    assert found.sentence == "payment_0 has shifted (PSI .11, limit .10), the score has not."


def test_a_large_shift_suggests_to_retrain() -> None:
    found = verdict(score=moved("probability", [6_000, 4_000]))
    assert (found.level, found.suggests) == (Level.RED, Suggestion.RETRAIN)
    assert "The score has shifted" in found.sentence


def test_shifted_inputs_are_told_together() -> None:
    names = ["bill_0", "bill_1", "payment_0"]
    found = verdict(inputs=[moved(name, [6_000, 4_000]) for name in names])
    assert found.sentence.startswith("Inputs have shifted: bill_0 PSI .5")
    assert "and 1 more" in found.sentence


def test_the_mix_of_decisions_alone_never_alarms() -> None:
    assert verdict(actions=moved("action", [4_000, 6_000])).level is Level.AMBER


def test_a_changed_coding_is_named_with_its_code_and_waits_for_a_person() -> None:
    found = verdict(inputs=[coded([8_000, 1_200, 800, 0])])
    assert (found.level, found.suggests) == (Level.RED, Suggestion.WAIT)
    assert found.sentence == "status_0 is coded differently: code 1 makes up 12.0 % of the rows, 0.1 % at training."


def test_codes_that_all_stay_in_use_may_also_be_other_customers() -> None:
    found = verdict(inputs=[coded([7_500, 10, 2_490, 0])])
    assert "status_0 has another mix of codes: code 2 makes up 24.9 %" in found.sentence
    assert "Its coding has changed, or the customers have." in found.sentence


def test_a_changed_coding_that_a_person_accepted_is_a_reason_to_retrain() -> None:
    found = verdict(inputs=[coded([8_000, 1_200, 800, 0])], recoding_accepted=True)
    assert (found.level, found.suggests) == (Level.RED, Suggestion.RETRAIN)


def test_even_one_unknown_code_is_an_alarm() -> None:
    found = verdict(inputs=[coded([8_999, 10, 990, 1])])
    assert (found.level, found.suggests, kinds(found)) == (Level.RED, Suggestion.WAIT, ["unseen_code"])


def test_an_open_hold_outranks_everything_and_ends_the_sentence() -> None:
    found = verdict(score=moved("probability", [6_000, 4_000]), holds=[HOLD])
    assert (found.level, found.suggests) == (Level.HELD, Suggestion.WAIT)
    assert found.sentence.endswith("Retraining is held: the coding of status_0 seems to have changed (2005-09).")


def test_the_months_own_hold_is_told_first() -> None:
    own = Hold("2005-08", "the coding of the outcome seems to have changed", HOLD.opened_at)
    assert verdict(holds=[HOLD, own]).sentence == (
        "Retraining is held: the coding of the outcome seems to have changed (2005-08). 1 more hold open."
    )


def test_a_fall_in_both_readings_is_the_models() -> None:
    found = verdict(performance=realised(reading(1, auc=0.78), reading(2, auc=0.79)))
    assert (kinds(found), found.level, found.suggests) == (["auc_drop"], Level.RED, Suggestion.RETRAIN)
    assert "AUC fell to .78 from .87" in found.sentence


def test_a_fall_as_coded_alone_is_the_definitions() -> None:
    found = verdict(performance=realised(reading(1, auc=0.78, actual=0.227), reading(2, auc=0.88, actual=0.104)))
    assert (kinds(found), found.level, found.suggests) == (["definition"], Level.AMBER, Suggestion.WAIT)
    assert "AUC is .78 as coded, .88 read comparably (.87 at training); 22.7 % and 10.4 % went bad." in found.sentence


def test_a_champion_trained_on_the_comparable_definition_is_judged_by_it() -> None:
    fallen = verdict(performance=realised(reading(1), reading(2, auc=0.78), trained_on=2))
    assert (kinds(fallen), fallen.suggests) == (["auc_drop"], Suggestion.RETRAIN)


def test_a_fall_that_chance_explains_is_none() -> None:
    shaky = reading(1, auc=0.80)
    wide = shaky.whole.model_copy(update={"auc_error": 0.04})
    found = verdict(performance=realised(shaky.model_copy(update={"populations": {"all": wide}}), reading(2, auc=0.80)))
    assert found.level is Level.GREEN


def test_a_fall_that_only_an_uncertain_reference_explains_is_none() -> None:
    fallen = realised(reading(1, auc=0.80), reading(2, auc=0.80))
    assert kinds(verdict(performance=fallen)) == ["auc_drop"]
    uncertain = fallen.model_copy(update={"reference": {"auc": 0.87, "auc_error": 0.04}})
    assert verdict(performance=uncertain).level is Level.GREEN


def test_a_single_bad_outcome_does_not_make_an_auc_fall() -> None:
    lone = Figures(rows=600, bad=1, predicted=0.01, actual=1 / 600, brier=0.01, auc=0.3)
    both = [reading(number).model_copy(update={"populations": {"all": lone}}) for number in (1, 2)]
    assert verdict(performance=realised(*both)).level is Level.GREEN


@pytest.mark.parametrize("actual", [0.08, 0.25])
def test_predictions_that_miss_the_bad_rate_are_an_alarm(actual: float) -> None:
    found = verdict(performance=realised(reading(1, actual=actual), reading(2, actual=actual)))
    assert (kinds(found), found.suggests) == (["calibration"], Suggestion.RETRAIN)
    assert f"{actual:.1%}".replace("%", " %") in found.sentence


def test_readings_that_miss_on_opposite_sides_blame_the_definition() -> None:
    found = verdict(performance=realised(reading(1, actual=0.25), reading(2, actual=0.08)))
    assert kinds(found) == ["definition"]


def test_performance_that_cannot_be_compared_says_so_and_is_not_judged() -> None:
    found = verdict(performance=realised(reading(3, auc=0.60), comparable=None))
    assert (kinds(found), found.level, found.suggests) == (["not_comparable"], Level.AMBER, Suggestion.NONE)


def test_a_handful_of_outcomes_is_not_judged() -> None:
    found = verdict(performance=realised(reading(1, auc=0.5, rows=50), reading(2, auc=0.5, rows=50)))
    assert kinds(found) == ["insufficient"]


def test_decisions_of_another_version_are_mentioned_and_change_no_colour() -> None:
    found = verdict(other_bundles={"a" * 64: 10})
    assert (found.level, kinds(found)) == (Level.GREEN, ["other_bundles"])


def test_several_months_have_the_worst_colour_and_the_most_careful_advice() -> None:
    shifted = verdict(score=moved("probability", [6_000, 4_000]))
    redefined = verdict(performance=realised(reading(1, auc=0.78), reading(2)))
    both = overall([shifted, redefined])
    assert (both.level, both.suggests) == (Level.RED, Suggestion.WAIT)
    assert set(both.findings) == {*shifted.findings, *redefined.findings}


def test_quiet_months_together_are_as_quiet_as_the_newest() -> None:
    newest = verdict()
    assert overall([newest, verdict(performance=realised(reading(1), reading(2)))]) == newest


def test_a_hold_known_to_two_months_is_told_once() -> None:
    assert overall([verdict(holds=[HOLD]), verdict(holds=[HOLD])]).findings == verdict(holds=[HOLD]).findings


findings = st.lists(
    st.builds(
        Finding,
        kind=st.sampled_from(["code_mix", "input_shift", "score_shift", "auc_drop", "hold", "other_bundles"]),
        level=st.sampled_from(list(Level)),
        subject=st.sampled_from(["a", "b"]),
        text=st.sampled_from(["One.", "Two."]),
    ),
    max_size=6,
)


@given(findings)
def test_a_worse_finding_never_improves_the_colour(found: list[Finding]) -> None:
    order = list(Level)
    worse = Finding(kind="score_shift", level=Level.RED, subject="score", text="It moved.")
    assert order.index(weigh([*found, worse], quiet="q").level) >= order.index(weigh(found, quiet="q").level)


@given(findings)
def test_whatever_is_found_there_is_a_sentence(found: list[Finding]) -> None:
    assert weigh(found, quiet="All quiet.").sentence


@pytest.mark.parametrize(("value", "text"), [(0.314, ".31"), (-0.05, "-.05"), (1.204, "1.20"), (0.996, "1.00"), (10.05, "10.05")])
def test_figures_are_short(value: float, text: str) -> None:
    assert short(value) == text


def test_few_outcomes_are_too_few_also_where_nothing_can_be_compared() -> None:
    found = verdict(performance=realised(reading(3, rows=2)))
    assert kinds(found) == ["insufficient"]
    assert found.sentence == "Outcomes are known of only 2 accounts: too few to judge, which needs 500."


@pytest.mark.parametrize(("number", "said"), [(0, "0 decisions"), (1, "1 decision"), (30_000, "30,000 decisions")])
def test_one_is_not_counted_as_many(number: int, said: str) -> None:
    assert counted(number, "decision") == said


@pytest.mark.parametrize(
    ("value", "limit", "said"),
    [
        (0.31, 0.1, (".31", ".10")),
        (0.104, 0.1, (".104", ".100")),
        (0.10004, 0.1, (".10004", ".10000")),
        (0.1, 0.1, (".10", ".10")),
    ],
)
def test_rounding_does_not_hide_that_a_limit_is_passed(value: float, limit: float, said: tuple[str, str]) -> None:
    assert apart(value, limit) == said
