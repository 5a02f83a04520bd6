"""What takes long to make and what several files need: made once, for all workers."""

import fcntl
import os
import shutil

import pytest

from tests.trained import Trained, train_into


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
