"""What a sealed bundle must show: each promise is broken on purpose once, and its check refuses."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.adapters.graph_trees import from_trees_on, trees
from models.adapters.onnx_graph import export
from models.adapters.onnx_runtime import OnnxScorer
from models.bundle import Bundle, canonical
from models.calibration import Calibration, sigmoid
from models.estimator import TreeEnsemble
from models.gates import PROOFS, Check
from models.governance.doubt.robustness import Refusals
from models.policy import Action, Policy
from models.splits import folds, held_out
from models.usecase import UseCase
from pipelines import proofs
from pipelines.dataset import Dataset
from pipelines.packaging import Origin, lineage, seal
from pipelines.proofs import Anatomy, Proofs, Scored, prove
from tests.samples import EXPECTED, SAMPLE, ensemble, rows, stump

Bools = NDArray[np.bool_]

NAMES = ("status", "used")
ANATOMY = Anatomy(trees, from_trees_on)
CALIBRATION = Calibration(1.1, -0.05)  # as in the samples: some accounts lie just below the reduce cut-off
ROWS = 2_000


def use_case(**limits: Any) -> UseCase:
    """The samples' with wide limits: random accounts are disturbed further than real ones."""
    own = SAMPLE.policy.robustness
    assert own is not None
    wide = {kind: each.model_copy(update={"moved": 20.0, "changed": 1.0}) for kind, each in own.bounded.items()}
    policy = SAMPLE.policy.model_copy(
        update={
            "directions": {"status": 1},
            "robustness": own.model_copy(update={"bounded": wide, "by_input": {}, "flagged": 0.02, **limits}),
        }
    )
    return replace(SAMPLE, policy=policy)


def scored(graph: bytes, seed: int, shift: float = 0.0) -> Scored:
    """Accounts whose outcomes follow the model's own probabilities, or lie `shift` log-odds higher."""
    columns: dict[str, Any] = dict(rows(ROWS, seed))
    names = np.array([f"{seed}-{number:05d}" for number in range(ROWS)])
    odds = OnnxScorer(graph).log_odds(SAMPLE.contract.matrix(columns))
    bad = np.random.default_rng(seed).random(ROWS) < sigmoid(odds + shift)
    columns |= {SAMPLE.contract.key: names, SAMPLE.contract.time: np.full(ROWS, "2005-07")}
    data = Dataset(columns, names, columns[SAMPLE.contract.time], bad, 1, (), 0)
    return Scored(data, SAMPLE.policy.quantise(sigmoid(odds)))


def made(case: UseCase, model: TreeEnsemble) -> tuple[Bundle, bytes]:
    graph = export(SAMPLE.contract, SAMPLE.features, NAMES, model, CALIBRATION)
    calibrated = scored(graph, 1).rows
    bundle = seal(
        case,
        model,
        CALIBRATION,
        reference=calibrated.columns,
        outcomes=calibrated.bad,
        development=rows(ROWS, 2),
        expected=EXPECTED,
        lineage=lineage(Origin("unknown", "unknown"), partitions=[], recipe={"features": NAMES}, seed=1, as_of="2005-08-31"),
        export=export,
        load=OnnxScorer,
    )
    return bundle, graph


def proven(
    case: UseCase | None = None, model: TreeEnsemble | None = None, unseen: Scored | None = None, **other: Any
) -> tuple[Proofs, Policy]:
    bundle, graph = made(case or use_case(), model or ensemble())
    proofs = prove(
        case or use_case(),
        bundle,
        OnnxScorer,
        ANATOMY,
        unseen=(unseen or scored(graph, 1)).rows,
        calibrated_on=scored(graph, 3),
        later=scored(graph, 4),
        **{"development": rows(ROWS, 2), "matured": scored(graph, 2).rows, **other},
    )
    return proofs, bundle.policy


@cache
def sound() -> tuple[Proofs, Policy]:
    return proven()


def checks(found: tuple[Proofs, Policy]) -> dict[str, Check]:
    return {check.name: check for check in found[0].checks(found[1])}


def failed(found: tuple[Proofs, Policy]) -> set[str]:
    return {name for name, check in checks(found).items() if not check.passed}


def test_a_sound_bundle_shows_everything_that_the_gate_asks_for() -> None:
    assert list(checks(sound())) == list(PROOFS)
    assert failed(sound()) == set()


def test_ten_thousand_accounts_are_swept_and_disturbed_or_all_if_there_are_fewer() -> None:
    found = sound()[0]

    assert ROWS < proofs.ROWS == 10_000
    assert {each.rows for each in found.monotone.features} == {ROWS}
    assert {each.rows for each in found.robustness.effects} == {ROWS}


