"""Trials on Dask workers: the trials of one worker and of two are those of threads, whoever is killed meanwhile."""

import os
import signal
from pathlib import Path
from subprocess import PIPE, Popen
from sys import executable

import pytest

from models.errors import NotEnoughData, Unavailable
from models.estimator import Dimension, Parameters, Real, Whole
from pipelines.adapters.optuna_search import OptunaOptimiser
from pipelines.adapters.studies import Journals
from pipelines.adapters.trial_pools import LOCAL, DaskWorkers, Pool, Threads
from pipelines.search import Loss, Trial, silently

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of tornado and msgpack, inside Dask
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SPACE: dict[str, Dimension] = {"rate": Real(0.01, 1.0, log=True), "leaves": Whole(2, 40)}
BUDGET, FOLDS = 10, 2


def loss(parameters: Parameters, fold: int) -> float:
    return (float(parameters["rate"]) - 0.2) ** 2 + (float(parameters["leaves"]) - 11) ** 2 / 1_000 + fold / 100


def searched(folder: Path, pool: Pool, measured: Loss = loss) -> list[Trial]:
    optimiser = OptunaOptimiser(Journals(folder), pool)
    found, _ = optimiser.minimise("study", SPACE, measured, folds=FOLDS, budget=BUDGET, seed=7, progress=silently)
    return found


@pytest.fixture(scope="module")
def by_threads(tmp_path_factory: pytest.TempPathFactory) -> list[Trial]:
    return searched(tmp_path_factory.mktemp("threads"), Threads(2))


@pytest.mark.parametrize("workers", [1, 2])
def test_one_worker_and_two_find_what_threads_find(by_threads: list[Trial], tmp_path: Path, workers: int) -> None:
    assert searched(tmp_path, DaskWorkers(LOCAL, workers)) == by_threads


def test_the_trial_of_a_killed_worker_is_tried_again(by_threads: list[Trial], tmp_path: Path) -> None:
    """Of three losses each the first attempt dies with its worker, without a word."""

    def deadly(parameters: Parameters, fold: int) -> float:
        mark = tmp_path / f"{parameters['leaves']}-{fold}"
        if len(list(tmp_path.glob("*-*"))) < 3 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return loss(parameters, fold)

    assert searched(tmp_path / "studies", DaskWorkers(LOCAL, 2), deadly) == by_threads
    assert len(list(tmp_path.glob("*-*"))) >= 3


def test_a_trial_that_kills_every_worker_ends_the_search_with_a_word(tmp_path: Path) -> None:
    def deadly(_parameters: Parameters, _fold: int) -> float:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0.0

    with pytest.raises(Unavailable, match="several workers when they were killed"):
        searched(tmp_path, DaskWorkers(LOCAL, 1), deadly)


def test_an_error_of_a_trial_comes_through(tmp_path: Path) -> None:
    def failing(_parameters: Parameters, _fold: int) -> float:
        raise NotEnoughData("no rows")

    with pytest.raises(NotEnoughData, match="no rows"):
        searched(tmp_path, DaskWorkers(LOCAL, 1), failing)


def test_a_scheduler_is_found_by_its_address(by_threads: list[Trial], tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from distributed import LocalCluster\n"
        "if __name__ == '__main__':\n"
        "    with LocalCluster(n_workers=1, threads_per_worker=1, host='127.0.0.1', dashboard_address=None) as cluster:\n"
        "        print(cluster.scheduler_address, flush=True)\n"
        "        sys.stdin.read()\n"
    )
    (tmp_path / "scheduler.py").write_text(script)
    with Popen([executable, tmp_path / "scheduler.py"], stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdout
        address = process.stdout.readline().strip()
        try:
            assert searched(tmp_path / "studies", DaskWorkers(address, 1)) == by_threads
        finally:
            process.communicate(timeout=60)


def test_a_scheduler_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"tcp://127.0.0.1:18799 does not answer"):
        searched(tmp_path, DaskWorkers("tcp://127.0.0.1:18799", 1))
