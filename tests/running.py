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
        self.home = home
        keys, trust = home / "keys", home / "keys" / "trust.json"
        key_files.make_local_keys(keys, trust)
        self.office = Office(
            key_files.signer(keys, key_files.PUBLISHER, Duty.PUBLISH),
            key_files.signer(keys, key_files.DEMONSTRATION_APPROVER, Duty.APPROVE),
        )
        self.channel = FolderChannel(home / "channel")
        self.process: subprocess.Popen[str] | None = None
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
        assert self.process.stdout is not None
        self.said = []
        for line in self.process.stdout:
            self.said.append(line)
            if found := re.search(r"Serving at (http://\S+)", line):
                self.clients.append(httpx.Client(base_url=found[1], timeout=30, trust_env=False))
                return self.clients[-1]
        raise AssertionError(f"the service ended: {''.join(self.said)}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> str:
        """What it said until its end."""
        if self.process is None:
            return ""
        self.process.send_signal(how)
        rest, _ = self.process.communicate(timeout=30)
        self.process = None
        return "".join(self.said) + rest

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
