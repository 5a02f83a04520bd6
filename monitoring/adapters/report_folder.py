"""Reports in a folder: `<root>/<model>/<month>/<recorded at>-<number>/`, each with report.json and its pages.

A report's folder is written beside its place under a hidden name, flushed, and renamed: it is there whole or not at all.
"""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from pydantic import ValidationError

from models.adapters import durable
from models.bundle import sha256
from models.errors import Integrity, NotFound, Unavailable
from monitoring.report import REPORT, MonthlyReport, ReportKey

_MODEL = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MONTH = re.compile(r"\d{4}-\d{2}")
_STAMP = re.compile(r"\d{8}T\d{12}Z-\d{3}")


class ReportFolder:
    """A `ReportStore` on one file system."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def add(self, report: MonthlyReport, documents: Mapping[str, bytes]) -> ReportKey:
        instant = datetime.fromisoformat(report.recorded_at).astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        files = {REPORT: json.dumps(report.to_dict(), indent=1, ensure_ascii=False).encode(), **documents}
        with self._translated():
            waiting = self._written(self._folder(report.model, report.month), files)
            for number in count(1):
                key = ReportKey(report.model, report.month, f"{instant}-{number:03d}")
                if _renamed(waiting, self._path(key)):
                    return key
        raise AssertionError("numbers do not end")

    def models(self) -> list[str]:
        with self._translated():
            return [name for name in _names(self._root, _MODEL) if _names(self._root / name, _MONTH)]

    def keys(self, model: str, month: str | None = None) -> list[ReportKey]:
        if not _MODEL.fullmatch(model):
            return []
        with self._translated():
            months = _names(self._root / model, _MONTH) if month is None else [month] if _MONTH.fullmatch(month) else []
            found = [ReportKey(model, name, stamp) for name in months for stamp in _names(self._folder(model, name), _STAMP)]
            return sorted(found, reverse=True)

    def read(self, key: ReportKey) -> MonthlyReport:
        data = self._bytes(key, REPORT)
        try:
            return MonthlyReport.from_dict(json.loads(data))
        except (ValueError, ValidationError, RecursionError) as error:
            raise Integrity(
                f"the report {key.model} {key.month} {key.stamp} is damaged",
                hint="run the monitoring of that month again: it adds a new report",
            ) from error

    def digest(self, key: ReportKey) -> str:
        return sha256(self._bytes(key, REPORT))

    def document(self, key: ReportKey, name: str) -> bytes:
        if name not in {document.name for document in self.read(key).documents}:
            raise NotFound(f"{name!r} is not a page of the report {key.month} of {key.model}", hint="open it from its report")
        return self._bytes(key, name)

    def _folder(self, model: str, month: str) -> Path:
        return self._root / model / month

    def _path(self, key: ReportKey) -> Path:
        return self._folder(key.model, key.month) / key.stamp

    def _written(self, folder: Path, files: Mapping[str, bytes]) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        waiting = durable.waiting_name(folder / "report")
        waiting.mkdir()
        for name, data in files.items():
            durable.write_synced(waiting / name, data)
        durable.sync_folder(waiting)
        return waiting

    def _bytes(self, key: ReportKey, name: str) -> bytes:
        valid = _MODEL.fullmatch(key.model) and _MONTH.fullmatch(key.month) and _STAMP.fullmatch(key.stamp)
        path = self._path(key) / name
        with self._translated():
            if valid and path.is_file():  # names become paths: nothing that could leave the folder gets through
                return path.read_bytes()
        raise NotFound(f"there is no report {key.stamp!r} of {key.model!r} {key.month!r}", hint="open the list of reports")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable(
                f"the reports in {self._root} cannot be reached: {error.strerror}",
                hint="check the folder, its rights and the free space, then run the monitoring again",
            ) from error


def _renamed(waiting: Path, place: Path) -> bool:
    """False if another report has the place: renaming onto a folder that is not empty fails."""
    try:
        waiting.rename(place)
    except OSError:
        if place.is_dir():
            return False
        shutil.rmtree(waiting, ignore_errors=True)
        raise
    durable.sync_folder(place.parent)
    return True


def _names(folder: Path, rule: re.Pattern[str]) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if rule.fullmatch(path.name)) if folder.is_dir() else []
