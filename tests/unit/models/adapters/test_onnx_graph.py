"""One graph: the same features, the same trees, the same bits for a row alone and in a batch."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.adapters.onnx_graph import export
from models.adapters.onnx_runtime import OnnxScorer
from models.bundle import sha256
from models.calibration import Calibration
from models.credit_default import USE_CASE
from models.errors import Integrity, Misconfigured
from models.estimator import Tree, TreeEnsemble
from tests.samples import SAMPLE, ensemble, rows, stump

CONTRACT, CALIBRATION = SAMPLE.contract, Calibration(1.1, -0.05)
FEATURES = 4


def leaf(value: float) -> Tree:
    return Tree(np.zeros(1, np.int64), np.zeros(1), np.array([-1]), np.array([-1]), np.array([value]))


def grown(rng: np.random.Generator, depth: int) -> Tree:
    """A random tree; thresholds are whole and halves, so that rows often fall exactly on them."""
    nodes: list[tuple[int, float, int, int, float]] = []

    def grow(left: int) -> int:
        here = len(nodes)
        nodes.append((0, 0.0, -1, -1, rng.normal()))
        if left and rng.random() < 0.85:
            split = (int(rng.integers(FEATURES)), float(rng.integers(-4, 5)) / 2)
            nodes[here] = (*split, grow(left - 1), grow(left - 1), 0.0)
        return here

    grow(depth)
    return Tree(*(np.array(part) for part in zip(*nodes, strict=True)))


def walked(model: TreeEnsemble, X: NDArray[np.float64]) -> NDArray[np.float64]:
    """The definition of `TreeEnsemble`, word by word."""
    total = np.zeros(len(X))
    for tree in model.trees:
        for row, x in enumerate(X):
            node = 0
            while tree.left[node] >= 0:
                node = tree.left[node] if x[tree.feature[node]] <= tree.threshold[node] else tree.right[node]
            total[row] += tree.value[node]
    return total + model.intercept


def four(columns: Any, xp: Any) -> dict[str, Any]:
    names = ("status_0", "status_1", "bill_0", "payment_0")
    return {name: xp.astype(columns[name], xp.float64) for name in names}


def packed(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    return rng.integers(-5, 6, (count, len(CONTRACT.inputs))) / 2.0


def scorer_of(model: TreeEnsemble, calibration: Calibration = CALIBRATION) -> OnnxScorer:
    return OnnxScorer(export(CONTRACT, SAMPLE.features, model.features, model, calibration))


@pytest.mark.parametrize("seed", range(5))
def test_the_graph_computes_what_the_ensemble_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = tuple(four({name: np.zeros(1) for name in CONTRACT.inputs}, np))
    model = TreeEnsemble(names, float(rng.normal()), tuple(grown(rng, 5) for _ in range(20)))
    inputs = packed(rng, 100)
    X = inputs[:, [CONTRACT.inputs.index(name) for name in names]]
    expected = walked(model, X)

    scorer = OnnxScorer(export(CONTRACT, four, names, model, CALIBRATION))

    np.testing.assert_allclose(scorer.log_odds(inputs), 1.1 * expected - 0.05, rtol=0, atol=1e-12)
    np.testing.assert_allclose(scorer.probabilities(inputs), CALIBRATION.apply(expected), rtol=0, atol=1e-12)


def test_a_row_on_the_threshold_goes_left_also_next_to_it() -> None:
    model = TreeEnsemble(("bill_0",), 0.0, (stump(0, 0.1, -1.0, 1.0),))
    scorer = OnnxScorer(export(CONTRACT, four, ("bill_0",), model, Calibration()))
    inputs = np.zeros((3, len(CONTRACT.inputs)))
    inputs[:, CONTRACT.inputs.index("bill_0")] = [np.nextafter(0.1, 0), 0.1, np.nextafter(0.1, 1)]

    assert scorer.log_odds(inputs).tolist() == [-1.0, -1.0, 1.0]


def test_trees_that_never_split_are_constants() -> None:
    model = TreeEnsemble(("status",), 0.25, (leaf(0.5), stump(0, 0.0, -1.0, 1.0), leaf(-2.0)))

    assert scorer_of(model, Calibration()).log_odds(CONTRACT.matrix({**rows(1), "status_0": np.array([2])})).tolist() == [-0.25]


def test_the_features_of_the_use_case_are_traced_without_a_difference() -> None:
    """Every feature, seen through a stump on it, splits real-like rows exactly where NumPy does."""
    columns = rows(300)
    values = USE_CASE.features({name: columns[name] for name in CONTRACT.inputs}, np)
    names = tuple(values)
    trees = tuple(stump(place, float(np.median(values[name])), 0.0, 2.0**place) for place, name in enumerate(names))
    X = np.column_stack([values[name] for name in names])
    model = TreeEnsemble(names, 0.0, trees)

    scorer = OnnxScorer(export(CONTRACT, USE_CASE.features, names, model, Calibration()))

    np.testing.assert_array_equal(scorer.log_odds(CONTRACT.matrix(columns)), walked(model, X))


@settings(max_examples=30, deadline=None)
@given(count=st.integers(1, 70), seed=st.integers(0, 10_000))
def test_a_rows_score_does_not_depend_on_the_rows_around_it(count: int, seed: int) -> None:
    scorer = _SHARED[0]
    inputs = CONTRACT.matrix(rows(count, seed))

    together = scorer.probabilities(inputs)
    alone = np.concatenate([scorer.probabilities(inputs[row : row + 1]) for row in range(count)])
    backwards = scorer.probabilities(inputs[::-1])[::-1]

    assert together.tobytes() == alone.tobytes() == np.ascontiguousarray(backwards).tobytes()


def _many_scores() -> TreeEnsemble:
    """Thousands of different scores: without the copies that `_sigmoid` makes, some differ in their last bit."""
    used = [stump(1, t / 20, -0.0137 * t, 0.0211) for t in range(-10, 60)]
    return TreeEnsemble(("status", "used"), -1.37, (*used, *(stump(0, t + 0.5, -0.0917, 0.0713 * t) for t in range(-2, 9))))


_SHARED = [scorer_of(_many_scores())]


def test_thousands_of_scores_are_the_same_bits_alone_and_together() -> None:
    inputs = CONTRACT.matrix(rows(2_000))
    alone = [_SHARED[0].probabilities(inputs[row : row + 1])[0] for row in range(len(inputs))]

    assert len(set(alone)) > 200
    assert _SHARED[0].probabilities(inputs).tolist() == alone


def test_no_rows_give_no_scores() -> None:
    assert _SHARED[0].probabilities(np.zeros((0, len(CONTRACT.inputs)))).shape == (0,)


def test_extreme_log_odds_stay_probabilities() -> None:
    scorer = scorer_of(TreeEnsemble(("status",), 0.0, (stump(0, 0.0, -2000.0, 2000.0),)))
    scores = scorer.probabilities(CONTRACT.matrix({**rows(2), "status_0": np.array([-2, 3])}))

    assert scores.tolist() == [0.0, 1.0]


def test_equal_models_give_equal_bytes_also_in_another_process() -> None:
    program = """
