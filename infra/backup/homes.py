"""A home as files: lake, channel, ledger, evidence, and its SQLite databases by SQLite's own backup.

Keys are left out: whoever has the backup would have them. See `sealed_keys`.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from models.errors import Conflict, Misconfigured, Unavailable

KEYS = "keys"
LEDGER = "ledger.jsonl"
TRIES = 5
_LEFT_OUT = (
    f"{KEYS}/",
    "serving/copies/",
    "prefect/server.url",
    "stages/",
    "compose",
    "images/",
    "benchmarks/",
    "cdk/",
    "backups/",
)
"""Keys; what a service makes again; where a server was reached; what lies in `var` beside a home."""
_ANOTHERS = (KEYS, LEDGER, "supervisord.conf", "pyvenv.cfg")
"""A folder that has one of these is a home, a topology or an environment of its own: a stage, a replay. It may hold keys."""
_BESIDE_SQLITE = ("-wal", "-shm", "-journal")
_MAGIC = b"SQLite format 3\0"


def copy(home: Path, to: Path) -> dict[str, dict[str, int]]:
    """Rows by table of each SQLite database. What the ledger names is copied after it, and the ledger is seen to stand still:
    otherwise all of it is copied again. Raises `Conflict` if it never does."""
    for _ in range(TRIES):
        shutil.rmtree(to, ignore_errors=True)
        before = _ledger(home)
        rows = {path.relative_to(home).as_posix(): _copy(path, to / path.relative_to(home)) for path in _files(home)}
        if _ledger(home) == before:
            return {name: counted for name, counted in rows.items() if counted}
    raise Conflict("the ledger was written to during every copy", hint="take the backup when nothing is trained or promoted")


def ensure_empty(home: Path) -> None:
    """Raises `Misconfigured` if there is something already: nothing is ever overwritten by a restore."""
    if home.exists() and any(path.name != KEYS for path in home.iterdir()):
        raise Misconfigured(f"{home} is not empty", hint="restore into a new folder, look at it, then move it into place")


def bring_back(folder: Path, home: Path) -> None:
    """Raises as `ensure_empty` does."""
    ensure_empty(home)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copytree(folder, home, dirs_exist_ok=True)


def counts(home: Path) -> dict[str, dict[str, int]]:
    """Rows by table of each SQLite database in a home."""
    return {path.relative_to(home).as_posix(): _rows(path) for path in _files(home) if _is_sqlite(path)}


def _files(home: Path) -> Iterator[Path]:
    for path in sorted(_own(home)):
        name = path.relative_to(home).as_posix()
        if path.is_file() and not name.startswith(_LEFT_OUT) and not name.endswith(_BESIDE_SQLITE) and path.name != "lock":
            yield path


def _own(home: Path) -> Iterator[Path]:
    for folder, below, names in os.walk(home):
        here = Path(folder)
        below[:] = [name for name in below if not any((here / name / mark).exists() for mark in _ANOTHERS)]
        yield from (here / name for name in names)


def _copy(path: Path, to: Path) -> dict[str, int]:
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_sqlite(path):
        shutil.copy2(path, to)
        return {}
    where = f"{path.resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(where, uri=True)) as live, closing(sqlite3.connect(to)) as kept:
            live.backup(kept)
    except sqlite3.Error as error:
        raise Unavailable(f"{path} could not be copied: {error}", hint="is there room for the copy, and is it whole?") from error
    return _rows(to)


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def _rows(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {name: int(database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in tables}  # noqa: S608


def _ledger(home: Path) -> bytes:
    path = home / LEDGER
    return path.read_bytes() if path.exists() else b""
