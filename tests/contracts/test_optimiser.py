"""What every optimiser must do, the fake one too."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from optuna.pruners import NopPruner

from models.errors import Conflict, Misconfigured, Unavailable
from models.estimator import Dimension, Parameters, Real, Whole
from pipelines.adapters.optuna_search import OptunaOptimiser
from pipelines.adapters.studies import Journals, PostgresStudies, Studies
from pipelines.adapters.trial_pools import Threads
from pipelines.search import Optimiser, Trial, silently
from tests.contracts.conftest import named, run_on
from tests.fakes.optimiser import RandomOptimiser

SPACE: dict[str, Dimension] = {"rate": Real(0.01, 1.0, log=True), "leaves": Whole(2, 40)}
BUDGET, FOLDS = 10, 3


@pytest.fixture(params=["random", "journals", "postgresql"])
def optimiser(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Optimiser]:
    if request.param == "random":
        yield RandomOptimiser()
    elif request.param == "journals":
        yield OptunaOptimiser(Journals(tmp_path / "studies"), Threads(2))
    else:
        server = request.getfixturevalue("postgresql")
        run_on(server, "DROP DATABASE IF EXISTS studies WITH (FORCE)")
        run_on(server, "CREATE DATABASE studies")
        yield OptunaOptimiser(PostgresStudies(named(server, "studies")), Threads(2))


def loss(parameters: Parameters, fold: int) -> float:
    return (float(parameters["rate"]) - 0.2) ** 2 + (float(parameters["leaves"]) - 11) ** 2 / 1_000 + fold / 100


def run(optimiser: Optimiser, key: str = "a", seed: int = 1) -> tuple[list[Trial], int]:
    return optimiser.minimise(key, SPACE, loss, folds=FOLDS, budget=BUDGET, seed=seed, progress=silently)


def test_a_search_spends_its_budget_inside_the_space(optimiser: Optimiser) -> None:
    trials, resumed = run(optimiser)

    assert [trial.number for trial in trials] == list(range(BUDGET))
    assert resumed == 0
    assert len({tuple(trial.parameters.values()) for trial in trials}) == BUDGET
    for trial in trials:
        assert 0.01 <= trial.parameters["rate"] <= 1.0
        assert isinstance(trial.parameters["leaves"], int)
        assert 2 <= trial.parameters["leaves"] <= 40
        assert trial.losses == tuple(loss(trial.parameters, fold) for fold in range(len(trial.losses)))
        assert trial.pruned == (len(trial.losses) < FOLDS)


def test_the_same_seed_gives_the_same_trials_and_another_seed_others(optimiser: Optimiser) -> None:
    first, _ = run(optimiser, "first")
    again, _ = run(optimiser, "again")
    other, _ = run(optimiser, "other", seed=2)

    assert first == again
    assert first != other


def test_a_finished_search_is_not_run_again(optimiser: Optimiser) -> None:
    first, _ = run(optimiser)

    again, resumed = optimiser.minimise(
        "a",
        SPACE,
        lambda _parameters, _fold: pytest.fail("evaluated again"),
        folds=FOLDS,
        budget=BUDGET,
        seed=1,
        progress=silently,
    )

    assert again == first
    assert resumed == BUDGET


def test_progress_is_told_and_ends_complete(optimiser: Optimiser) -> None:
    told: list[tuple[int, int]] = []

    optimiser.minimise(
        "a", SPACE, loss, folds=FOLDS, budget=BUDGET, seed=1, progress=lambda _what, done, total: told.append((done, total))
    )

    assert told == sorted(told)
    assert told[0] == (0, BUDGET)
    assert told[-1] == (BUDGET, BUDGET)


def test_both_stores_keep_the_same_trials(postgresql: str, tmp_path: Path) -> None:
    run_on(postgresql, "DROP DATABASE IF EXISTS compared WITH (FORCE)")
    run_on(postgresql, "CREATE DATABASE compared")
    stores: list[Studies] = [Journals(tmp_path), PostgresStudies(named(postgresql, "compared"))]

    one, other = (run(OptunaOptimiser(store, Threads(2))) for store in stores)

    assert one == other


def test_a_study_in_postgresql_has_one_owner_at_a_time(postgresql: str) -> None:
    run_on(postgresql, "DROP DATABASE IF EXISTS owned WITH (FORCE)")
    run_on(postgresql, "CREATE DATABASE owned")
    studies = PostgresStudies(named(postgresql, "owned"))

    with studies.owned("a", NopPruner()):
        with pytest.raises(Conflict, match="another process"), studies.owned("a", NopPruner()):
            pass
        with studies.owned("b", NopPruner()):
            pass
    with studies.owned("a", NopPruner()):
        pass


def test_another_database_is_refused_and_one_that_is_away_named() -> None:
    with pytest.raises(Misconfigured, match="not kept in sqlite"):
        PostgresStudies("sqlite:///studies.db")
    away = PostgresStudies("postgresql://nobody:secret@127.0.0.1:18798/studies")
    with pytest.raises(Unavailable, match="does not answer") as told, away.owned("a", NopPruner()):
        pass
    assert "secret" not in str(told.value)
