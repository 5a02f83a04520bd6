"""Alerts in a folder: one file of all alerts of a model, replaced as a whole under a lock."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from models.adapters import durable
from models.errors import Integrity, NotFound, Unavailable
from monitoring.alerts.alert import Alert
from monitoring.alerts.book import Revision, merged

_MODEL = re.compile(r"[a-z][a-z0-9_]{0,63}")
_FILE = TypeAdapter(list[Alert])


class AlertFolder:
    """An `AlertBook` on one file system; safe for several processes on one machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def models(self) -> list[str]:
        with self._translated():
            names = sorted(path.stem for path in self._root.glob("*.json")) if self._root.is_dir() else []
        return [name for name in names if _MODEL.fullmatch(name)]

    def alerts(self, model: str) -> list[Alert]:
        if not _MODEL.fullmatch(model):  # names become paths: nothing that could leave the folder gets through
            return []
        path = self._root / f"{model}.json"
        try:
            with self._translated():
                return _FILE.validate_json(path.read_bytes()) if path.exists() else []
        except ValidationError as error:
            raise Integrity(
                f"the alerts in {path} cannot be read",
                hint="restore the file from its backup; without it, make report raises anew what is still seen",
            ) from error

    def revise(self, model: str, revision: Revision) -> list[Alert]:
        if not _MODEL.fullmatch(model):
            raise NotFound(f"{model!r} is no name of a model", hint="small letters, digits and underscores")
        with self._translated(), self._locked(model):
            before = self.alerts(model)
            changed = list(revision(before))
            if changed:
                durable.replace(self._root / f"{model}.json", _FILE.dump_json(merged(before, changed), indent=1))
            return changed

    @contextmanager
    def _locked(self, model: str) -> Iterator[None]:
        self._root.mkdir(parents=True, exist_ok=True)
        file = os.open(self._root / f".{model}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable(
                f"the alerts in {self._root} cannot be reached: {error.strerror}",
                hint="check the folder, its rights and the free space, then: make report",
            ) from error
