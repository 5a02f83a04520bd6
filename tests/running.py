"""The scoring service as a process of its own, in a home of its own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from models.adapters import key_files
from models.adapters.folder_channel import FolderChannel
from models.bundle import Bundle
from models.clock import Month
from models.governance.signing import Duty
from monitoring.adapters.sql_decisions import SqlDecisionLog
from tests.bundles import MODEL, Office

SCORE = f"/v1/models/{MODEL}/score"
JULY = Month(2005, 7)


class Service:
    """A home of its own, and `python -m serving` in it."""

    def __init__(self, home: Path) -> None:
        """Its keys are made where there are none."""
        self.home = home
        keys, trust = home / "keys", home / "keys" / "trust.json"
        key_files.make_local_keys(keys, trust)
        self.office = Office(
            key_files.signer(keys, key_files.PUBLISHER, Duty.PUBLISH),
            key_files.signer(keys, key_files.DEMONSTRATION_APPROVER, Duty.APPROVE),
        )
        self.channel = FolderChannel(home / "channel")
        self.process: subprocess.Popen[str] | None = None
        self.code: int | None = None
        self.said: list[str] = []
        self.clients: list[httpx.Client] = []

    def promote(self, bundle: Bundle, version: int) -> None:
        self.office.promote(self.channel, bundle, version=version, now=datetime.now(UTC))

    def start(self, **environment: str) -> httpx.Client:
        """Start on any free port, and wait for the line that says which."""
        settings = {"STEWARD_HOME": str(self.home), "STEWARD_SERVING_PORT": "0", "STEWARD_SERVING_POLL_SECONDS": "0.1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "serving"],
            env=os.environ | settings | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = []
        found = re.search(r"Serving at (http://\S+)", self.hears("Serving at"))
        assert found is not None
        self.clients.append(httpx.Client(base_url=found[1], timeout=30, trust_env=False))
        return self.clients[-1]

    def hears(self, text: str) -> str:
        """Wait for a line of its output with this in it."""
        assert self.process is not None
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if text in line:
                return line
        self.process.stdout.close()
        raise AssertionError(f"the service ended: {''.join(self.said)}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> str:
        """What it said until its end."""
        if self.process is None or self.process.stdout is None:
            return "".join(self.said)
        if not self.process.stdout.closed:
            self.process.send_signal(how)
            with self.process.stdout as rest:
                self.said.append(rest.read())
        self.code, self.process = self.process.wait(30), None
        return "".join(self.said)

    def end(self) -> None:
        """However it stands: no process and no connection is left."""
        self.stop(signal.SIGKILL)
        for client in self.clients:
            client.close()

    def logged(self) -> set[str]:
        log = SqlDecisionLog(f"sqlite:///{self.home / 'decisions.db'}")
        found = set(log.columns(MODEL, JULY)["decision_id"].tolist())
        log.close()
        return found


def until(client: httpx.Client, path: str, holds: Callable[[Any], bool]) -> Any:
    """Ask until the answer is so; pytest's time limit ends what never comes."""
    while not holds(answer := client.get(path).json()):
        pass
    return answer
