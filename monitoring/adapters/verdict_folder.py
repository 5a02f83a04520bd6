"""Verdicts on roll-outs as files: `<root>/<model>/<number>/<recorded at>-<digest>.json`. Each is there whole or not at all."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from models.adapters import durable
from models.errors import Integrity, Unavailable
from monitoring.rollout.documents import VerdictDocument

_MODEL = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NUMBER = re.compile(r"[1-9]\d{0,8}")
_SHOWN = re.compile(r"[^.].*", re.DOTALL)  # a file that is still being written is hidden
_FILE = re.compile(r"\d{8}T\d{12}Z-[0-9a-f]{12}\.json")


class VerdictFolder:
    """A `VerdictStore` on one file system."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def add(self, document: VerdictDocument) -> str:
        instant = datetime.fromisoformat(document.recorded_at).astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        path = self._root / document.model / str(document.number) / f"{instant}-{document.digest[:12]}.json"
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            durable.replace(path, document.to_bytes())
        return document.digest

    def models(self) -> list[str]:
        with self._translated():
            return [name for name in _names(self._root, _MODEL) if _names(self._root / name, _NUMBER)]

    def rollouts(self, model: str) -> list[int]:
        if not _MODEL.fullmatch(model):  # names become paths: nothing that could leave the folder gets through
            return []
        with self._translated():
            return sorted((int(name) for name in _names(self._root / model, _NUMBER)), reverse=True)

    def found(self, model: str, number: int) -> list[tuple[str, VerdictDocument | None]]:
        if number not in self.rollouts(model):
            return []
        folder = self._root / model / str(number)
        with self._translated():
            return [(str(folder / name), _readable(folder / name)) for name in reversed(_names(folder, _SHOWN))]

    def verdicts(self, model: str, number: int) -> list[VerdictDocument]:
        if number not in self.rollouts(model):
            return []
        folder = self._root / model / str(number)
        with self._translated():
            return [_read(folder / name) for name in reversed(_names(folder, _FILE))]

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable(
                f"the verdicts in {self._root} cannot be reached: {error.strerror}",
                hint="check the folder, its rights and the free space, then judge the roll-out again",
            ) from error


def _read(path: Path) -> VerdictDocument:
    found = VerdictDocument.from_bytes(path.read_bytes())
    if path.stem[-12:] != found.digest[:12]:
        raise Integrity(f"the verdict {path.name} was edited", hint="restore it from its backup; the ledger names its digest")
    return found


def _readable(path: Path) -> VerdictDocument | None:
    try:
        return _read(path) if _FILE.fullmatch(path.name) and path.is_file() else None
    except Integrity:
        return None


def _names(folder: Path, rule: re.Pattern[str]) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if rule.fullmatch(path.name)) if folder.is_dir() else []
