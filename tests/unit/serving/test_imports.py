"""What the serving image does not carry must not be needed: asked of a process of its own, after a real answer."""

import subprocess
import sys
from pathlib import Path

import pytest

FORBIDDEN = [
    "alembic",  # until a migration is due
    *("duckdb", "evidently", "great_expectations", "lightgbm", "matplotlib", "mlflow", "ndonnx", "onnx", "optuna", "pandas"),
    *("jwt", "prefect", "pyarrow", "scipy", "sklearn", "spox", "models.catalog", "models.credit_default", "pipelines"),
]


def test_serving_starts_without_any_tool_of_the_pipelines() -> None:
    program = "import sys, serving.__main__; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    assert "onnxruntime" in loaded
    assert [name for name in FORBIDDEN if name in loaded] == []


def test_the_client_needs_nothing_of_the_service() -> None:
    program = "import sys, serving.client; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    heavy = ["fastapi", "numpy", "onnxruntime", "prometheus_client", "pydantic", "sqlalchemy", "starlette", "uvicorn"]
    assert [name for name in heavy if name in loaded] == []


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted where Linux shows them")
def test_the_runtime_of_the_graph_sends_no_usage_figures() -> None:
    """The thread that would send them begins with its import."""
    program = (
        "import os, numpy; before = len(os.listdir('/proc/self/task')); import models.adapters.onnx_runtime;"
        "print(len(os.listdir('/proc/self/task')) - before)"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "0\n"
