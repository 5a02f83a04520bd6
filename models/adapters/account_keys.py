"""Keys of pseudonyms in a folder: `0001.key`, `0002.key`, ... of 32 secret bytes each, and `split.key`.

Files are only ever added, so a rotation is one exclusive link: a killed one leaves the old ring or the new one, and of two at
once each adds a generation of its own or fails. In the local profile the first key is made on first use; its split has no
key, so that every laptop trains on the same accounts. Anywhere else both are mounted, but for a home that began without.

The split never rotates: under another one no account would be found under its pseudonym of before. So a home notes a
fingerprint of its split with its first use, in `splits/`, and is not opened under another one. So it does of every key, in
`prints/`: a key that was lost or exchanged is said to be, and none is made in its place.
"""

import secrets
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from models.adapters import durable
from models.adapters.private import private_folder, tightened
from models.errors import Conflict, Misconfigured, Unavailable
from models.governance.pseudonyms import KEY_BYTES, Keyring, key_print, split_print

ACCOUNTS = "accounts"
AUDIT = "audit"
LOG = "log"
"""The keys that seal the decision log: a ring without a split. See `monitoring.chain`."""
FEW = 4_096
"""Accounts whose pseudonyms a process that runs on keeps at hand: whom it decides on hardly returns within moments."""
_SPLIT = "split.key"
_UNKEYED = f"without a {_SPLIT}", "take it away, this home goes on without in every profile"
_KEYED = f"with another {_SPLIT}", "restore that one from its backup"
_WHAT = {LOG: "the keys that seal the decision log"}


def keyring_of(home: Path, name: str, *, local: bool) -> Keyring:
    """The ring of a home. Raises `Misconfigured` also if its split is not the one that the home began with."""
    note, unkeyed = home / "splits" / name, split_print()
    ring = keyring(home / "keys", name, local=local, needs_split=not local and _noted(note) != unkeyed)
    given = split_print(ring.split)
    began = _noted(note, given)
    if began != given:
        before, back = _UNKEYED if began == unkeyed else _KEYED
        raise Misconfigured(
            f"{home} began {before}: with what is in {home / 'keys' / name} now, no account of before would be found",
            hint=f"{back}, or begin in a new home; only if nothing was ever stored in this one, remove {note}",
        )
    return ring


def keyring(keys: Path, name: str, *, local: bool, needs_split: bool = False) -> Keyring:
    """The ring in the folder `name` below `keys`. Raises `Misconfigured` if a key is missing or damaged."""
    folder = keys / name
    found, split = secret_keys(keys, name, local=local), folder / _SPLIT
    if needs_split and not split.exists():
        raise Misconfigured(
            f"there is no {split}", hint="mount 32 random bytes there, once and for ever: they say who is never trained on"
        )
    return Keyring(found, _split(split) if split.exists() else b"")


def secret_keys(keys: Path, name: str, *, local: bool, noting: bool = True) -> tuple[bytes, ...]:
    """The keys in the folder `name` below `keys`, oldest first. Raises `Misconfigured` if one is missing, damaged or another.

    `noting` writes down the fingerprints of keys that are new; who only looks must not.
    """
    folder, prints = keys / name, keys.parent / "prints" / name
    used = prints.exists() or (keys.parent / "splits" / name).exists()
    if local and not _files(folder) and not used:
        _add(folder, 1, unless_there=True)
    files, noted = _files(folder), sorted(path.name for path in prints.glob("[0-9]*"))
    whole = [path.stem for path in files] == [f"{number:04d}" for number in range(1, len(files) + 1)]
    if not files or not whole or len(files) < len(noted):
        what, there = _WHAT.get(name, "the keys that hide account ids"), ", ".join(path.name for path in files)
        raise Misconfigured(
            f"{what} are not all in {folder}: {there or 'there is none'}{f' of {len(noted)}' if noted else ''}",
            hint="mount 0001.key, 0002.key, ... of 32 random bytes each, without a gap; no key is ever taken away: restore"
            " what was there from its backup",
        )
    tightened(folder)
    found = tuple(map(_read, files))
    if any(len(key) != KEY_BYTES for key in found):
        raise Misconfigured(
            f"a key in {folder} has not {KEY_BYTES} bytes", hint="restore it from its backup: none can be made anew"
        )
    for path, key in zip(files, found, strict=True):
        mark = key_print(key)
        if _noted(prints / path.stem, mark if noting else "") not in ("", mark):
            raise Misconfigured(
                f"{path} is not the key that this home has used: what was stored under that one would not be found",
                hint=f"restore it from its backup; only if nothing was ever stored under it, remove {prints / path.stem}",
            )
    return found


def rotate(keys: Path, name: str, *, local: bool) -> int:
    """Add a generation and return its number. Raises `Misconfigured`, `Conflict`, `Unavailable`."""
    generation = len(secret_keys(keys, name, local=local)) + 1
    _add(keys / name, generation)
    secret_keys(keys, name, local=local)
    return generation


def _split(path: Path) -> bytes:
    """An empty key would be no key, and everybody could tell from an id whether a model was trained on it."""
    key = _read(path)
    if len(key) != KEY_BYTES:
        raise Misconfigured(
            f"{path} has {len(key)} bytes, not {KEY_BYTES}",
            hint="restore it from its backup; if it never was whole, mount 32 random bytes before anything is taken in",
        )
    return key


class LatestKeyring:
    """The ring of a process that runs on while keys rotate. Safe for several threads; `renew` has one caller at a time."""

    def __init__(self, home: Path, name: str, *, local: bool) -> None:
        self._where = home / "keys" / name
        self._read = partial(keyring_of, home, name, local=local)
        self._ring = replace(self._read(), remembered=FEW)

    def pseudonym(self, account: str) -> str:
        return self._ring.pseudonym(account)

    def known_as(self, account: str) -> list[str]:
        return self._ring.known_as(account)

    def renew(self) -> bool:
        """Take over a generation that was added; whether there was one. Raises `Misconfigured`; the ring stays then."""
        if len(_files(self._where)) == self._ring.newest:
            return False
        self._ring = replace(self._read(), remembered=FEW)
        return True


def _noted(note: Path, given: str = "") -> str:
    """The fingerprint that was noted first, or "": of several processes at once one notes what it was given, and all read it."""
    try:
        if given and not note.exists():
            with suppress(FileExistsError):
                durable.create(note, given.encode())
        return note.read_text() if note.exists() else ""
    except OSError as error:
        raise Unavailable(f"{note} cannot be used: {error.strerror}", hint="whoever runs this must own the home") from error


def _read(path: Path) -> bytes:
    try:
        return tightened(path).read_bytes()
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}", hint="only its owner may read it") from error


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.key") if path.name != _SPLIT)


def _add(folder: Path, generation: int, *, unless_there: bool = False) -> None:
    path = folder / f"{generation:04d}.key"
    try:
        private_folder(folder)
        durable.create(path, secrets.token_bytes(KEY_BYTES), 0o600)
    except FileExistsError as error:
        if not unless_there:
            raise Conflict(f"{path} was made by somebody else meanwhile", hint="that rotation counts; none is needed") from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}", hint="nothing was changed") from error
