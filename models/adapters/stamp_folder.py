"""Time stamps as files beside the ledger: `<number>.tsr`, each the answer of the service as it came (RFC 3161)."""

from pathlib import Path

from models.adapters import durable
from models.errors import Unavailable


class StampFolder:
    """Nothing is written over."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, number: int, token: bytes) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            durable.create(self._folder / f"{number:08d}.tsr", token)
        except OSError as error:
            raise Unavailable(f"{error.filename} cannot be written: {error.strerror}", hint="make the folder writable") from error

    def all(self) -> dict[int, bytes]:
        found = sorted(path for path in self._folder.glob("*.tsr") if path.stem.isdecimal())
        return {int(path.stem): path.read_bytes() for path in found}
