import ast
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import published_task
from tests.benchmarks.published_task import AUDIT, Result, derived, folds, markdown, refusals, variants

MONTHLY = [f"{kind}{n}" for kind in ("BILL_AMT", "PAY_AMT") for n in range(1, 7)]
STATUS = ["PAY_0", *(f"PAY_{n}" for n in range(2, 7))]
TABLE = {name: np.arange(1.0, 41.0) for name in ("LIMIT_BAL", *AUDIT, *STATUS, *MONTHLY)}


def result(auc, brier, name="all 23 columns"):
    return Result(name, 23, np.array([auc - 0.001, auc + 0.001]), np.array([brier, brier]), 1.0)


def test_reaching_the_targets_without_a_leak_counts():
    assert refusals([result(0.785, 0.133), result(0.79, 0.140, "others")]) == []


@pytest.mark.parametrize("position", [0, 1])
def test_an_auc_too_good_to_be_true_is_refused_whatever_columns_reach_it(position):
    results = [result(0.785, 0.133), result(0.785, 0.133)]
    results[position] = result(0.801, 0.12, "suspicious columns")
    assert refusals(results) == ["REFUSED: suspicious columns reach AUC 0.8010; above 0.80 there is a leak."]


def test_a_missed_target_is_refused():
    assert len(refusals([result(0.77, 0.14)])) == 2


def test_a_figure_that_is_not_a_number_is_refused():
    assert len(refusals([result(float("nan"), float("nan"))])) == 3


def test_the_cost_of_a_set_of_columns_is_paired_fold_by_fold():
    table = markdown([result(0.785, 0.133), result(0.783, 0.134, "fewer")])
    assert "| fewer | 23 | 0.7830 ± 0.0014 | 0.1340 ± 0.0000 | -0.0020 ± 0.0000 |" in table


def test_every_row_is_tested_once_in_each_repetition():
    bad = np.arange(300) % 4 == 0
    tested = np.concatenate([test for _, test in folds(bad)])
    assert np.bincount(tested).tolist() == [3] * 300
    assert all(np.mean(bad[test]) == 0.25 for _, test in folds(bad))


def test_the_audit_columns_are_in_the_published_task_and_can_be_left_out():
    assert not set(AUDIT) & set(variants(TABLE)["without the audit columns"])
    assert set(variants(TABLE)["all 23 columns"]) == set(TABLE)
    assert len(TABLE) == 23


def test_a_derived_column_depends_on_its_own_row_only():
    first = {name: values[:7] for name, values in TABLE.items()}
    for name, values in derived(TABLE).items():
        assert np.array_equal(derived(first)[name], values[:7]), name


def test_the_published_task_has_no_way_to_register_or_release_a_model():
    tree = ast.parse(Path(published_task.__file__).read_text())
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {name for name in named if name.split(".")[0] in {"models", "monitoring", "pipelines", "serving"}}
    assert ours == {"models.credit_default.source", "models.evaluation"}
    assert not {name for name in named if name.startswith(("mlflow", "importlib"))}
