"""The interpreter and what is installed beside it, by the distributions' own metadata, and the hashes that the lock admits."""

import platform
import re
import sys
import tomllib
from email.message import Message
from email.parser import HeaderParser
from importlib.metadata import distributions
from pathlib import Path

from models.errors import Misconfigured
from pipelines.adapters.checkout import LOCK_FILE
from pipelines.supply import UNKNOWN, Kind, Library, LicencePolicy, policy

LICENCE_FILE = Path("infra", "licences.toml")
_LOCKED = re.compile(r"^([a-z0-9-]+)==(\S+)((?:[^\n]*\\\n)+[^\n]*)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_SEPARATORS = re.compile(r"[-_.]+")
_INTERPRETERS = {"cpython": "PSF-2.0"}  # its licence file has a text and no name
_LONGEST = 60  # beyond this the field holds a licence's text, not its name


def installed(root: Path) -> tuple[Library, ...]:
    """The interpreter and every distribution on the path, by name; `root` is the folder that holds the lock file."""
    hashes = _locked(root / LOCK_FILE)
    libraries = {
        library.name: library for library in reversed([_part(text, hashes) for text in _metadata()])
    }  # the first on the path counts
    python = interpreter()
    libraries[python.name] = python
    return tuple(libraries[name] for name in sorted(libraries))


def interpreter() -> Library:
    """What runs all of it: it decides on results too, and the lock file does not name it."""
    name = sys.implementation.name
    return Library(name, platform.python_version(), _INTERPRETERS.get(name, UNKNOWN), kind=Kind.INTERPRETER)


def licence_policy(root: Path) -> LicencePolicy:
    """Raises `Misconfigured`."""
    path = root / LICENCE_FILE
    try:
        return policy(tomllib.loads(path.read_text()))
    except (OSError, ValueError) as error:
        raise Misconfigured(f"the licence policy {path} cannot be read", hint="restore it from the repository") from error


def _metadata() -> list[Message]:
    """The head of each distribution's METADATA; the long description below it is most of the file and not wanted."""
    texts = [found.read_text("METADATA") or found.read_text("PKG-INFO") or "" for found in distributions()]
    return [HeaderParser().parsestr(text.partition("\n\n")[0]) for text in texts if text]


def _part(head: Message, hashes: dict[tuple[str, str], tuple[str, ...]]) -> Library:
    name, version = _SEPARATORS.sub("-", str(head["Name"])).lower(), str(head["Version"])
    return Library(name, version, _licence(head), hashes.get((name, version), ()))


def _licence(head: Message) -> str:
    """The expression (PEP 639), else the short field, else the classifiers, all of which must then hold."""
    if expression := head["License-Expression"]:
        return str(expression)
    field = str(head["License"] or "").strip()
    if field and len(field) <= _LONGEST and "\n" not in field and field != "Dual License":
        return field
    classifiers = [str(text) for text in head.get_all("Classifier", []) if str(text).startswith("License :: OSI Approved ::")]
    return " AND ".join(sorted(text.rpartition(" :: ")[2] for text in classifiers)) or UNKNOWN


def _locked(lock: Path) -> dict[tuple[str, str], tuple[str, ...]]:
    text = lock.read_text() if lock.is_file() else ""
    return {(name, version): tuple(sorted(_HASH.findall(rest))) for name, version, rest in _LOCKED.findall(text)}
