"""What is sealed is complete, repeatable, and scores its golden rows."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.adapters.onnx_graph import export
from models.adapters.onnx_runtime import OnnxScorer
from models.bundle import Bundle, canonical
from models.calibration import Calibration
from models.contract import Role
from models.errors import Integrity, Misconfigured, NotEnoughData
from models.estimator import TreeEnsemble
from models.gates import Parity
from models.policy import Adverse, CutOffs, Policy
from models.reference import counts
from models.scoring import check_golden_rows
from models.usecase import UseCase
from pipelines.packaging import GOLDEN_ROWS, Origin, golden, golden_rows, lineage, parity
from tests.rules import plain
from tests.samples import EXPECTED, SAMPLE, ensemble, rows, sealed

CONTRACT, POLICY = SAMPLE.contract, SAMPLE.policy
assert POLICY.adverse is not None
ADVERSE = POLICY.adverse
RULE = plain(CONTRACT, POLICY)


class Linear:
    """A scorer whose scores are easy to know: the limit's share of ten million."""

    def probabilities(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(inputs[:, CONTRACT.inputs.index("credit_limit")] / 10_000_000)


def altered(bundle: Bundle, part: str, content: Any) -> Bundle:
    """Another bundle, properly sealed, with one part changed."""
    parts = {name: data for name, data in bundle.files.items() if name != "manifest.json"}
    return Bundle.seal(bundle.model, {**parts, part: content}, lineage=bundle.lineage)


def test_a_bundle_carries_the_contract_and_the_policy_that_it_was_made_under() -> None:
    bundle = sealed()

    assert (bundle.contract, bundle.policy) == (CONTRACT, POLICY)
    assert bundle.part("reference.json")["performance"] == {
        "auc": EXPECTED.auc,
        "auc_error": EXPECTED.auc_error,
        "brier": EXPECTED.brier,
        "bad_rate": EXPECTED.bad_rate,
        "definition_version": 1,
        "months": ["2005-07"],
    }


def test_sealing_the_same_model_again_gives_the_same_digest() -> None:
    assert sealed().digest == sealed().digest
    assert sealed(ensemble(high=1.7)).digest != sealed().digest


def test_the_golden_rows_of_a_sealed_bundle_score_as_expected() -> None:
    bundle = sealed()

    check_golden_rows(bundle, OnnxScorer(bundle.graph))
    assert len(bundle.part("golden.json")["inputs"]) >= GOLDEN_ROWS


def test_another_models_graph_does_not_pass_the_golden_rows() -> None:
    bundle = altered(sealed(), "model.onnx", sealed(ensemble(high=1.6001)).graph)

    with pytest.raises(Integrity, match="golden rows score differently"):
        check_golden_rows(bundle, OnnxScorer(bundle.graph))


def test_a_golden_score_that_differs_in_its_last_digit_is_noticed() -> None:
    bundle = sealed()
    content = bundle.part("golden.json")
    content["probabilities"][17] = round(content["probabilities"][17] + 1e-9, 9)
    moved = altered(bundle, "golden.json", canonical(content))

    with pytest.raises(Integrity, match=r"1 of \d+ golden rows score differently; row 17"):
        check_golden_rows(moved, OnnxScorer(moved.graph))


def test_the_golden_rows_cover_every_code_and_both_ends_of_every_range() -> None:
    drawn = dict(zip(CONTRACT.inputs, golden_rows(CONTRACT, rows(), seed=1).T, strict=True))

    for name in CONTRACT.inputs:
        column = CONTRACT[name]
        if column.codes:
            assert set(drawn[name]) == set(column.codes)
        else:
            assert (drawn[name].min(), drawn[name].max()) == (column.minimum, column.maximum)
        assert column.example in drawn[name]


def test_a_golden_row_is_no_accounts_row_and_carries_no_account() -> None:
    columns = rows()
    content = sealed().part("golden.json")

    real = {tuple(row) for row in CONTRACT.matrix(columns).tolist()}
    assert not real & {tuple(row) for row in content["inputs"]}
    assert tuple(content["columns"]) == CONTRACT.named(Role.INPUT)


def test_a_golden_score_never_lies_next_to_a_rounding_boundary() -> None:
    """Half a quantum away from a rounded value, another machine's last bit would decide."""

    class Borderline(Linear):
        draws = 0

        def probabilities(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
            self.draws += 1
            exact = POLICY.quantise(super().probabilities(inputs))
            return exact + POLICY.quantum * (0.5 if self.draws < 3 else 0.1)

    scorer = Borderline()
    golden(CONTRACT, POLICY, scorer, rows())

    assert scorer.draws == 3


def test_the_reference_counts_every_row_once_per_column() -> None:
    reference = sealed().part("reference.json")

    assert reference["rows"] == 200
    for binning in [*reference["inputs"].values(), reference["score"]]:
        assert sum(binning["counts"]) == 200
    assert sum(reference["actions"].values()) == 200
    status = reference["inputs"]["status_0"]
    assert counts(status, rows()["status_0"]).tolist() == status["counts"]


def test_an_audit_column_stands_only_in_the_contract() -> None:
    bundle = sealed()

    for part in ("reference.json", "golden.json", "reasons.json"):
        for name in CONTRACT.named(Role.AUDIT):
            assert f'"{name}"'.encode() not in bundle.files[part]


def test_equal_scores_are_in_parity() -> None:
    columns = rows()
    fitted = Linear().probabilities(CONTRACT.matrix(columns))

    assert parity(Linear(), CONTRACT, RULE, columns, fitted) == Parity(200, 0.0, 0)


@pytest.mark.parametrize("difference", [0.5, -0.05])
def test_parity_finds_the_largest_difference_and_the_decisions_that_changed(difference: float) -> None:
    columns = {**rows(4), "credit_limit": np.full(4, POLICY.cut_offs.review + 0.01) * 10_000_000}
    fitted = Linear().probabilities(CONTRACT.matrix(columns))
    fitted[3] += difference
    fitted[2] -= 0.005

    found = parity(Linear(), CONTRACT, RULE, columns, fitted)

    assert found.difference == pytest.approx(abs(difference))
    assert found.changed_decisions == 1


def test_a_changed_decision_is_counted_however_small_the_difference() -> None:
    columns = {**rows(2), "credit_limit": np.array([POLICY.cut_offs.review, 0.5]) * 10_000_000}
    fitted = Linear().probabilities(CONTRACT.matrix(columns))
    fitted[0] -= 0.6e-9

    found = parity(Linear(), CONTRACT, RULE, columns, fitted)

    assert found.difference < 1e-9
    assert found.changed_decisions == 1


def test_the_lineage_names_data_recipe_and_code() -> None:
    first = {"table": "snapshots", "month": "2005-06", "version": 1, "recorded_at": "2005-06-30T23:59:59+00:00"}
    partition = {
        "table": "snapshots",
        "month": "2005-07",
        "version": 2,
        "digest": "abc",
        "recorded_at": "2005-08-15T04:00:00+00:00",
    }
    found = lineage(Origin("c0ffee", "10c4"), partitions=[partition, first], recipe={"trees": 100}, seed=7, as_of="2005-08-31")

    assert found == {
        "as_of": "2005-08-31",
        "known_at": "2005-08-15T04:00:00+00:00",
        "partitions": [partition, first],
        "recipe": {"trees": 100},
        "seed": 7,
        "git_commit": "c0ffee",
        "lock_sha256": "10c4",
    }


def test_the_policys_limits_are_sealed_with_it() -> None:
    milder = replace(SAMPLE, policy=POLICY.model_copy(update={"quantum": 1e-6}))
    bundle = sealed(use_case=milder)

    assert bundle.policy == Policy.model_validate_json(bundle.files["policy.json"])
    assert bundle.policy.quantum == 1e-6
    assert all(round(score, 6) == score for score in bundle.part("golden.json")["probabilities"])


def test_the_graph_in_the_bundle_is_the_exported_one() -> None:
    model: TreeEnsemble = ensemble()

    assert sealed(model).graph == export(CONTRACT, SAMPLE.features, model.features, model, Calibration(1.1, -0.05))


def test_an_input_without_a_reason_text_stops_the_sealing() -> None:
    """Whatever decides must be sayable to the customer."""
    first, *others = ADVERSE.groups
    lacking = ADVERSE.model_copy(update={"groups": (first.model_copy(update={"inputs": ("status_0",)}), *others)})
    with pytest.raises(Misconfigured, match="no reason group holds status_1"):
        sealed(use_case=saying(lacking))


def test_without_an_account_near_the_cut_off_nothing_is_sealed() -> None:
    far = POLICY.model_copy(update={"cut_offs": CutOffs(review=0.001, reduce=0.002)})
    with pytest.raises(NotEnoughData, match="good side of the reduce cut-off"):
        sealed(use_case=replace(SAMPLE, policy=far))


def test_the_accounts_compared_with_are_real_and_come_without_their_numbers() -> None:
    bundle = sealed()
    part = bundle.part("reasons.json")
    real = {tuple(row) for row in CONTRACT.matrix(rows()).tolist()}
    assert 1 <= len(part["baseline"]) <= ADVERSE.baselines
    assert {tuple(row) for row in part["baseline"]} <= real
    assert part["columns"] == list(CONTRACT.inputs)
    assert set(part["scales"]) == {each.column for each in ADVERSE.mutable}


def test_reasons_that_do_not_add_up_stop_the_sealing() -> None:
    """A graph that scores a row otherwise in a large batch."""

    class Leaning(OnnxScorer):
        def log_odds(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
            return super().log_odds(inputs) + 1e-5 * (len(inputs) > 500)

    with pytest.raises(Integrity, match="miss its log-odds by"):
        sealed(load=Leaning)


def saying(adverse: Adverse) -> UseCase:
    return replace(SAMPLE, policy=POLICY.model_copy(update={"adverse": adverse}))
