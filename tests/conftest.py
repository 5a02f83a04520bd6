"""What every test may rely on: no setting of the machine leaks in, and tools write below a folder that goes away."""

import os
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

# A busy machine is not a failure: no deadline. `make soak` looks closer: --hypothesis-profile thorough.
settings.register_profile("steward", deadline=None, max_examples=30)
settings.register_profile("thorough", deadline=None, max_examples=1_000)
settings.load_profile("steward")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of whole runs first, in whatever order they came: a long one that starts last would keep one worker waiting."""
    items.sort(key=lambda item: item.get_closest_marker("integration") is None)


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is imported: MLflow, Prefect and matplotlib read their places from the environment, some at import."""
    for name in [name for name in os.environ if name.startswith(("STEWARD_", "MLFLOW_", "PREFECT_"))]:
        del os.environ[name]
    # What a script starts behind `&` ignores ctrl-c, and hands that down: the processes of a test are to be stopped by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Great Expectations looks for Spark Connect where Spark is installed, which takes a test worker for a doctest and ends it.
    sys.modules["pyspark.sql.connect"] = None  # type: ignore[assignment]
    folder = TemporaryDirectory(prefix="steward-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    home = Path(folder.name)
    os.environ |= {
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_TRACKING_URI": f"sqlite:///{home / 'mlflow.db'}",
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": str(home / "matplotlib"),
        "OMP_NUM_THREADS": "1",  # two test workers share the machine
    }
