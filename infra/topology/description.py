"""What a service is, and what differs between the places where it may run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

TCP = ""
"""Ready when it takes connections; otherwise a path that answers with 200."""


class Place(Protocol):
    """Where services run: what they are reached at, and where their files lie."""

    @property
    def bind(self) -> str:
        """The address to listen on."""

    @property
    def home(self) -> str:
        """The platform's home: lake, channel, ledger and keys."""

    @property
    def secrets(self) -> str:
        """The folder that holds the secrets."""

    def program(self, name: str) -> tuple[str, ...]:
        """The beginning of a command."""

    def host(self, service: str) -> str:
        """Where other services reach it."""

    def port(self, name: str) -> int: ...

    def data(self, service: str) -> str:
        """A folder of its own that outlasts it."""

    def config(self, name: str) -> str:
        """A file of `infra/`, or one that was rendered."""


@dataclass(frozen=True)
class Service:
    name: str
    image: str
    command: tuple[str, ...]
    ready: str = TCP
    after: tuple[str, ...] = ()
    """Services that must be ready before it starts."""
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()
    metrics: str = ""
    """Name of the port where Prometheus finds it; empty: nowhere."""
    uses_home: bool = False
    keeps_data: bool = False
    published: bool = False
    """Whether people reach it from outside; on this machine only."""
    containers_only: bool = False
    """Not among the supervised processes: no package brings it."""
    listens: bool = True
    stop_seconds: int = 20
    stop_signal: str = "TERM"


def address(place: Place, name: str) -> str:
    return f"{place.host(name)}:{place.port(name)}"
