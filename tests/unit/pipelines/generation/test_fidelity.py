import numpy as np

from models import catalog
from models.adapters.gradient_boosting import GradientBoosting
from models.clock import Month
from pipelines.generation.credit_cards import JITTER, panel
from pipelines.generation.fidelity import Fidelity, fidelity, largest_gap
from pipelines.generation.panel import Panel, Recipe

JULY = Month(2005, 7)


def measured(real: Panel, jitter: float = JITTER, rows: int = 30_000) -> Fidelity:
    return fidelity(real, Recipe.of(real, rows, [JULY], 1, jitter), catalog.find("credit_default"), GradientBoosting())


def test_what_is_generated_is_hardly_told_from_the_panel() -> None:
    found = measured(panel())

    assert max(found.psi.values()) < 0.005
    assert found.correlation < 0.02
    assert abs(found.auc - 0.5) < 0.04


def test_copies_are_not_told_apart_although_a_tree_could_remember_them() -> None:
    found = measured(panel(), jitter=0.0)

    assert abs(found.auc - 0.5) < 4 * found.error


def test_amounts_that_move_too_far_show() -> None:
    assert measured(panel(), jitter=0.5).auc > 0.6


def test_a_column_without_its_dependence_shows() -> None:
    """Its own distribution is as it was: only correlations can see it."""
    real = {name: panel().snapshots[JULY][name] for name in panel().contract.inputs}
    shuffled = np.random.default_rng(1).permutation(real["status_0"])

    gap, pair = largest_gap(real, {**real, "status_0": shuffled})

    assert gap > 0.3
    assert "status_0" in pair
