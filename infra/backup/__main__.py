"""`python -m infra.backup take | restore`: see docs/operations.md."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.backup import sealed_keys, whole
from infra.backup.manifest import Manifest
from infra.backup.moments import Moment, moment_of
from infra.told import told
from infra.topology import places
from infra.topology.supervised import LocalPlace
from models.errors import Misconfigured


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.backup", description=__doc__)
    parser.add_argument("verb", choices=("take", "restore"))
    parser.add_argument("--folder", type=Path, required=True, help="of the backup")
    parser.add_argument("--topology", type=Path, help="the folder of `make up-local`; without it a home with embedded databases")
    parser.add_argument("--ports", type=int, help="of the topology, if it was started before its folder remembered them")
    parser.add_argument("--at", help="of a topology: the moment that it is restored to, with its time zone")
    parser.add_argument("--archive", type=Path, help="of PostgreSQL's log, for --at: the topology's, or a copy of it")
    parser.add_argument("--later", type=Path, help="a backup after --at: its home and store are cut to the moment")
    parser.add_argument("--keys", type=Path, help="a file for the keys, sealed by BACKUP_PASSPHRASE")
    chosen = parser.parse_args(arguments)
    return told(lambda: _VERBS[chosen.verb](chosen))


def _take(chosen: argparse.Namespace) -> None:
    if chosen.keys:
        sealed_keys.seal(_home(chosen) / "keys", chosen.keys, _passphrase())
    _say(whole.take(_home(chosen), chosen.folder, _place(chosen)), f"backed up to {chosen.folder}")
    kept = (
        f"The keys are in {chosen.keys}, sealed: keep it elsewhere."
        if chosen.keys
        else "The keys are NOT in it: KEYS=file seals them."
    )
    sys.stdout.write(f"{kept}\n")


def _restore(chosen: argparse.Namespace) -> None:
    place = _place(chosen)
    moment = _moment(chosen)
    keys = sealed_keys.opened(chosen.keys, _passphrase()) if chosen.keys else b""  # before anything is written
    held = whole.restore_topology(chosen.folder, place, moment) if place else whole.restore(chosen.folder, _home(chosen))
    if keys:
        sealed_keys.lay_down(keys, _home(chosen))
    _say(held, f"restored to {_home(chosen)}")
    if moment and not moment.later:
        sys.stdout.write(
            f"Home and store are those of {chosen.folder}: LATER=backup brings what came between it and the moment.\n"
        )
    sys.stdout.write("Next: make verify\n")


def _home(chosen: argparse.Namespace) -> Path:
    place = _place(chosen)
    return Path(place.home) if place else Path(os.environ.get("STEWARD_HOME", "var"))


def _place(chosen: argparse.Namespace) -> LocalPlace | None:
    return places.chosen(chosen.topology, chosen.ports) if chosen.topology else None


def _moment(chosen: argparse.Namespace) -> Moment | None:
    if not chosen.at:
        return None
    if not chosen.topology:
        raise Misconfigured("a home alone has only the moment of its backup", hint="AT=… is for a topology: UP=a-new-folder")
    if not chosen.archive:
        raise Misconfigured("AT needs the archive of PostgreSQL's log", hint="ARCHIVE=var/up/data/archive, or a copy of it")
    return Moment(moment_of(chosen.at), chosen.archive, chosen.later)


def _passphrase() -> str:
    return os.environ.get("BACKUP_PASSPHRASE", "")


def _say(held: Manifest, what: str) -> None:
    rows = sum(sum(tables.values()) for tables in held.rows.values())
    sys.stdout.write(f"{what}: {rows:,} rows in {len(held.rows)} databases, as of {held.taken_at}\n")


_VERBS = {"take": _take, "restore": _restore}

if __name__ == "__main__":
    sys.exit(main())
