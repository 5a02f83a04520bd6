"""Wheel and source archive of the last commit, built twice and compared byte for byte: `make wheel`, `make release TAG=v1.2.0`.

Each build works in a fresh copy of the commit, in another folder: neither what lies about nor the place gets in.
"""

import argparse
import os
import subprocess
import sys
import tarfile
import tomllib
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from models.bundle import sha256
from models.errors import Integrity, Misconfigured, PlatformError

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
SUMS = "SHA256SUMS"


def version(root: Path = ROOT) -> str:
    return str(tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"])


def check_tag(tag: str, released: str) -> None:
    """Raises `Misconfigured` for a tag that names another version than the project does."""
    if tag != f"v{released}":
        raise Misconfigured(f"the tag {tag} is not of version {released}", hint="set version in pyproject.toml, then tag")


def build(folder: Path) -> dict[str, bytes]:
    """The archives of the last commit by name, made below `folder`."""
    source, out = folder / "source", folder / "out"
    archive = _git("archive", "HEAD")
    with tarfile.open(fileobj=BytesIO(archive)) as packed:
        packed.extractall(source, filter="data")
    uv = [sys.executable, "-m", "uv", "build", "--offline", "--no-build-isolation", "--python", sys.executable]
    subprocess.run([*uv, "--out-dir", str(out), str(source)], check=True, capture_output=True, env=_environment())
    return {path.name: path.read_bytes() for path in sorted(out.iterdir()) if path.suffix in (".whl", ".gz")}


def differing(first: dict[str, bytes], second: dict[str, bytes]) -> list[str]:
    """What is not the same in two builds, by name."""
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def checksums(files: dict[str, bytes]) -> bytes:
    """As `sha256sum --check` reads them."""
    return "".join(f"{sha256(data)}  {name}\n" for name, data in sorted(files.items())).encode()


def twice() -> dict[str, bytes]:
    """Raises `Integrity` if the second build is not the first, byte for byte."""
    with TemporaryDirectory() as here, TemporaryDirectory() as there:
        first, second = build(Path(here)), build(Path(there) / "deeper")
    if not first or (parted := differing(first, second)):
        raise Integrity(
            f"two builds of one commit differ: {', '.join(parted) if first else 'nothing was built'}",
            hint="find what of the machine or the time got in: diffoscope names it",
        )
    return first


def write(files: dict[str, bytes], more: dict[str, bytes]) -> None:
    DIST.mkdir(exist_ok=True)
    for old in DIST.iterdir():
        old.unlink()
    together = files | more
    for name, data in {**together, SUMS: checksums(together)}.items():
        (DIST / name).write_bytes(data)


def _bill() -> bytes:
    """The bill of materials of the environment that built it."""
    with TemporaryDirectory() as home:
        told = [sys.executable, "-m", "pipelines", "sbom"]
        environment = os.environ | {"STEWARD_HOME": home}
        subprocess.run(told, check=True, capture_output=True, cwd=ROOT, env=environment)
        return next(Path(home).rglob("sbom.cdx.json")).read_bytes()


def _environment() -> dict[str, str]:
    """The commit's own time stands in the archives: the same for whoever builds it, whenever."""
    return os.environ | {"SOURCE_DATE_EPOCH": _git("log", "-1", "--format=%ct").decode().strip()}


def _git(*words: str) -> bytes:
    command = ["git", "-C", str(ROOT), *words]
    return subprocess.run(command, check=True, capture_output=True).stdout


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.release", description="Reproducible archives of the last commit.")
    parser.add_argument("--tag", default="", help="of a release, e.g. v1.2.0: adds the bill of materials")
    chosen = parser.parse_args()
    try:
        if chosen.tag:
            check_tag(chosen.tag, version())
        files = twice()
        write(files, {"sbom.cdx.json": _bill()} if chosen.tag else {})
    except PlatformError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(error.stderr if isinstance(error.stderr, str) else (error.stderr or b"").decode(), file=sys.stderr)
        return 1
    print(f"built twice, byte for byte the same: {', '.join(files)}\n  dist/{SUMS} has their digests")
    return 0


if __name__ == "__main__":
    sys.exit(main())
