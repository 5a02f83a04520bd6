"""What the serving image does not carry must not be needed: asked of a process of its own, after a real answer."""

import subprocess
import sys

FORBIDDEN = [
    "alembic",  # until a migration is due
    *("duckdb", "evidently", "great_expectations", "lightgbm", "matplotlib", "mlflow", "ndonnx", "onnx", "optuna", "pandas"),
    *("prefect", "pyarrow", "scipy", "sklearn", "spox", "models.catalog", "models.credit_default", "pipelines"),
]


def test_serving_starts_without_any_tool_of_the_pipelines() -> None:
    program = "import sys, serving.__main__; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    assert "onnxruntime" in loaded
    assert [name for name in FORBIDDEN if name in loaded] == []
