"""How soon a running service obeys: stop, stop with a fallback, resume and roll-back, each asked for as a person would.

    python -m tests.benchmarks.stop [--rounds 7]

A service with its default settings answers one client that asks all the time. A command runs as a process of its own. Of each
round: how long the command took, and how long after its end the last answer of before was given (and the first one after).
The promise is five seconds, and for a roll-back with the command itself. Needs no trained model: two small bundles do.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import monotonic
from typing import Self

import httpx
import numpy as np

from tests.bundles import record
from tests.e2e.test_governance import Home, start
from tests.running import SCORE
from tests.samples import sealed

PROMISED = 5.0
"""Seconds."""
ROUNDS = 7
PATIENCE = 60.0

Answer = tuple[float, str]
"""When it came, and who gave it: `stopped`, `fallback` or the version."""


class Client:
    """Asks again as soon as it is answered. `answers` only grows."""

    def __init__(self, http: httpx.Client) -> None:
        self.answers: list[Answer] = []
        self._http = http
        self._enough, self._answered = Event(), Event()
        self._thread = Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def hears(self, who: str) -> None:
        """Wait until this one answers."""
        deadline = monotonic() + PATIENCE
        while not self.answers or self.answers[-1][1] != who:
            self._answered.clear()
            if not self._answered.wait(1.0) and monotonic() > deadline:
                raise TimeoutError(f"{who} never answered; the last was {self.answers[-1:]}")

    def _ask(self) -> None:
        while not self._enough.is_set():
            response = self._http.post(SCORE, json=record())
            self.answers.append((monotonic(), _who(response)))
            self._answered.set()


def _who(response: httpx.Response) -> str:
    if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return "stopped"
    told = response.raise_for_status().json()
    return "fallback" if "fallback" in told else str(told["version"])


@dataclass(frozen=True)
class Obeyed:
    """Seconds: of the command; after its end until the last answer of before, and the first one after."""

    command: float
    last_before: float
    first_after: float

    @property
    def whole(self) -> float:
        return self.command + self.last_before


def obeyed(home: Home, client: Client, after: str, *command: str) -> Obeyed:
    """Run a command and wait until `after` answers."""
    seen, began = len(client.answers), monotonic()
    asked = [*command, "--by", "on-call", "--reason", f"a drill, after {seen} answers"]
    environment = os.environ | home.environment()
    subprocess.run([sys.executable, "-m", "pipelines", *asked], env=environment, check=True, stdout=subprocess.DEVNULL)
    ended = monotonic()
    client.hears(after)
    return measured(client.answers[seen:], began, ended, after)


def measured(answers: list[Answer], began: float, ended: float, after: str) -> Obeyed:
    """Of the answers since the command began; `after` gives one of them at least."""
    last = max((when for when, who in answers if who != after), default=ended)
    first = next(when for when, who in answers if who == after)
    return Obeyed(ended - began, max(0.0, last - ended), max(0.0, first - ended))


def rounds(home: Home, count: int) -> dict[str, list[Obeyed]]:
    bundles = [sealed(seed=number) for number in range(count + 2)]
    for bundle in bundles[:2]:
        home.champion(bundle)
    found: dict[str, list[Obeyed]] = {"stop": [], "stop with a fallback": [], "resume": [], "roll back": []}
    with Client(start(home)) as client:
        for number in range(count):
            version = str(number + 2)  # every roll-back leads to the first one: what was rolled back does not stand any more
            client.hears(version)
            found["stop"].append(obeyed(home, client, "stopped", "stop"))
            found["stop with a fallback"].append(obeyed(home, client, "fallback", "stop", "--fallback", bundles[0].digest[:12]))
            found["resume"].append(obeyed(home, client, version, "resume"))
            found["roll back"].append(obeyed(home, client, "1", "rollback"))
            home.champion(bundles[number + 2])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.stop", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    count = parser.parse_args().rounds
    with TemporaryDirectory() as folder:
        home = Home(Path(folder))
        try:
            found = rounds(home, count)
        finally:
            home.service.stop(signal.SIGKILL)
            for client in home.service.clients:
                client.close()
    print(f"{count} rounds, seconds: median (least to most)")
    print(f"  {'':22}{'command':>22}{'last answer of before':>26}{'first answer after':>24}{'command and last':>24}")
    for name, each in found.items():
        columns: list[Callable[[Obeyed], float]] = [
            lambda one: one.command,
            lambda one: one.last_before,
            lambda one: one.first_after,
            lambda one: one.whole,
        ]
        print(f"  {name:22}" + "".join(_spread([column(one) for one in each]) for column in columns))
    late = [name for name, each in found.items() if max(_promised(name, one) for one in each) > PROMISED]
    print(f"promised within {PROMISED:.0f} s: {f'late were {late}' if late else 'kept in every round'}")
    return int(bool(late))


def _promised(name: str, one: Obeyed) -> float:
    """Of a roll-back the command counts, too."""
    return one.whole if name == "roll back" else one.last_before


def _spread(seconds: list[float]) -> str:
    return f"{f'{np.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})':>24}"


if __name__ == "__main__":
    sys.exit(main())
