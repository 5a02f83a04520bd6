"""What is chosen, is chosen on rows that were not trained on; and the simpler family stays unless the other proves its worth."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.calibration import sigmoid
from models.credit_default import USE_CASE
from models.credit_default.policy import POLICY
from models.errors import NotEnoughData
from models.estimator import Real, Whole
from models.evaluation import log_loss
from models.splits import folds
from pipelines.candidates import Candidate, Effort, middle, out_of_fold
from pipelines.development import Development, choose, develop
from pipelines.search import Search, Trial, sample
from pipelines.selection import Bench, Selection
from tests.datasets import dataset
from tests.fakes.families import SPACE, LineFamily
from tests.fakes.optimiser import RandomOptimiser

USE = replace(USE_CASE, search_spaces={"line": SPACE, "blind": SPACE})
EFFORT = Effort(trials=6, folds=3, seed=1)


def developed(*families: LineFamily, effort: Effort = EFFORT) -> Development:
    return develop(USE, dataset(accounts=600), families, RandomOptimiser(), effort)


def candidates(scores: Mapping[str, Any]) -> dict[str, Candidate]:
    nothing = Selection({}, (), ()), Search("", "", (), 0), Trial(0, {}, (), pruned=False)
    return {name: Candidate(LineFamily(name), *nothing, log_odds, 0.0) for name, log_odds in scores.items()}


def test_the_complex_family_wins_with_a_proven_gain() -> None:
    found = developed(LineFamily("line", complexity=2), LineFamily("blind", complexity=1, blind=True))
    assert found.recipe.family == "line"
    assert found.gains["line_over_blind"].low > POLICY.gates.family_margin
    assert "above the margin" in found.reason


def test_the_simple_family_stays_without_one() -> None:
    found = developed(LineFamily("line", complexity=1), LineFamily("blind", complexity=2, blind=True))
    assert found.recipe.family == "line"
    assert "the simpler line stays" in found.reason


def test_a_gain_that_chance_explains_is_not_enough() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(-1, 1.5, 400)
    bad, accounts = rng.random(400) < sigmoid(truth), np.arange(400)
    simple = truth + rng.normal(0, 0.6, 400)
    name, gains, _ = choose(candidates({"simple": simple, "complex": truth}), bad, accounts, POLICY.gates)
    assert gains["complex_over_simple"].value > POLICY.gates.family_margin > gains["complex_over_simple"].low
    assert name == "simple"


def test_one_family_alone_is_chosen_and_says_so() -> None:
    found = developed(LineFamily())
    assert (found.recipe.family, found.reason, found.gains) == ("line", "line is the only family", {})


def test_out_of_fold_scores_do_not_know_the_account_in_any_month() -> None:
    """An account whose outcomes are turned round keeps its scores in every month: they come of other accounts."""
    rows = dataset(accounts=200)
    data = sample(USE, rows)
    bench = Bench(LineFamily(), {"ridge": 1.0}, {}, folds(data.accounts, 3, 0), 0, 1)
    mine = data.accounts == "A00007"
    turned = replace(data, bad=np.where(mine, ~data.bad, data.bad))

    before, after = out_of_fold(bench, data), out_of_fold(bench, turned)

    np.testing.assert_array_equal(before[mine], after[mine])
    assert not np.array_equal(before[~mine], after[~mine])


def test_everything_but_the_last_fit_is_reproducible() -> None:
    first, again = developed(LineFamily()), developed(LineFamily(), effort=replace(EFFORT, workers=3))
    assert first.recipe == again.recipe
    assert first.tables() == again.tables()
    assert first.metrics() == again.metrics()


def test_the_recipe_says_what_it_was_made_of() -> None:
    recipe = developed(LineFamily("line", complexity=1), LineFamily("blind", complexity=2, blind=True)).recipe
    assert recipe.development == ("2005-05", "2005-06")
    assert recipe.definition_version == 1
    assert recipe.search["rows_per_fold"] == EFFORT.rows
    assert {name: each["trials"] for name, each in recipe.search["families"].items()} == {"line": 3, "blind": 3}


def test_finalists_meet_again_on_whole_folds() -> None:
    found = developed(LineFamily()).candidates["line"]
    finalists = {trial.number for trial in found.search.finalists(3)}
    data = sample(USE, dataset(accounts=600)).only(found.selection.chosen)
    bench = Bench(LineFamily(), {}, {}, folds(data.accounts, 3, 1), 1, 1)
    whole = {
        trial.number: log_loss(data.bad, sigmoid(out_of_fold(replace(bench, parameters=trial.parameters), data)))
        for trial in found.search.finalists(3)
    }
    assert found.chosen.number in finalists
    assert found.log_loss == min(whole.values()) == whole[found.chosen.number]


def test_trials_are_shared_by_what_there_is_to_tune() -> None:
    use = replace(USE, search_spaces={"line": SPACE, "blind": {**SPACE, "unused": Real(0, 1), "idle": Whole(1, 9)}})
    families = [LineFamily("blind", complexity=2, blind=True), LineFamily("line")]
    found = develop(use, dataset(accounts=600), families, RandomOptimiser(), replace(EFFORT, trials=10))
    assert {name: len(each.search.trials) for name, each in found.candidates.items()} == {"line": 2, "blind": 8}


def test_probabilities_of_the_choice_are_calibrated_out_of_fold() -> None:
    found = developed(LineFamily())
    assert found.estimates["calibration_slope"].value == pytest.approx(1, abs=0.15)
    assert len(found.probabilities) == 1_200


def test_progress_names_every_long_step() -> None:
    told: list[str] = []
    develop(USE, dataset(), [LineFamily()], RandomOptimiser(), EFFORT, lambda what, _done, _total: told.append(what))
    assert set(told) == {"features of line", "trials of line"}


def test_a_fold_without_bads_is_refused() -> None:
    rows = dataset()
    with pytest.raises(NotEnoughData, match="a fold lacks"):
        develop(USE, replace(rows, bad=rows.accounts == "A00003"), [LineFamily()], RandomOptimiser(), EFFORT)


def test_the_middle_of_a_space_is_geometric_where_the_space_is() -> None:
    space = {"plain": Real(0, 10), "log": Real(0.01, 100, log=True), "whole": Whole(1, 4), "whole_log": Whole(4, 25, log=True)}
    assert middle(space) == {"plain": 5, "log": pytest.approx(1), "whole": 2, "whole_log": 10}
