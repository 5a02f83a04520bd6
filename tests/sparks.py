"""Spark for tests: CI has it and Java; elsewhere a test is skipped where one is missing."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from models.adapters.spark_session import Spark

CI = os.environ.get("CI") == "true"


@contextmanager
def running(spill: Path, master: str = "local[2]") -> Iterator["Spark"]:
    """One session at a time in a process: it ends with the context."""
    missing = [name for name, there in {"pyspark": find_spec("pyspark"), "java": shutil.which("java")}.items() if not there]
    if missing and not CI:
        pytest.skip(f"{' and '.join(missing)} not there: make spark-setup")
    from models.adapters.spark_session import Spark

    made = Spark(master, spill)
    yield made
    made.close()
