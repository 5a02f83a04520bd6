"""What was tried anyway is scored again on the same folds, by code that sees no audit column."""

import json
from dataclasses import replace

import numpy as np
import pytest

from models.clock import Month
from models.credit_default import USE_CASE
from models.errors import Integrity, Misconfigured
from models.splits import Plan, held_out
from pipelines.assessment import Cohorts
from pipelines.candidates import Effort
from pipelines.dataset import Dataset
from pipelines.development import Development, develop
from pipelines.fairness.candidates import BEST_TRIALS, CHAMPION, SEEDS, named, out_of_time, scored, tried
from pipelines.search import sample
from pipelines.training import fit
from tests.datasets import dataset
from tests.fakes.families import SPACE, LineFamily
from tests.fakes.optimiser import RandomOptimiser

USE = replace(USE_CASE, search_spaces={"line": SPACE, "blind": SPACE})
FAMILIES = (LineFamily("line", complexity=2), LineFamily("blind", complexity=1, blind=True))
TAUGHT = dataset(accounts=600)
FEATURES = sample(USE, TAUGHT).features


@pytest.fixture(scope="module")
def developed() -> Development:
    return develop(USE, TAUGHT, FAMILIES, RandomOptimiser(), Effort(trials=8, folds=3, seed=1))


def record(developed: Development) -> dict[str, object]:
    return json.loads(json.dumps(developed.tables()))


def cohorts() -> Cohorts:
    before, judged = dataset(accounts=600), dataset(("2005-07",), accounts=600, seed=3)
    months = Month(2005, 5), Month(2005, 6)
    return Cohorts(Month(2005, 8).last_day, Plan(months, Month(2005, 7)), before, judged, before)


def test_a_bounded_number_of_candidates_comes_from_the_stored_search(developed: Development) -> None:
    found = tried(developed.recipe, record(developed), FEATURES)
    names = [each.name for each in found]
    assert names[0] == CHAMPION
    assert len(names) == len(set(names))
    assert sum("line trial" in name for name in names) == BEST_TRIALS
    assert sum("blind trial" in name for name in names) == BEST_TRIALS
    assert sum(name.startswith("seed") for name in names) == SEEDS
    assert [name for name in names if name.endswith("features")] == [
        f"{size} features" for size in (12, 16, 19) if size != len(developed.recipe.features)
    ]


def test_a_search_that_just_ended_reads_like_a_stored_one(developed: Development) -> None:
    assert tried(developed.recipe, developed.tables(), FEATURES) == tried(developed.recipe, record(developed), FEATURES)


def test_the_champion_is_not_tried_twice(developed: Development) -> None:
    champion, *others = tried(developed.recipe, record(developed), FEATURES)
    assert (champion.family, champion.parameters) == (developed.recipe.family, developed.recipe.parameters)
    same = [each for each in others if (each.family, each.parameters) == (champion.family, champion.parameters)]
    assert all(each.seed != champion.seed or each.features != champion.features for each in same)


def test_a_smaller_subset_keeps_the_most_important_features_in_the_use_case_s_order(developed: Development) -> None:
    subsets = [each for each in tried(developed.recipe, record(developed), FEATURES) if each.name.endswith("features")]
    ranked = list(developed.candidates["line"].selection.importance)
    for each in subsets:
        best = ranked[: len(each.features)]
        assert each.name == f"{len(best)} features"
        assert each.features == tuple(name for name in FEATURES if name in best)
    assert subsets


def test_the_champion_is_scored_as_it_was_when_it_was_chosen(developed: Development) -> None:
    champion = tried(developed.recipe, record(developed), FEATURES)[:1]
    (found,) = scored(USE, FAMILIES, TAUGHT, developed.recipe, champion)
    np.testing.assert_array_equal(found.probability, developed.probabilities)


def test_out_of_time_a_candidate_is_fitted_and_calibrated_as_the_gate_s(developed: Development) -> None:
    given, (champion, *_) = cohorts(), tried(developed.recipe, record(developed), FEATURES)
    gate = fit(developed.recipe, USE, FAMILIES, given.taught(), given.newest_held_out())
    found = out_of_time(USE, FAMILIES, given, developed.recipe, champion)
    np.testing.assert_array_equal(found, gate.probabilities(given.out_of_time.columns))


def test_every_candidate_is_fitted_on_features_of_the_contract_alone_and_never_on_a_held_out_account(
    developed: Development,
) -> None:
    watched = (LineFamily("line", complexity=2), LineFamily("blind", complexity=1, blind=True))
    given = cohorts()
    scored(USE, watched, given.taught(), developed.recipe, tried(developed.recipe, record(developed), FEATURES))
    seen = [fit for family in watched for fit in family.seen]
    assert seen
    assert all(set(features) <= set(FEATURES) for _, features in seen)
    assert max(rows for rows, _ in seen) < (~held_out(given.development.accounts)).sum()


def test_rows_that_carry_an_audit_column_are_refused(developed: Development) -> None:
    planted: Dataset = replace(TAUGHT, columns={**TAUGHT.columns, "sex": np.ones(len(TAUGHT.bad))})
    with pytest.raises(Integrity, match="sex"):
        scored(USE, FAMILIES, planted, developed.recipe, tried(developed.recipe, record(developed), FEATURES)[:1])


def test_a_family_that_is_gone_is_named() -> None:
    with pytest.raises(Misconfigured, match="the family tree"):
        named(FAMILIES, "tree")