def test_broken_records_that_nobody_offered_refuse() -> None:
    found, policy = sound()
    untried = replace(found, robustness=replace(found.robustness, refusals=Refusals({}, {})))

    assert failed((untried, policy)) == {"refusals"}


def test_a_planted_tree_that_rewards_being_further_behind_refuses() -> None:
    planted = TreeEnsemble(NAMES, -1.5, (*ensemble().trees, stump(0, 3.0, 0.0, -0.3)))
    found = proven(model=planted)

    assert failed(found) == {"monotone"}
    assert checks(found)["monotone"].value == found[0].monotone.violations > 0


def test_held_out_accounts_of_another_outcome_refuse_if_halves_disagree() -> None:
    """Crosswise finds what the two halves do not share: here one half of the accounts turned bad far more often."""
    _, graph = made(use_case(), ensemble())
    quiet, loud = scored(graph, 1), scored(graph, 1, shift=2.5)
    half = folds(quiet.rows.accounts, 2, 1)[0][1]
    bad = quiet.rows.bad.copy()
    bad[half] = loud.rows.bad[half]
    mixed = Scored(replace(quiet.rows, bad=bad), quiet.probability)

    assert "interval_coverage" in failed(proven(unseen=mixed))


def test_more_reviews_than_the_policy_allows_refuse() -> None:
    case = use_case()
    strict = case.policy.model_copy(update={"uncertainty": case.policy.uncertainty.model_copy(update={"review_growth": 1e-9})})

    assert failed(proven(replace(case, policy=strict))) == {"review_growth"}


def richer(data: Dataset, who: Bools) -> Dataset:
    return replace(data, columns={**data.columns, "credit_limit": np.where(who, 5_000_000.0, data.columns["credit_limit"])})


def test_held_out_accounts_unlike_the_others_of_their_months_refuse() -> None:
    _, graph = made(use_case(), ensemble())
    matured = scored(graph, 2).rows

    assert failed(proven(matured=richer(matured, held_out(matured.accounts)))) == {"false_flags"}


def test_a_later_month_unlike_those_before_is_told_and_not_refused() -> None:
    """Something did change then: the flags are right, and what is deployed was made from that month, too."""
    poorer = {**rows(ROWS, 2), "credit_limit": np.minimum(rows(ROWS, 2)["credit_limit"], 200_000.0)}
    found = proven(development=poorer)

    assert failed(found) == set()
    assert found[0].robustness.later_flags > 0.5 > 0.02 > sound()[0].robustness.later_flags - 0.01


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        ({"bounded": {}}, "disturbances"),
        ({"caught": {}}, "caught"),
        ({"caught": {"all_units": 0.99, "one_unit": 0.99}}, "caught"),
    ],
)
def test_a_disturbance_without_a_limit_or_beyond_it_refuses(limits: dict[str, Any], name: str) -> None:
    assert name in failed(proven(use_case(**limits)))


def test_a_policy_without_limits_is_not_kept() -> None:
    proofs, policy = sound()
    without = policy.model_copy(update={"uncertainty": None, "robustness": None})

    assert {check.name for check in proofs.checks(without) if not check.passed} == set(PROOFS) - {"monotone", "refusals"}


def test_what_is_reviewed_is_told_by_its_cause() -> None:
    found = sound()[0].reviewed

    assert 0 < found.by_cut_offs <= found.with_doubt <= found.in_force < 1


def test_the_proofs_are_json_and_equal_the_second_time() -> None:
    assert canonical(sound()[0].to_dict()) == canonical(proven()[0].to_dict())


def test_the_policy_is_the_cheapest_action_where_probabilities_are_right() -> None:
    cost = sound()[0].cost
    lines = np.array([cost.by_action[action.value] for action in Action])

    assert np.allclose(cost.policy, lines.min(axis=0))
    assert cost.totals["cut-offs"]["expected"] <= min(cost.totals[f"{a} for everybody"]["expected"] for a in Action)
    assert cost.totals["cut-offs"]["expected"] <= cost.totals["in force"]["expected"]


def test_realised_cost_is_near_the_expected_one_where_probabilities_are_right() -> None:
    cost = sound()[0].cost

    for total in cost.totals.values():
        assert abs(total["realised"] - total["expected"]) < 4 * total["error"] + 1
    assert sum(each.rows for each in cost.bins) == ROWS
    mean = sum(each.rows * each.realised for each in cost.bins) / ROWS
    assert mean == pytest.approx(cost.totals["in force"]["realised"])
