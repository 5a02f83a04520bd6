"""The rival that serves the champion's trees behind pandas and scikit-learn."""

import ast
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from models.credit_default import USE_CASE
from models.credit_default.features import features
from models.estimator import Tree
from tests.benchmarks.serving import scikit
from tests.samples import rows, stump

CHOSEN = [name for name in features(rows(1), np) if name != "started"]


def test_its_features_in_pandas_are_those_of_the_one_feature_function() -> None:
    columns = rows(2_000)
    ours = features(columns, np)
    frame = scikit.frame(USE_CASE.contract, USE_CASE.contract.matrix(columns))
    theirs = scikit.standing(frame, CHOSEN).join(scikit.money(frame, CHOSEN))
    assert sorted(theirs.columns) == sorted(CHOSEN)
    for name in CHOSEN:
        np.testing.assert_array_equal(theirs[name], ours[name], err_msg=name)


def test_lightgbm_reads_the_trees_that_were_written_for_it() -> None:
    deep = Tree(  # at 0: x <= 1 goes to 1, which asks for y; else the leaf 2
        np.array([0, 1, 0, 0, 0]),
        np.array([1.0, -2.5, 0.0, 0.0, 0.0]),
        np.array([1, 3, -1, -1, -1]),
        np.array([2, 4, -1, -1, -1]),
        np.array([0.0, 0.0, 0.1, 0.2, -0.4]),
    )
    booster = lightgbm.Booster(model_str=scikit.text([deep, stump(1, 0.1, 1 / 3, 2.0)], ["x", "y"]))
    found = booster.predict(np.array([[1.0, -2.5], [1.0, 0.1], [1.1, 0.2]]), raw_score=True)
    assert found == pytest.approx([0.2 + 1 / 3, -0.4 + 1 / 3, 0.1 + 2.0], abs=1e-15)


def test_it_has_no_way_to_register_or_release_a_model() -> None:
    tree = ast.parse(Path(scikit.__file__).read_text())
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name for name in named if name.startswith(("pipelines", "serving", "models.channel", "models.registry"))}
    asked = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not asked & {"log_model", "register_model", "set_tracking_uri", "start_run", "MlflowClient"}
