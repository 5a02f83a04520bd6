"""An environment of its own for a tool that is in no lock of ours: its licence, its size or its Python is another."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

_OURS = Path(__file__).parents[2] / ".venv" / "bin"


def environment(where: Path, wanted: Sequence[str], python: Callable[[], str] = lambda: str(_OURS / "python")) -> Path:
    """Its interpreter. Made on first use, and anew when something else is wanted; needs a package index."""
    own, ready, named = where / "bin" / "python", where / "ready", " ".join(wanted)
    if not ready.exists() or ready.read_text() != named:
        uv = str(_OURS / "uv")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", python(), str(where)], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", str(own), *wanted], check=True)
        ready.write_text(named)
    return own
