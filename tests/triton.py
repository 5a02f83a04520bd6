"""An environment for NVIDIA's client: it wants older versions of libraries that we run with."""

import subprocess
import sys
from pathlib import Path

TRITONCLIENT = "2.73.0"
WHERE = Path(__file__).parents[1] / "var" / "triton-client"


def environment(where: Path = WHERE) -> Path:
    """Its interpreter, made on first use; needs a package index."""
    python = where / "bin" / "python"
    ready, wanted = where / "ready", f"tritonclient[http]=={TRITONCLIENT}"
    if not ready.exists() or ready.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(where)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", wanted], check=True)
        ready.write_text(wanted)
    return python


if __name__ == "__main__":
    print(environment())
