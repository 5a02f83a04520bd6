"""One backup of everything, and its return: a home, and with a topology its databases and its store."""

from datetime import UTC, datetime
from pathlib import Path

from infra.backup import homes, manifest, objects, postgres
from infra.backup.manifest import Manifest
from infra.topology import running, secret_files
from infra.topology.databases import ensure_databases
from infra.topology.supervised import LocalPlace, lay_out
from models.errors import Conflict, Integrity, Misconfigured

HOME, DATABASES, STORE = "home", "databases", "store"
PARTS = ("postgres", "store")


def take(home: Path, to: Path, place: LocalPlace | None = None) -> Manifest:
    """The home first, then the databases: the decision log then has at least what the ledger knows of it."""
    if to.exists():
        raise Conflict(f"{to} is there already", hint="name a new folder: a backup is never written over another")
    if not home.is_dir():
        raise Misconfigured(f"there is no home {home}", hint="name it: STEWARD_HOME")
    to.mkdir(mode=0o700, parents=True)
    rows = homes.copy(home, to / HOME)
    if place:
        rows |= postgres.dump(place, to / DATABASES)
        objects.download(place, to / STORE)
    made = Manifest(datetime.now(UTC).isoformat(timespec="seconds"), manifest.digests(to), rows)
    made.write(to)
    return made


def restore(taken: Path, home: Path) -> Manifest:
    """Into a home that is empty but for its keys. Raises `Integrity` if the backup was edited, or rows are missing in the end."""
    held = manifest.verified(taken)
    if (taken / DATABASES).exists():
        raise Misconfigured("this backup is of a topology", hint="make restore FROM=… UP=a-new-folder")
    homes.bring_back(taken / HOME, home)
    _compare(held, homes.counts(home))
    return held


def restore_topology(taken: Path, place: LocalPlace) -> Manifest:
    """Into a new folder, with secrets of its own. Only the databases and the store run meanwhile, and are stopped again."""
    held = manifest.verified(taken)
    if Path(place.data("postgres")).exists():
        raise Misconfigured(f"{place.folder} holds databases", hint="restore into a new folder: UP=folder")
    homes.bring_back(taken / HOME, Path(place.home))
    secret_files.make(Path(place.secrets))
    parts = [service for service in lay_out(place) if service.name in PARTS]
    ensure_databases(place)
    running.start(place, parts, lambda _: None)
    try:
        postgres.bring_back(place, taken / DATABASES)
        objects.upload(place, taken / STORE)
        _compare(held, homes.counts(Path(place.home)) | postgres.rows(place))
    finally:
        running.stop(place, parts)
    return held


def _compare(held: Manifest, found: dict[str, dict[str, int]]) -> None:
    for database, tables in held.rows.items():
        for table, number in tables.items():
            if found.get(database, {}).get(table) != number:
                raise Integrity(
                    f"{database} has {found.get(database, {}).get(table)} rows of {table} after the restore, and had {number}",
                    hint="do not use what was restored; try again, or an older backup",
                )
