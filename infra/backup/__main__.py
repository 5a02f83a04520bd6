"""`python -m infra.backup take | restore`: see docs/operations.md."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.backup import sealed_keys, whole
from infra.backup.manifest import Manifest
from infra.topology import ports
from infra.topology.supervised import LocalPlace
from models.errors import PlatformError


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.backup", description=__doc__)
    parser.add_argument("verb", choices=("take", "restore"))
    parser.add_argument("--folder", type=Path, required=True, help="of the backup")
    parser.add_argument("--topology", type=Path, help="the folder of `make up-local`; without it a home with embedded databases")
    parser.add_argument("--ports", type=int, default=ports.FIRST)
    parser.add_argument("--keys", type=Path, help="a file for the keys, sealed by BACKUP_PASSPHRASE")
    chosen = parser.parse_args(arguments)
    try:
        _VERBS[chosen.verb](chosen)
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


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
    held = whole.restore_topology(chosen.folder, place) if place else whole.restore(chosen.folder, _home(chosen))
    if chosen.keys:
        sealed_keys.unseal(chosen.keys, _home(chosen), _passphrase())
    _say(held, f"restored to {_home(chosen)}")
    sys.stdout.write("Next: make verify\n")


def _home(chosen: argparse.Namespace) -> Path:
    place = _place(chosen)
    return Path(place.home) if place else Path(os.environ.get("STEWARD_HOME", "var"))


def _place(chosen: argparse.Namespace) -> LocalPlace | None:
    return LocalPlace(chosen.topology.resolve(), chosen.ports) if chosen.topology else None


def _passphrase() -> str:
    return os.environ.get("BACKUP_PASSPHRASE", "")


def _say(held: Manifest, what: str) -> None:
    rows = sum(sum(tables.values()) for tables in held.rows.values())
    sys.stdout.write(f"{what}: {len(held.files):,} files, {rows:,} rows in {len(held.rows)} databases, of {held.taken_at}\n")


_VERBS = {"take": _take, "restore": _restore}

if __name__ == "__main__":
    sys.exit(main())
