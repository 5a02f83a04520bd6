"""A direction is proven on every tree, and shown on the sealed graph; a tree that breaks it is found by each look."""

from typing import Any

import numpy as np
import pytest

from models.adapters.graph_trees import from_trees_on, trees
from models.adapters.onnx_graph import export
from models.adapters.onnx_runtime import OnnxScorer
from models.calibration import Calibration
from models.estimator import Tree, TreeEnsemble
from models.governance.doubt.sweep import Monotone, contradictions, levels, sweep_features, sweep_inputs
from tests.samples import SAMPLE, ensemble, features, rows, stump

CONTRACT = SAMPLE.contract
UP = {"status": 1}
COLUMNS = rows(500)
NAMES = ("status", "used")
BUMP = stump(0, 3.0, 0.4, -0.4)  # more than three months behind, and the risk falls
HIDDEN = Tree(  # the same, but only of accounts that use more than half of their limit
    np.array([1, 0, 0, 0, 0]),
    np.array([0.5, 0.0, 3.0, 0.0, 0.0]),
    np.array([1, -1, 3, -1, -1]),
    np.array([2, -1, 4, -1, -1]),
    np.array([0.0, 0.1, 0.0, 0.2, -0.2]),
)


def planted(tree: Tree) -> TreeEnsemble:
    sound = ensemble()
    return TreeEnsemble(sound.features, sound.intercept, (*sound.trees, tree))


def looked_at(model: TreeEnsemble, directions: dict[str, int] = UP) -> Monotone:
    graph = export(CONTRACT, features, NAMES, model, Calibration(1.1, -0.05))
    read = trees(graph, NAMES)
    derived = features(COLUMNS, np)
    X = np.column_stack([derived[name] for name in NAMES])
    return Monotone(
        contradictions(read, directions),
        sweep_features(OnnxScorer(from_trees_on(graph)), read, X, directions, 1e-9),
        sweep_inputs(OnnxScorer(graph), CONTRACT, lambda columns: features(columns, np), NAMES, directions, COLUMNS, 1e-9),
    )


def test_a_model_that_keeps_its_directions_has_no_violation() -> None:
    found = looked_at(ensemble(), {"status": 1, "used": 1})

    assert found.violations == 0
    assert [(each.name, each.rows, each.steps > 0, each.worst) for each in found.features] == [
        ("status", 500, True, 0.0),
        ("used", 500, True, 0.0),
    ]


@pytest.mark.parametrize("tree", [BUMP, HIDDEN], ids=["for everybody", "for some"])
def test_a_tree_that_breaks_a_direction_is_found_by_each_look(tree: Tree) -> None:
    found = looked_at(planted(tree))

    assert found.trees == {"status": 1}
    assert [each.violations > 0 for each in found.features] == [True]
    assert next(each for each in found.inputs if each.name == "status_0").violations > 0
    assert found.to_dict()["violations"] == found.violations


def test_a_model_that_rises_where_it_may_only_fall_is_found_by_each_look() -> None:
    found = looked_at(ensemble(), {"status": -1})

    assert found.trees == {"status": 1}
    assert [(each.name, each.violations > 0) for each in found.features] == [("status", True)]
    assert next(each for each in found.inputs if each.name == "status_0").violations > 0


def test_a_model_that_falls_where_it_may_only_fall_is_looked_at_and_has_no_violation() -> None:
    falling = TreeEnsemble(NAMES, -1.5, (stump(0, 0.0, 1.6, -0.7), stump(1, 0.9, 0.0, 1.25)))
    found = looked_at(falling, {"status": -1})

    assert found.violations == 0
    assert [each.steps for each in found.features] == [500]
    assert next(each for each in found.inputs if each.name == "status_0").steps == 500 * 11


def test_a_feature_without_a_direction_may_go_either_way() -> None:
    assert looked_at(planted(stump(1, 0.7, 1.0, -1.0))).violations == 0


def test_a_violation_within_the_tolerance_is_rounding() -> None:
    small = planted(stump(0, 3.0, 1e-10, -1e-10))
    graph = export(CONTRACT, features, NAMES, small, Calibration())
    X = np.column_stack([features(COLUMNS, np)[name] for name in NAMES])
    part = OnnxScorer(from_trees_on(graph))

    assert sweep_features(part, trees(graph, NAMES), X, UP, 1e-9)[0].violations == 0
    assert sweep_features(part, trees(graph, NAMES), X, UP, 1e-11)[0].violations > 0


def test_an_input_is_judged_only_where_it_moves_promised_features_one_way() -> None:
    """The limit moves what is used of it, which has no direction; the status moves the status alone."""
    inputs = {each.name: each for each in looked_at(ensemble()).inputs}
    free = {name: (each.steps, each.free > 0) for name, each in inputs.items()}

    assert free["status_0"] == (500 * 11, False)
    assert free["credit_limit"] == (0, True)
    assert free["payment_0"] == (0, True)  # moves nothing at all


def test_two_promised_features_that_a_step_moves_apart_promise_nothing_about_it() -> None:
    def two(columns: Any) -> dict[str, Any]:
        return {"status": columns["status_0"] * 1.0, "used": columns["status_0"] * 1.0}

    graph = export(CONTRACT, features, NAMES, ensemble(), Calibration())
    ask = (OnnxScorer(graph), CONTRACT, two, NAMES)
    together = sweep_inputs(*ask, {"status": 1, "used": 1}, COLUMNS, 1e-9)
    apart = sweep_inputs(*ask, {"status": 1, "used": -1}, COLUMNS, 1e-9)

    assert next(each for each in together if each.name == "status_0").steps > 0
    assert next(each for each in apart if each.name == "status_0").steps == 0


def test_a_feature_is_raised_through_both_ends_of_its_thresholds() -> None:
    model = TreeEnsemble(NAMES, 0.0, tuple(stump(0, float(at), 0.0, 0.1) for at in range(40)))
    found = levels(model, 0)

    assert (found[0], found[-1] > 39.0, len(found)) == (0.0, True, 10)
    assert levels(model, 1).tolist() == []


def test_the_trees_are_read_back_as_they_were_written() -> None:
    model = planted(HIDDEN)
    read = trees(export(CONTRACT, features, NAMES, model, Calibration()), NAMES)
    X = np.column_stack([features(COLUMNS, np)[name] for name in NAMES])

    assert len(read.trees) == len(model.trees)
    for ours, theirs in zip(read.trees, model.trees, strict=True):
        assert np.array_equal(_walk(ours, X), _walk(theirs, X))


def test_from_its_trees_on_a_graph_scores_as_the_whole_does() -> None:
    graph = export(CONTRACT, features, NAMES, ensemble(), Calibration(1.1, -0.05))
    X = np.column_stack([features(COLUMNS, np)[name] for name in NAMES])
    whole, part = OnnxScorer(graph), OnnxScorer(from_trees_on(graph))

    assert np.array_equal(part.log_odds(X), whole.log_odds(CONTRACT.matrix(COLUMNS)))
    assert np.array_equal(part.probabilities(X), whole.probabilities(CONTRACT.matrix(COLUMNS)))


def _walk(tree: Tree, X: np.ndarray) -> np.ndarray:
    at = np.zeros(len(X), dtype=np.int64)
    while np.any(inner := tree.left[at] >= 0):
        goes_left = X[np.arange(len(X)), tree.feature[at]] <= tree.threshold[at]
        at = np.where(inner, np.where(goes_left, tree.left[at], tree.right[at]), at)
    return tree.value[at]
