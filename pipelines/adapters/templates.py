"""Empty databases of the tools, migrated once for this environment: that takes longer than anything a new home does with them."""

import os
import shutil
import sqlite3
import sys
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path


def keep(tool: str, database: Path) -> None:
    """Keep a copy of this SQLite database as the template of an installed tool."""
    _place(tool).parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(database)) as made, closing(sqlite3.connect(_place(tool))) as kept:
        made.backup(kept)


def begin(tool: str, database: Path) -> None:
    """A new home starts from the template, if there is one; else the tool migrates a database of its own."""
    if _place(tool).exists() and not database.exists():
        waiting = database.with_suffix(f".{os.getpid()}")
        shutil.copyfile(_place(tool), waiting)
        with suppress(FileExistsError):  # another process was first
            os.link(waiting, database)
        waiting.unlink()


def _place(tool: str) -> Path:
    """By version, so that another one never starts from the schema of this one."""
    return Path(sys.prefix) / "share" / "steward" / f"{tool}-{version(tool)}.db"
