"""The topology that runs as processes of this machine, brought back into a new folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from infra.backup import whole
from infra.backup.manifest import Manifest
from infra.backup.moments import Moment
from infra.topology import running, secret_files
from infra.topology.databases import ensure_archive
from infra.topology.supervised import LocalPlace, lay_out
from models.errors import Conflict, Misconfigured


def restore(taken: Path, place: LocalPlace, moment: Moment | None = None) -> Manifest:
    """With secrets of its own. Only the store runs, and is stopped again. Raises `Conflict`, and what `whole` raises."""
    if running.running(place):
        raise Conflict(f"{place.folder} runs", hint="restore into a new folder: UP=folder; what runs stays as it is meanwhile")
    if Path(place.data("postgres")).exists():
        raise Misconfigured(f"{place.folder} holds databases", hint="restore into a new folder: UP=folder")
    secret_files.make(Path(place.secrets))
    ensure_archive(place)
    return whole.restore_topology(taken, place, moment, partial(_store_alone, place))


@contextmanager
def _store_alone(place: LocalPlace) -> Iterator[None]:
    parts = [service for service in lay_out(place) if service.name == "store"]
    running.start(place, parts, lambda _: None)
    try:
        yield
    finally:
        running.stop(place, parts)
