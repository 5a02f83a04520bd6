"""The topology as processes of this machine, for tests: started once, used by many, stopped to the last process."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from infra.topology import __main__ as topology
from infra.topology import ports
from infra.topology.services import platform
from infra.topology.supervised import PACKAGES, LocalPlace
from pipelines import steps
from pipelines.settings import PipelineSettings
from pipelines.wiring import Platform
from tests.fakes.source import SomeAccounts
from tests.readers import shared_folder
from tests.running import SCORE
from tests.trained import AUGUST

FIRST = int(os.environ.get("TOPOLOGY_PORTS", "18100"))
PASSPHRASE = "four words are enough"
SMALL = {"trials": 2, "folds": 2}
STEP = 5  # every fifth account: a search that is over soon


def ensure_packages() -> None:
    """Skips where a Debian package is not there; CI installs them, so there it fails."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    missing = [package for program, package in PACKAGES.items() if shutil.which(program, path=path) is None]
    if missing and not os.environ.get("CI"):
        pytest.skip(f"not installed: apt-get install --no-install-recommends {' '.join(missing)}")
    assert not missing, missing


class Running:
    """The services below one folder, and the people at their command line."""

    def __init__(self, folder: Path) -> None:
        self.place = LocalPlace(folder, FIRST)
        self.verb("up")

    def verb(self, name: str) -> None:
        assert topology.main([name, "--folder", str(self.place.folder), "--ports", str(FIRST)]) == 0

    @property
    def home(self) -> Path:
        return Path(self.place.home)

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{ports.port(service, FIRST)}"

    def environment(self) -> dict[str, str]:
        own = {"APPROVER_KEYS": str(self.place.folder / "own"), "APPROVER_PASSPHRASE": PASSPHRASE}
        return platform(self.place) | {f"STEWARD_PIPELINES_{name}": value for name, value in own.items()}

    def command(self, *words: str, ends: int = 0) -> str:
        """One of the platform's commands, as a process of its own."""
        environment = os.environ | self.environment()
        done = subprocess.run(
            [sys.executable, "-m", "pipelines", *words], env=environment, capture_output=True, text=True, timeout=280, check=False
        )
        assert done.returncode == ends, done.stdout + done.stderr
        return done.stdout

    def score(self, client: httpx.Client, record: dict[str, object]) -> httpx.Response:
        return client.post(self.url("proxy") + SCORE, json=record)

    def ready(self, replica: str) -> bool:
        """Whether a model answers at this replica."""
        return httpx.get(f"{self.url(replica)}/health/ready", timeout=30, trust_env=False).status_code == 200

    def train(self) -> str:
        """A small model, by the flow's own steps, in a place where people approve; its bundle."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in platform(self.place).items():
                patch.setenv(name, value)
            parts = Platform(PipelineSettings.read(**SMALL), source=SomeAccounts(step=STEP))
            parts.office = replace(parts.office, demonstration=None)
            steps.take_in(parts, AUGUST)
            cohorts = steps.open_cohorts(parts, AUGUST)
            development = steps.search(parts, cohorts)
            assessment = steps.judge(parts, cohorts, development)
            evidence = steps.document(parts, cohorts, development, assessment)
            return steps.release(parts, cohorts, development, assessment, evidence, "A test.").bundle

    def approve(self, bundle: str) -> None:
        self.command("approver", "--name", "ana")
        self.command("trust", "--name", "ana", "--by", "admin", "--reason", "validates credit models")
        accepted = ["--comment", "I read it", "--accept", "no decision about people is made with it"]
        self.command("approve", "--bundle", bundle, "--by", "ana", *accepted)
        self.command("promote", "--bundle", bundle)


@contextmanager
def running_topology() -> Iterator[Running]:
    ensure_packages()
    with shared_folder() as folder:
        services = Running(folder)
        try:
            yield services
        finally:
            services.verb("down")
            left = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True, check=False).stdout
            assert not left, left
