"""API keys in a folder, `api/<name>.json` below the home's keys, one file a key, which only its owner may read.

A name is given once: a revoked key's file stays and says so. Otherwise the ledger's entries about a name would be about two keys.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from models.adapters import durable
from models.adapters.private import private_folder, tightened
from models.errors import Conflict, Misconfigured, NotFound, Unavailable
from models.governance.api_keys import ApiKey

FOLDER = "api"


class ApiKeyFiles:
    def __init__(self, keys: Path) -> None:
        self.folder = keys / FOLDER

    def all(self) -> list[ApiKey]:
        return [_read(path) for path in _paths(self.folder)]

    def find(self, name: str) -> ApiKey:
        known = {path.stem: path for path in _paths(self.folder)}
        if name not in known:
            raise NotFound(f"there is no key {name!r}", hint=f"there are: {', '.join(known) or 'none'}")
        return _read(known[name])

    def ensure_free(self, name: str) -> None:
        if (self.folder / f"{name}.json").exists():
            raise Conflict(
                f"there is or was a key {name!r}", hint="a name is given once; take another, such as one with the year"
            )

    def add(self, key: ApiKey) -> None:
        try:
            private_folder(self.folder)
            durable.create(self.folder / f"{key.name}.json", _bytes(key), 0o600)
        except FileExistsError:
            self.ensure_free(key.name)
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def replace(self, key: ApiKey) -> None:
        try:
            durable.replace(self.folder / f"{key.name}.json", _bytes(key), 0o600)
        except OSError as error:
            raise _unwritable(self.folder, error) from error


class LatestApiKeys:
    """The keys of a process that runs on while keys are made and revoked. One caller at a time."""

    def __init__(self, keys: Path) -> None:
        self._folder = keys / FOLDER
        self._marks: Mapping[Path, object] = {}
        self._keys: dict[Path, ApiKey] = {}

    @property
    def any(self) -> bool:
        """Whether there is a file of a key, in force or not."""
        return bool(self._marks)

    @property
    def keys(self) -> list[ApiKey]:
        return list(self._keys.values())

    def look(self) -> bool:
        """Read what has changed since the last look; whether anything has.

        Raises `Misconfigured` naming a file that cannot be read: it opens nothing, and the others are read all the same. If the
        folder cannot be read, the keys stay as they were.
        """
        marks = {path: _mark(path) for path in _paths(self._folder)}
        if marks == self._marks:
            return False
        found, damaged = {}, None
        for path in marks:
            try:
                found[path] = self._keys[path] if self._marks.get(path) == marks[path] else _read(path)
            except Misconfigured as error:
                damaged = damaged or error
        self._keys = found
        if damaged is not None:
            self._marks = {path: marks[path] if path in found else None for path in marks}  # looked at again each time
            raise damaged
        self._marks = marks
        return True


def _paths(folder: Path) -> list[Path]:
    try:
        names = os.listdir(folder)  # noqa: PTH208, a glob is silent about a folder that may not be read
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Misconfigured(
            f"the API keys in {folder} cannot be read: {error.strerror}", hint="whoever runs this must own the folder"
        ) from error
    return sorted(folder / name for name in names if name.endswith(".json") and not name.startswith("."))


def _mark(path: Path) -> object:
    """What tells one state of a file from the next; None if it was taken away meanwhile."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(path: Path) -> ApiKey:
    try:
        key = ApiKey.model_validate_json(tightened(path).read_bytes())
    except (OSError, ValidationError):
        raise Misconfigured(  # without the cause: it would show what stands in the file
            f"the key file {path} cannot be read", hint="restore it from its backup, or take it away: it opens nothing"
        ) from None
    if key.name != path.stem:
        raise Misconfigured(f"the key file {path} is of {key.name!r}", hint="put it back under its own name, or take it away")
    return key


def _bytes(key: ApiKey) -> bytes:
    return key.model_dump_json(indent=1).encode()


def _unwritable(folder: Path, error: OSError) -> Unavailable:
    return Unavailable(f"{folder} cannot be written: {error.strerror}", hint="whoever keeps the home's keys makes this change")
