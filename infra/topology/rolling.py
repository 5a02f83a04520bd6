"""A new release for one replica after the other: no request meets a replica that is stopping."""

import csv
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from infra.topology import running
from infra.topology.description import Service
from infra.topology.services import REPLICAS
from infra.topology.supervised import LocalPlace
from models.errors import Unavailable

PATIENCE = 90.0
"""Seconds that a replica may take to finish what it has, and then to be ready again."""


class Proxy:
    """The proxy's own door, a socket that only its owner may use."""

    def __init__(self, place: LocalPlace) -> None:
        self._socket = Path(place.data("proxy")) / "admin.sock"

    def send_nothing_to(self, replica: str) -> None:
        self._ask(f"set server replicas/{replica} state drain")

    def send_again_to(self, replica: str) -> None:
        self._ask(f"set server replicas/{replica} state ready")

    def in_flight(self, replica: str) -> int:
        return int(self._line(replica)["scur"])

    def takes(self, replica: str) -> bool:
        """Whether requests go there now."""
        return self._line(replica)["status"].startswith("UP")

    def _line(self, replica: str) -> dict[str, str]:
        lines = csv.DictReader(self._ask("show stat").removeprefix("# ").splitlines())
        return next(line for line in lines if (line["pxname"], line["svname"]) == ("replicas", replica))

    def _ask(self, command: str) -> str:
        try:
            with socket.socket(socket.AF_UNIX) as door:
                door.settimeout(10)
                door.connect(str(self._socket))
                door.sendall(f"{command}\n".encode())
                return b"".join(iter(lambda: door.recv(65_536), b"")).decode()
        except OSError as error:
            raise Unavailable(f"the proxy does not answer: {error}", hint="make status-local") from error


def roll(place: LocalPlace, described: Sequence[Service], say: Callable[[str], None]) -> None:
    """Raises `Unavailable` before it touches a replica whose sibling does not take requests."""
    proxy, by_name = Proxy(place), {service.name: service for service in described}
    for replica in REPLICAS:
        _exchange(place, proxy, by_name[replica])
        say(f"  {replica:13} runs what is installed now")


def _exchange(place: LocalPlace, proxy: Proxy, service: Service) -> None:
    replica = service.name
    _ensure_another(proxy, replica)
    proxy.send_nothing_to(replica)
    try:
        _await(lambda: proxy.in_flight(replica) == 0, f"{replica} does not finish its requests")
        running.restart(place, service)
    finally:
        proxy.send_again_to(replica)  # also when it failed: the proxy's own checks decide whether it gets requests
    _await(lambda: proxy.takes(replica), f"{replica} does not get ready")


def _ensure_another(proxy: Proxy, replica: str) -> None:
    if not any(proxy.takes(other) for other in REPLICAS if other != replica):
        raise Unavailable(
            f"no other replica than {replica} takes requests",
            hint="make status-local; without a champion there is none: make train",
        )


def _await(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise Unavailable(otherwise, hint="see its log: make status-local")
        Event().wait(0.05)
