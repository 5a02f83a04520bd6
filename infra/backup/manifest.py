"""What a backup holds, by digest, and how many rows each table had. It is written last: without it there is no backup."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from models.adapters import durable
from models.errors import Integrity, NotFound

NAME = "manifest.json"
_CHUNK = 2**20


@dataclass(frozen=True)
class Manifest:
    taken_at: str
    """When the copy of the home began."""
    files: dict[str, str]
    """SHA-256 by path below the backup."""
    rows: dict[str, dict[str, int]]
    """Rows by table, by database."""
    written: dict[str, str]
    """When the original of each file was last written to."""
    databases_at: str = ""
    """When the base backup of a topology's databases was whole: from then on its moments can be reached."""

    def below(self, part: str) -> dict[str, str]:
        """`written` of one part, by path below it."""
        return {name.removeprefix(f"{part}/"): when for name, when in self.written.items() if name.startswith(f"{part}/")}

    def write(self, folder: Path) -> None:
        durable.replace(folder / NAME, json.dumps(asdict(self), indent=1, sort_keys=True).encode())


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / NAME)
    return {path.relative_to(folder).as_posix(): _digest(path) for path in files}


def written(folder: Path) -> dict[str, str]:
    """Of copies that kept their originals' times."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    times = {path: datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in files}
    return {path.relative_to(folder).as_posix(): time.isoformat() for path, time in times.items()}


def verified(folder: Path) -> Manifest:
    """Raises `NotFound` if no backup was completed there, `Integrity` if a file differs, is missing or is too many."""
    try:
        manifest = Manifest(**json.loads((folder / NAME).read_text()))
    except FileNotFoundError as error:
        raise NotFound(f"{folder} holds no completed backup", hint="its manifest.json is written last; take it again") from error
    found = digests(folder)
    for name in sorted(found.keys() | manifest.files.keys()):
        if found.get(name) != manifest.files.get(name):
            raise Integrity(f"the backup's {name} is not as it was taken", hint="use another backup; nothing was restored")
    return manifest


def _digest(path: Path) -> str:
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(_CHUNK):
            sha.update(data)
    return sha.hexdigest()
