"""podman, as root, with a store of its own: what is built here mixes with nothing else on the machine.

Its options are for machines like CI's: the host's network, which needs no bridge; runc, as crun refuses hybrid control groups;
limits that a restricted root may set.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import Unavailable

ROOT = Path(__file__).parents[2]
IMAGES = ("serving", "console", "pipelines")
PACKAGES = {"podman": "podman", "runc": "runc", "mmdebstrap": "mmdebstrap"}
"""What is needed, by the Debian package that brings it."""
BASES = {"docker.io/library/python:3.11-slim-bookworm": "", "docker.io/library/python:3.11-bookworm": "python3-pip,binutils"}
"""The official names, and the Debian packages that the image of that name has more than the other."""
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_LIMITS = ["--ulimit", "nofile=1024:1024"]


def missing() -> list[str]:
    """Debian packages without which there is nothing to build with here."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    return sorted(package for program, package in PACKAGES.items() if shutil.which(program, path=path) is None)


@dataclass(frozen=True)
class Podman:
    store: Path

    def make_bases(self) -> None:
        """The base images, from Debian's packages, under their official names; those that are there stay."""
        for name, packages in BASES.items():
            if self._run("image", "exists", name, check=False).returncode == 0:
                continue
            archive = self.store / "base.tar"
            archive.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([str(ROOT / "infra" / "images" / "base.sh"), str(archive), packages], check=True)
            self._run("import", "--quiet", str(archive), name)
            archive.unlink()

    def build(self, image: str, commit: str) -> str:
        """Its name. Raises `Unavailable` with the end of what the builder said."""
        secrets = [f"id=certificates,src={CERTIFICATES}"] if CERTIFICATES.exists() else []
        file = str(ROOT / "infra" / "images" / f"{image}.Dockerfile")
        given = [part for secret in secrets for part in ("--secret", secret)]
        # Without layers: a changed lock changes all of them, and each copy of two gigabytes would stay.
        options = ["--layers=false", "--format", "docker", "--network", "host", *_LIMITS, "--build-arg", f"COMMIT={commit}"]
        done = self._run("build", *options, *given, "--file", file, "--tag", f"steward-{image}", str(ROOT), check=False)
        if done.returncode:
            raise Unavailable(f"{file} was not built: {done.stderr[-2_000:]}", hint="the reason stands in its words")
        return f"localhost/steward-{image}"

    def inspect(self, image: str, field: str) -> str:
        return self._run("image", "inspect", "--format", f"{{{{{field}}}}}", image).stdout.strip()

    def mounted(self, image: str) -> Path:
        """Where its files can be read, until `unmount`."""
        return Path(self._run("image", "mount", image).stdout.strip())

    def unmount(self, image: str) -> None:
        self._run("image", "unmount", image)

    def command(self, *words: str) -> list[str]:
        """A whole command line of podman."""
        place = ["--root", str(self.store / "root"), "--runroot", str(self.store / "run")]
        return [
            "podman",
            *place,
            "--storage-driver",
            "overlay",
            "--cgroup-manager",
            "cgroupfs",
            "--runtime",
            "/usr/sbin/runc",
            *words,
        ]

    def run(self, image: str, *command: str, options: Sequence[str] = ()) -> list[str]:
        """The command line that runs a container as it is to run anywhere: nothing can be written but /tmp and volumes."""
        confined = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", "--security-opt", "no-new-privileges"]  # noqa: S108
        here = ["--rm", "--network", "host", *_LIMITS, "--ulimit", "nproc=1000:1000"]
        return self.command("run", *here, *confined, *options, image, *command)

    def _run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*words), check=check, capture_output=True, text=True, stdin=subprocess.DEVNULL)
