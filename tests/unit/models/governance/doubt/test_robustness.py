"""Input that is not as it should be is refused, flagged, or moves a decision by a bounded amount."""

from functools import cache

import numpy as np
import pytest

from models.adapters.onnx_graph import export
from models.adapters.onnx_runtime import OnnxScorer
from models.calibration import Calibration
from models.contract import Role
from models.credit_default.policy import POLICY
from models.governance.doubt.learning import learned
from models.governance.doubt.robustness import KINDS, Effect, Refusals, Robustness, disturbances, measured, outside, refusals
from models.governance.doubt.rule import Rule
from models.governance.doubt.uncertainty import venn_abers
from models.policy import Action, Bounded
from tests.bundles import ROBUSTNESS, record
from tests.samples import SAMPLE, ensemble, features, rows
from tests.unit.models.governance.doubt.test_uncertainty import accounts

CONTRACT = SAMPLE.contract
COLUMNS = rows(1_000)
RULE = Rule.made(
    POLICY, venn_abers(*accounts(3_000)), learned(CONTRACT, COLUMNS, ROBUSTNESS.model_copy(update={"flagged": 0.02}))
)


@cache
def scorer() -> OnnxScorer:
    model = ensemble()
    return OnnxScorer(export(CONTRACT, features, model.features, model, Calibration(1.1, -0.05)))


@cache
def effects() -> dict[str, Effect]:
    return {each.part: each for each in measured(CONTRACT, RULE, scorer(), COLUMNS, ROBUSTNESS)}


NOTHING_TAKEN = Refusals({"null": 1}, {"null": 0})


def test_every_kind_of_disturbance_is_tried_on_every_account() -> None:
    assert {each.kind for each in effects().values()} == set(KINDS)
    assert {each.rows for each in effects().values()} == {1_000}


def test_what_the_model_does_not_look_at_moves_nothing() -> None:
    assert effects()["payment_1 a thousand times too small"].moved_most == 0


def test_a_wrong_unit_of_one_amount_moves_as_far_as_its_trees_reach() -> None:
    found = effects()["bill_0 a thousand times too small"]

    assert found.moved_most == pytest.approx(1.1 * (0.6 + 1.25))  # from the fullest to the emptiest line
    assert found.changed > 0


def test_a_value_beyond_the_contract_is_refused_and_not_counted_twice() -> None:
    large = effects()["credit_limit a thousand times too large"]
    beyond = np.mean(COLUMNS["credit_limit"] * 1_000 > 10_000_000)

    assert large.refused == pytest.approx(beyond)
    assert large.caught == 1.0


def test_an_account_with_all_amounts_in_thousands_is_not_scored_in_silence() -> None:
    small = effects()["every amount a thousand times too small"]

    assert small.flagged == 1.0
    assert small.moved == small.changed == 0


def test_mixed_accounts_have_every_input_from_another_account_and_the_same_ones_each_time() -> None:
    first, again = (
        {kind: changed for kind, _, changed in disturbances(CONTRACT, COLUMNS, {}, np.random.default_rng(5))}["mixed"]
        for _ in range(2)
    )

    for name in CONTRACT.inputs:
        assert np.array_equal(np.sort(first[name]), np.sort(COLUMNS[name]))
        assert np.array_equal(first[name], again[name])
    kept = np.mean([first[name] == COLUMNS[name] for name in ("bill_0", "bill_1", "payment_1")], axis=0)
    assert kept.mean() < 0.2
    pairs = {*zip(COLUMNS["bill_0"].tolist(), COLUMNS["bill_1"].tolist(), strict=True)}
    assert np.mean([pair in pairs for pair in zip(first["bill_0"].tolist(), first["bill_1"].tolist(), strict=True)]) < 0.1


def test_more_noise_moves_more() -> None:
    assert effects()["1 % of noise"].changed < effects()["5 % of noise"].changed


def test_a_stale_record_is_last_months() -> None:
    repeated = {**COLUMNS, **{name: COLUMNS[older] for name, older in ROBUSTNESS.stale.items()}}
    before, after = (scorer().log_odds(CONTRACT.matrix(each)) for each in (COLUMNS, repeated))
    silent = ~RULE.familiar.strange(CONTRACT.matrix(repeated)).any(axis=1)

    assert effects()["last month's values"].moved_most == pytest.approx(np.abs(after - before)[silent].max())


