"""The search gives one answer: with one worker or several, at once or killed half-way."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent

import optuna
import pytest

from models.errors import Conflict, Integrity, NotEnoughData, Unavailable
from models.estimator import Dimension, Parameters, Real, Whole
from pipelines.adapters.optuna_search import OptunaOptimiser
from pipelines.adapters.studies import Journals
from pipelines.adapters.trial_pools import Pool, Threads
from pipelines.search import Loss, Trial, silently

pytestmark = pytest.mark.integration

SPACE: dict[str, Dimension] = {"rate": Real(0.01, 1.0, log=True), "leaves": Whole(2, 40)}
BUDGET, FOLDS, KEY = 18, 3, "study"


def loss(parameters: Parameters, fold: int) -> float:
    return (float(parameters["rate"]) - 0.2) ** 2 + (float(parameters["leaves"]) - 11) ** 2 / 1_000 + fold / 100


def run(folder: Path, workers: int = 1) -> list[Trial]:
    return searched(folder, Threads(workers), loss)


def searched(folder: Path, pool: Pool, measured: Loss) -> list[Trial]:
    optimiser = OptunaOptimiser(Journals(folder), pool)
    found, _ = optimiser.minimise(KEY, SPACE, measured, folds=FOLDS, budget=BUDGET, seed=7, progress=silently)
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Trial], bytes]:
    """An undisturbed search, and its journal."""
    folder = tmp_path_factory.mktemp("whole")
    return run(folder), (folder / f"{KEY}.journal").read_bytes()


def test_two_workers_find_what_one_finds(whole: tuple[list[Trial], bytes], tmp_path: Path) -> None:
    assert run(tmp_path, workers=2) == whole[0]
    assert run(tmp_path / "more", workers=5) == whole[0]


def test_hopeless_trials_are_given_up_after_a_fold(whole: tuple[list[Trial], bytes]) -> None:
    given_up = [trial for trial in whole[0] if trial.pruned]

    assert given_up
    assert all(len(trial.losses) < FOLDS for trial in given_up)
    assert min(whole[0], key=lambda trial: trial.loss) not in given_up


@pytest.mark.soak
def test_a_search_killed_after_any_write_ends_as_if_undisturbed(whole: tuple[list[Trial], bytes], tmp_path: Path) -> None:
    """What a killed process leaves is a beginning of the journal, perhaps with half a line at its end."""
    trials, journal = whole
    lines = journal.splitlines(keepends=True)
    for number in range(0, len(lines), 11):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / f"{KEY}.journal").write_bytes(b"".join(lines[:number]) + lines[number][: number % 20])
        (folder / f"{KEY}.journal.lock").symlink_to("left by a killed process")

        assert run(folder, workers=2) == trials, f"killed at line {number} of {len(lines)}"


def test_a_search_killed_twice_by_the_system_ends_as_if_undisturbed(whole: tuple[list[Trial], bytes], tmp_path: Path) -> None:
    script = tmp_path / "searching.py"
    script.write_text(
        dedent("""
        import itertools, os, signal, sys
        from pathlib import Path
        from models.estimator import Real, Whole
        from pipelines.adapters.optuna_search import OptunaOptimiser
        from pipelines.adapters.studies import Journals
        from pipelines.adapters.trial_pools import Threads
        from pipelines.search import silently

        calls = itertools.count(1)

        def loss(parameters, fold):
            if next(calls) == 19:
                os.kill(os.getpid(), signal.SIGKILL)
            return (parameters["rate"] - 0.2) ** 2 + (parameters["leaves"] - 11) ** 2 / 1_000 + fold / 100

        space = {"rate": Real(0.01, 1.0, log=True), "leaves": Whole(2, 40)}
        OptunaOptimiser(Journals(Path(sys.argv[1])), Threads(2)).minimise(
            sys.argv[2], space, loss, folds=3, budget=18, seed=7, progress=silently
        )
        """)
    )
    for _ in range(2):
        ended = subprocess.run([sys.executable, script, tmp_path / "studies", KEY], env=dict(os.environ), check=False)
        assert ended.returncode == -signal.SIGKILL

    optimiser = OptunaOptimiser(Journals(tmp_path / "studies"), Threads(2))
    trials, resumed = optimiser.minimise(KEY, SPACE, loss, folds=FOLDS, budget=BUDGET, seed=7, progress=silently)

    assert trials == whole[0]
    assert 0 < resumed < BUDGET


def test_a_study_has_one_owner_at_a_time(tmp_path: Path) -> None:
    with (tmp_path / f"{KEY}.owner").open("w") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        with pytest.raises(Conflict, match="another process"):
            run(tmp_path)


def test_an_error_of_a_trial_comes_through_and_the_next_run_goes_on(whole: tuple[list[Trial], bytes], tmp_path: Path) -> None:
    calls: list[int] = []
    lock = threading.Lock()

    def failing(parameters: Parameters, fold: int) -> float:
        with lock:
            calls.append(fold)
            if len(calls) == 17:
                raise NotEnoughData("no rows")
        return loss(parameters, fold)

    with pytest.raises(NotEnoughData):
        searched(tmp_path, Threads(2), failing)

    assert run(tmp_path) == whole[0]


def test_a_loss_that_is_no_number_stops_the_search(tmp_path: Path) -> None:
    with pytest.raises(Integrity, match="nan"):
        OptunaOptimiser(Journals(tmp_path), Threads(1)).minimise(
            KEY, SPACE, lambda _parameters, _fold: float("nan"), folds=FOLDS, budget=4, seed=7, progress=silently
        )


def test_a_journal_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / f"{KEY}.journal").write_bytes(b"this is\nnot a journal\n")

    with pytest.raises(Integrity, match=f"{KEY}.journal is not a readable journal"):
        run(tmp_path)


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(Unavailable, match="cannot be kept"):
        run(tmp_path / "file")


def test_the_journal_is_read_by_optuna_itself(whole: tuple[list[Trial], bytes], tmp_path: Path) -> None:
    path = tmp_path / "copy.journal"
    path.write_bytes(whole[1])
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))

    study = optuna.load_study(study_name=KEY, storage=storage)

    assert study.best_value == min(trial.loss for trial in whole[0] if not trial.pruned)
    assert json.loads(json.dumps(study.best_params)) == dict(
        min(whole[0], key=lambda trial: (trial.pruned, trial.loss)).parameters
    )
