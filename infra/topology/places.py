"""Which topology a command is about: its folder, and the block of ports that it was started with."""

import re
from collections.abc import Callable
from pathlib import Path

from infra.topology import ports
from infra.topology.running import running
from infra.topology.supervised import LocalPlace
from models.errors import Conflict, Misconfigured

_REMEMBERED = "first_port"
_LONGEST_SOCKET = "data/postgres-being-made/.s.PGSQL.5432"
_LONGEST_ADDRESS = 107
"""Characters that the system allows for the path of a socket."""


def chosen(folder: Path, first: int | None, runs: Callable[[LocalPlace], bool] = running) -> LocalPlace:
    """At the ports that it was started with, unless it does not run and others are asked for.

    Raises `Misconfigured` for ports or a folder that cannot be, `Conflict` for other ports than those it runs at.
    """
    folder = folder.resolve()
    remembered = _remembered(folder)
    place = LocalPlace(folder, first or remembered or ports.FIRST)
    _ensure_possible(place)
    if remembered not in (None, place.first) and runs(place):
        raise Conflict(f"{folder} runs at the ports from {remembered} on", hint="leave PORTS out, or first: make down-local")
    return place


def remember(place: LocalPlace) -> None:
    """So that nobody has to say the ports again."""
    (place.folder / _REMEMBERED).write_text(f"{place.first}\n")


def _remembered(folder: Path) -> int | None:
    file = folder / _REMEMBERED
    return int(file.read_text()) if file.is_file() else None


def _ensure_possible(place: LocalPlace) -> None:
    if not 1 <= place.first <= ports.LAST - ports.SIZE + 1:
        raise Misconfigured(f"PORTS={place.first}: there are no {ports.SIZE} ports from there on", hint="such as PORTS=9100")
    if found := re.search(r"[\s'\"%\\]", str(place.folder)):
        raise Misconfigured(
            f"the path {place.folder} has {found[0]!r} in it, which configuration files read otherwise", hint="UP=folder"
        )
    if len(str(place.folder / _LONGEST_SOCKET)) > _LONGEST_ADDRESS:
        most = _LONGEST_ADDRESS - len(f"/{_LONGEST_SOCKET}")
        raise Misconfigured(
            f"the path {place.folder} is too long for the sockets below it",
            hint=f"a folder of at most {most} characters: UP=folder",
        )
