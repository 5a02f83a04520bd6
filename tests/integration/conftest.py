"""What takes long to make and what several files need: made once, for all workers."""

import fcntl
import os
import shutil

import pytest

from pipelines.development import Development
from tests.trained import Trained, platform_at, searched, train_into


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The first worker that needs it trains; another waits for it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "trained"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "endings.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            train_into(folder)
    return Trained.read(folder)


@pytest.fixture(scope="session")
def searched_again(trained: Trained) -> Development:
    """What the same search finds in the home where it was done before."""
    return searched(platform_at(trained.in_force))
