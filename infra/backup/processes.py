"""The topology that runs as processes of this machine, brought back into a new folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from infra.backup import whole
from infra.backup.manifest import Manifest
from infra.backup.moments import Moment
from infra.topology import ports, running, secret_files
from infra.topology.databases import ensure_archive
from infra.topology.description import Place
from infra.topology.supervised import LocalPlace, lay_out
from models.errors import Conflict, Misconfigured


def restore(taken: Path, place: LocalPlace, moment: Moment | None = None) -> Manifest:
    """With secrets of its own. Only the store runs, and is stopped again. Raises `Conflict`, and what `whole` raises."""
    if running.running(place):
        raise Conflict(f"{place.folder} runs", hint="restore into a new folder: UP=folder; what runs stays as it is meanwhile")
    if Path(place.data("postgres")).exists():
        raise Misconfigured(f"{place.folder} holds databases", hint="restore into a new folder: UP=folder")
    return whole.restore_topology(taken, place, moment, partial(_store_alone, place), partial(_prepare, place))


def _prepare(place: LocalPlace) -> None:
    secret_files.make(Path(place.secrets))
    ensure_archive(place)


@contextmanager
def _store_alone(place: LocalPlace) -> Iterator[Place]:
    """At ports of nobody: at its own, what is to be restored may still run."""
    aside = replace(place, first=ports.free())
    parts = [service for service in lay_out(aside) if service.name == "store"]
    running.start(aside, parts, lambda _: None)
    try:
        yield aside
    finally:
        running.stop(aside, parts)
        lay_out(place)
