"""Clients that ask without a pause, on connections that they keep, and what they were told."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

import httpx

from tests.bundles import record


@dataclass
class Told:
    """What the clients heard: statuses in order, 0 for a connection that ended without an answer, and decisions by id."""

    statuses: list[int] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)

    @property
    def failures(self) -> list[int]:
        return [status for status in self.statuses if status != 200]

    def await_more(self, number: int) -> None:
        """Until so many further requests were answered; pytest's time limit ends what never comes."""
        wanted = len(self.statuses) + number
        while len(self.statuses) < wanted:
            Event().wait(0.02)


@contextmanager
def asking(url: str, clients: int = 4) -> Iterator[Told]:
    """As long as the block runs."""
    told, over = Told(), Event()
    with ThreadPoolExecutor(clients) as threads:
        asked = [threads.submit(_ask, url, f"A{number}", told, over) for number in range(clients)]
        try:
            yield told
        finally:
            over.set()
        for each in asked:
            each.result()


def _ask(url: str, account: str, told: Told, over: Event) -> None:
    with httpx.Client(timeout=60, trust_env=False) as client:
        while not over.is_set():
            try:
                answer = client.post(url, json=record(account_id=account))
            except httpx.TransportError:
                told.statuses.append(0)
                continue
            told.statuses.append(answer.status_code)
            if answer.status_code == 200:
                told.decided.append(answer.json()["answers"][0]["decision_id"])