from models.bundle import sha256
from tests.samples import SAMPLE, ensemble
from models.adapters.onnx_graph import export
from models.calibration import Calibration
print(sha256(export(SAMPLE.contract, SAMPLE.features, ("status", "used"), ensemble(), Calibration())))
"""
    here = [export(CONTRACT, SAMPLE.features, ("status", "used"), ensemble(), Calibration()) for _ in range(2)]
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()

    assert here[0] == here[1]
    assert there == sha256(here[0])


def test_chosen_features_must_be_those_that_were_fitted() -> None:
    with pytest.raises(Misconfigured, match="not those of the ensemble"):
        export(CONTRACT, SAMPLE.features, ("used", "status"), ensemble(), CALIBRATION)


def test_a_feature_that_the_function_does_not_give_is_named() -> None:
    with pytest.raises(Misconfigured, match="sex"):
        export(CONTRACT, SAMPLE.features, ("sex",), TreeEnsemble(("sex",), 0.0, (leaf(0.0),)), CALIBRATION)


def test_an_audit_column_cannot_be_reached_by_a_feature_function() -> None:
    def reaching(columns: Any, xp: Any) -> dict[str, Any]:
        return {"status": columns["status_0"] + columns["sex"]}

    with pytest.raises(KeyError, match="sex"):
        export(CONTRACT, reaching, ("status",), TreeEnsemble(("status",), 0.0, (leaf(0.0),)), CALIBRATION)


def test_a_graph_that_is_none_is_an_integrity_error() -> None:
    with pytest.raises(Integrity):
        OnnxScorer(b"no graph at all")


def test_a_feature_that_needs_an_inexact_operator_is_refused_at_export() -> None:
    def logged(columns: Any, xp: Any) -> dict[str, Any]:
        return {"status": xp.log(xp.astype(columns["credit_limit"], xp.float64))}

    with pytest.raises(Integrity, match="Log"):
        export(CONTRACT, logged, ("status",), TreeEnsemble(("status",), 0.0, (leaf(0.0),)), CALIBRATION)


def test_serving_needs_no_onnx_to_run_a_graph() -> None:
    program = (
        "import sys; import models.adapters.onnx_runtime; print([m for m in ('onnx', 'spox', 'ndonnx') if m in sys.modules])"
    )

    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_another_contract_takes_another_width() -> None:
    fewer = replace(CONTRACT, columns=tuple(column for column in CONTRACT.columns if column.name != "payment_1"))
    scorer = OnnxScorer(export(fewer, SAMPLE.features, ("status", "used"), ensemble(), CALIBRATION))

    with pytest.raises(Integrity, match="inputs"):
        scorer.probabilities(np.zeros((1, len(CONTRACT.inputs))))


def test_many_callers_may_share_one_scorer() -> None:
    batches = [CONTRACT.matrix(rows(40, seed)) for seed in range(24)]
    expected = [_SHARED[0].probabilities(batch).tolist() for batch in batches]

    with ThreadPoolExecutor(6) as pool:
        found = [scores.tolist() for scores in pool.map(_SHARED[0].probabilities, batches * 5)]

    assert found == expected * 5
