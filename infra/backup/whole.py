"""One backup of everything, and its return: a home, and with a topology its databases and its store."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from infra.backup import homes, manifest, objects, postgres
from infra.backup.manifest import Manifest
from infra.backup.moments import Moment, files_at, home_at
from infra.topology import ports, running, secret_files
from infra.topology.clusters import scratch
from infra.topology.supervised import LocalPlace, lay_out
from models.errors import Conflict, Integrity, Misconfigured, NotFound

HOME, DATABASES, STORE = "home", "databases", "store"


def take(home: Path, to: Path, place: LocalPlace | None = None) -> Manifest:
    """The home first, then the databases: the decision log then has at least what the ledger knows of it."""
    if to.exists():
        cut = "" if (to / manifest.NAME).exists() else ", and is no completed backup"
        raise Conflict(f"{to} is there already{cut}", hint="name a new folder: a backup is never written over another")
    if not home.is_dir():
        raise Misconfigured(f"there is no home {home}", hint="name it: STEWARD_HOME")
    with _whole_or_absent(to):
        began, whole_at = _now(), ""
        rows = homes.copy(home, to / HOME)
        if place:
            counted, whole_at = postgres.take(place, to / DATABASES)
            rows |= counted
            objects.download(place, to / STORE)
        made = Manifest(began, manifest.digests(to), rows, manifest.written(to), whole_at)
        made.write(to)
    return made


@contextmanager
def _whole_or_absent(folder: Path) -> Iterator[None]:
    """Half a backup would stand in the way of the next one, and on a full disk take the room that it needs."""
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield
    except BaseException:
        shutil.rmtree(folder)
        raise


def restore(taken: Path, home: Path) -> Manifest:
    """Into a home that is empty but for its keys. Raises `Integrity` if the backup was edited, or rows are missing in the end."""
    held = manifest.verified(taken)
    if held.databases_at:
        raise Misconfigured("this backup is of a topology", hint="make restore FROM=… UP=a-new-folder")
    homes.bring_back(taken / HOME, home)
    _compare(held, homes.counts(home))
    return held


def restore_topology(taken: Path, place: LocalPlace, moment: Moment | None = None) -> Manifest:
    """Into a new folder, with secrets of its own; returns what it holds now. Only the store runs meanwhile, and is stopped again.

    Raises, before it writes: `Integrity`, `Misconfigured`, `Conflict`; for a moment also what `recovery.recovered` raises.
    """
    _ensure_new(place)
    held = manifest.verified(taken)
    if not held.databases_at:
        raise Misconfigured("this backup is of a home alone", hint="STEWARD_HOME=a-new-folder make restore FROM=…")
    later = _later(held, moment) if moment else None
    secret_files.make(Path(place.secrets))
    at, archive = (moment.at, moment.archive) if moment else (None, None)
    rows = postgres.bring_back(place, taken / DATABASES, moment=at, archive=archive)
    with scratch(Path(place.data("being-made"))) as made:
        if moment and moment.later and later:
            home_at(moment.at, taken / HOME, moment.later / HOME, later.below(HOME), made / HOME)
            files_at(moment.at, taken / STORE, moment.later / STORE, later.below(STORE), made / STORE)
        source = made if later else taken
        homes.bring_back(source / HOME, Path(place.home))
        _fill_store(place, source / STORE)
    found = rows | homes.counts(Path(place.home))
    if not moment:
        _compare(held, found)
    return replace(held, rows=found, taken_at=moment.at.isoformat() if moment else held.taken_at)


def _ensure_new(place: LocalPlace) -> None:
    if running.running(place):
        raise Conflict(f"{place.folder} runs", hint="restore into a new folder: UP=folder; what runs stays as it is meanwhile")
    if Path(place.data("postgres")).exists():
        raise Misconfigured(f"{place.folder} holds databases", hint="restore into a new folder: UP=folder")
    homes.ensure_empty(Path(place.home))


def _later(held: Manifest, moment: Moment) -> Manifest | None:
    """The backup after the moment, if one is given; what can be known to be out of reach is said at once."""
    if moment.at < datetime.fromisoformat(held.databases_at):
        raise Misconfigured(
            f"{moment.at} is before this backup, whose databases were whole at {held.databases_at}",
            hint="name an older backup: FROM",
        )
    if not moment.archive.is_dir():
        raise NotFound(
            f"there is no archive {moment.archive}",
            hint="name that of the topology, or a copy of it: ARCHIVE=var/up/data/archive",
        )
    if moment.later is None:
        return None
    later = manifest.verified(moment.later)
    if datetime.fromisoformat(later.taken_at) < moment.at:
        raise Misconfigured(
            f"the backup {moment.later} began at {later.taken_at}, before {moment.at}", hint="LATER is a backup after the moment"
        )
    return later


def _fill_store(place: LocalPlace, folder: Path) -> None:
    """At ports of nobody: at its own, what is to be restored may still run."""
    aside = replace(place, first=ports.free())
    parts = [service for service in lay_out(aside) if service.name == "store"]
    running.start(aside, parts, lambda _: None)
    try:
        objects.upload(aside, folder)
    finally:
        running.stop(aside, parts)
        lay_out(place)


def _compare(held: Manifest, found: dict[str, dict[str, int]]) -> None:
    for database, tables in held.rows.items():
        for table, number in tables.items():
            if found.get(database, {}).get(table) != number:
                raise Integrity(
                    f"{database} has {found.get(database, {}).get(table)} rows of {table} after the restore, and had {number}",
                    hint="do not use what was restored; try again, or an older backup",
                )


def _now() -> str:
    return datetime.now(UTC).isoformat()
