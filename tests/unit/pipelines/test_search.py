"""One search for every family; what an estimator may see; and what makes two searches the same."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.credit_default import USE_CASE
from models.errors import Integrity, NotEnoughData
from models.splits import folds
from pipelines.search import Sample, Search, Trial, identity, sample, search, silently, starved, thinned
from tests.datasets import dataset
from tests.fakes.families import SPACE, LineFamily
from tests.fakes.optimiser import RandomOptimiser

DATA = sample(USE_CASE, dataset())
FOLDS = folds(DATA.accounts, 3, 0)


def run(data: Sample = DATA, *, optimiser: RandomOptimiser | None = None, rows: int = 10_000, budget: int = 5) -> Search:
    return search(
        LineFamily(),
        SPACE,
        data,
        FOLDS,
        {},
        budget=budget,
        seed=1,
        rows=rows,
        optimiser=optimiser or RandomOptimiser(),
        progress=silently,
    )


def test_the_best_trial_saw_every_fold() -> None:
    trials = (Trial(0, {}, (0.3, 0.3), False), Trial(1, {}, (0.1,), True), Trial(2, {}, (0.2, 0.2), False))
    assert Search("line", "key", trials, 0).best.number == 2


def test_the_earlier_of_equal_trials_is_best() -> None:
    trials = tuple(Trial(number, {}, (0.2, 0.2), False) for number in range(3))
    assert Search("line", "key", trials, 0).best.number == 0


def test_a_search_of_pruned_trials_finds_nothing() -> None:
    class Pruning(RandomOptimiser):
        def minimise(self, *args: object, **kwargs: object) -> tuple[list[Trial], int]:
            return [Trial(0, {}, (0.1,), True)], 0

    with pytest.raises(NotEnoughData, match="no trial of line finished"):
        run(optimiser=Pruning())


def test_fewer_rows_are_fewer_accounts_and_never_cross_the_fold() -> None:
    for (train, valid), (few, judged) in zip(FOLDS, starved(DATA, FOLDS, 120, 0), strict=True):
        assert set(few) <= set(train)
        assert set(judged) <= set(valid)
        assert not set(DATA.accounts[few]) & set(DATA.accounts[judged])
        assert 100 <= len(few) <= 140


@settings(deadline=None)
@given(st.integers(1, 800), st.integers(0, 5))
def test_thinning_keeps_accounts_whole(rows: int, seed: int) -> None:
    everything = np.arange(len(DATA.accounts))
    kept = thinned(DATA.accounts, everything, rows, seed)
    months_kept = {name: int(np.sum(DATA.accounts[kept] == name)) for name in set(DATA.accounts[kept])}
    assert set(months_kept.values()) <= {2}
    assert len(kept) <= rows + 2


def test_a_study_is_the_same_only_if_everything_is() -> None:
    def key(**changed: object) -> str:
        given_: dict[str, object] = {"family": LineFamily(), "space": SPACE, "data": DATA, "folds": FOLDS, "directions": {}}
        return identity(**{**given_, "budget": 5, "seed": 1, **changed})  # type: ignore[arg-type]

    flipped = replace(DATA, bad=~DATA.bad)
    variants = [{"data": flipped}, {"folds": FOLDS[:2]}, {"directions": {"bill_0": 1}}, {"budget": 6}, {"seed": 2}, {"space": {}}]
    assert key() == key()
    assert len({key(), *(key(**changed) for changed in variants)}) == 1 + len(variants)


def test_a_column_that_no_model_may_see_stops_training() -> None:
    rows = dataset()
    for leak in ("sex", "age", "education", "marriage", "outcome_code", "surprise"):
        leaking = replace(rows, columns={**rows.columns, leak: rows.bad.astype(float)})
        with pytest.raises(Integrity, match=f"carry {leak}"):
            sample(USE_CASE, leaking)


def test_features_are_computed_from_inputs_alone() -> None:
    asked: list[set[str]] = []

    def features(columns: dict[str, np.ndarray], xp: object) -> dict[str, np.ndarray]:
        asked.append(set(columns))
        return {"bill": columns["bill_0"]}

    sample(replace(USE_CASE, features=features), dataset())
    assert asked == [set(USE_CASE.contract.inputs)]


def test_a_feature_that_is_not_finite_is_named() -> None:
    broken = replace(USE_CASE, features=lambda columns, xp: {"fine": columns["bill_0"], "ratio": columns["bill_0"] * np.inf})
    with pytest.raises(Integrity, match=r"^ratio have values"):
        sample(broken, dataset())