def test_only_what_the_contract_allows_comes_past_it() -> None:
    broken = {**COLUMNS, "status_0": np.where(np.arange(1_000) < 3, 12, COLUMNS["status_0"])}

    assert outside(CONTRACT, COLUMNS).sum() == 0
    assert outside(CONTRACT, broken).sum() == 3
    assert outside(CONTRACT, {**COLUMNS, "bill_0": np.full(1_000, np.nan)}).all()


def test_every_missing_or_wrong_field_is_refused() -> None:
    found = refusals(CONTRACT, [record(), record(status_0=2)])

    assert set(found.taken.values()) == {0}
    assert found.offered["absent"] == 2 * 9
    assert found.offered["a column that is not asked for"] == 2 * len(CONTRACT.named(Role.AUDIT, Role.OUTCOME))


def test_the_worst_change_is_told_as_a_share_of_its_limit() -> None:
    effect = Effect("stale", "last month's values", 100, 0.0, 0.0, 0.8, 2.0, 0.01)
    limits = ROBUSTNESS.model_copy(update={"bounded": {**ROBUSTNESS.bounded, "stale": Bounded(moved=0.4, changed=0.5)}})
    others = [Effect(kind, kind, 100, 0.0, 1.0, 0.0, 0.0, 0.0) for kind in KINDS if kind != "stale"]

    worst, which = Robustness([*others, effect], NOTHING_TAKEN, 0.0, 0.0).worst(limits)

    assert worst == pytest.approx(2.0)
    assert which.startswith("last month's values")


def test_an_input_with_a_limit_of_its_own_lends_it_to_no_other() -> None:
    limits = ROBUSTNESS.model_copy(
        update={
            "bounded": {**ROBUSTNESS.bounded, "one_unit": Bounded(moved=4.0, changed=0.3)},
            "by_input": {"one_unit": {"payment_0": Bounded(moved=4.0, changed=0.6)}},
        }
    )
    others = [Effect(kind, kind, 100, 0.0, 1.0, 0.0, 0.0, 0.0) for kind in KINDS]

    def worst(column: str) -> float:
        effect = Effect("one_unit", column, 100, 0.0, 0.0, 0.1, 0.1, 0.45, column)
        return Robustness([*others, effect], NOTHING_TAKEN, 0.0, 0.0).worst(limits)[0]

    assert worst("payment_0") == pytest.approx(0.75)
    assert worst("bill_0") == worst("") == pytest.approx(1.5)


def test_a_disturbance_of_one_input_says_which_it_was() -> None:
    columns = {part: each.column for part, each in effects().items()}

    assert columns["bill_0 a thousand times too small"] == columns["bill_0 = 5,000,000"] == "bill_0"
    assert columns["every amount a thousand times too small"] == columns["last month's values"] == ""


def test_a_disturbance_that_was_not_tried_or_has_no_limit_is_no_pass() -> None:
    tried = list(effects().values())
    without = ROBUSTNESS.model_copy(update={"bounded": {k: v for k, v in ROBUSTNESS.bounded.items() if k != "stale"}})

    assert np.isfinite(Robustness(tried, NOTHING_TAKEN, 0.0, 0.0).worst(ROBUSTNESS)[0])
    assert np.isnan(Robustness(tried, NOTHING_TAKEN, 0.0, 0.0).worst(without)[0])
    assert np.isnan(Robustness([each for each in tried if each.kind != "extreme"], NOTHING_TAKEN, 0.0, 0.0).worst(ROBUSTNESS)[0])


def test_what_must_be_caught_is_measured_against_its_limit() -> None:
    slack, which = Robustness([Effect("all_units", "amounts", 100, 0.3, 0.4, 0, 0, 0)], NOTHING_TAKEN, 0.0, 0.0).least_caught(
        ROBUSTNESS
    )

    assert slack == pytest.approx(0.7 - ROBUSTNESS.caught["all_units"])
    assert which == "amounts"


def test_an_unfamiliar_account_is_reviewed_whatever_its_score() -> None:
    matrix = CONTRACT.matrix(COLUMNS)
    matrix[:3, CONTRACT.inputs.index("bill_0")] = 4_900_000
    sure = np.tile([0.001, 0.999], 500)

    actions, strange = RULE.judged(sure, matrix)

    assert actions[:3].tolist() == [Action.REVIEW.value] * 3
    assert strange[:3, CONTRACT.inputs.index("bill_0")].all()
    familiar = ~strange.any(axis=1)
    assert actions[familiar].tolist() == RULE.band.actions(sure)[familiar].tolist()
