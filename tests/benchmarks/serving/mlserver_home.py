"""An environment and a folder for MLServer: it cannot share ours (it wants other versions of the same libraries)."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from shutil import copy

MLSERVER = "1.7.1"
_RUNTIME = Path(__file__).with_name("mlserver_runtime.py")


def environment(where: Path) -> Path:
    """MLServer's own interpreter, made on first use; needs a package index."""
    python = where / "bin" / "python"
    ready = where / "ready"
    wanted = f"mlserver=={MLSERVER} onnxruntime=={version('onnxruntime')} numpy=={version('numpy')}"
    if not ready.exists() or ready.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(where)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *wanted.split()], check=True)
        ready.write_text(wanted)
    return python


def folder(where: Path, graph: bytes, port: int) -> Path:
    """What `mlserver start` takes: one model in this process, for workers of its own slow a single record down."""
    where.mkdir(parents=True, exist_ok=True)
    (where / "model.onnx").write_bytes(graph)
    copy(_RUNTIME, where / "runtime.py")
    ports = {"http_port": port, "grpc_port": port + 1, "metrics_port": port + 2}
    settings = {"host": "127.0.0.1", "parallel_workers": 0, "debug": False} | ports
    (where / "settings.json").write_text(json.dumps(settings))
    model = {"name": "graph", "implementation": "runtime.Graph", "parameters": {"uri": str(where / "model.onnx")}}
    (where / "model-settings.json").write_text(json.dumps(model))
    return where
