"""Reports that were read once are kept at hand: they never change, and a page of twelve months reads all twelve."""

from collections.abc import Mapping
from functools import lru_cache

from monitoring.report import MonthlyReport, ReportKey, ReportStore

REMEMBERED = 240
"""Twenty models' years; a report takes some hundred kilobytes."""


class RememberedReports:
    """A `ReportStore` whose reports are read once. A damaged one is asked for again each time."""

    def __init__(self, store: ReportStore) -> None:
        self._store = store
        self._read = lru_cache(maxsize=REMEMBERED)(store.read)

    def add(self, report: MonthlyReport, documents: Mapping[str, bytes]) -> ReportKey:
        return self._store.add(report, documents)

    def models(self) -> list[str]:
        return self._store.models()

    def keys(self, model: str, month: str | None = None) -> list[ReportKey]:
        return self._store.keys(model, month)

    def read(self, key: ReportKey) -> MonthlyReport:
        return self._read(key)

    def digest(self, key: ReportKey) -> str:
        return self._store.digest(key)

    def document(self, key: ReportKey, name: str) -> bytes:
        return self._store.document(key, name)
