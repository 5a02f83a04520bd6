"""Which rows are measured, where they lie, and what decides them."""

import os
from pathlib import Path
from typing import Any

from models.channel import release
from models.clock import Month
from pipelines.wiring import platform

MONTH, SEED, PART_ROWS, CORES = Month(2005, 7), 2005, 50_000, 2
FOLDER = Path(os.environ.get("STEWARD_HOME", "var")) / "benchmarks" / "scale"


def source(rows: int) -> Path:
    return FOLDER / f"{rows}"


def champion() -> Any:
    parts = platform()
    return release(parts.channel, parts.trust(), "credit_default", now=parts.clock.now()).bundle


def size(folder: Path, names: str = "**/*.parquet") -> int:
    return sum(path.stat().st_size for path in folder.glob(names))
