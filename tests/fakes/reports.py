"""A report store in memory."""

from collections.abc import Mapping

from models.bundle import canonical, sha256
from models.errors import NotFound
from monitoring.report import MonthlyReport, ReportKey


class FakeReportStore:
    def __init__(self) -> None:
        self._kept: dict[ReportKey, tuple[MonthlyReport, dict[str, bytes]]] = {}

    def add(self, report: MonthlyReport, documents: Mapping[str, bytes]) -> ReportKey:
        same = sum(report.recorded_at == kept.recorded_at for kept, _ in self._kept.values())
        key = ReportKey(report.model, report.month, f"{report.recorded_at}-{same + 1:03d}")
        self._kept[key] = (report, dict(documents))
        return key

    def models(self) -> list[str]:
        return sorted({key.model for key in self._kept})

    def keys(self, model: str, month: str | None = None) -> list[ReportKey]:
        found = [key for key in self._kept if key.model == model and month in (None, key.month)]
        return sorted(found, key=lambda key: (key.month, key.stamp), reverse=True)

    def read(self, key: ReportKey) -> MonthlyReport:
        return self._of(key)[0]

    def digest(self, key: ReportKey) -> str:
        return sha256(canonical(self.read(key).to_dict()))

    def document(self, key: ReportKey, name: str) -> bytes:
        documents = self._of(key)[1]
        if name not in documents:
            raise NotFound(f"{name} is not part of the report {key.month} of {key.model}", hint="open it from its report")
        return documents[name]

    def _of(self, key: ReportKey) -> tuple[MonthlyReport, dict[str, bytes]]:
        if key not in self._kept:
            raise NotFound(f"there is no report {key.stamp} of {key.model} {key.month}", hint="open the list of reports")
        return self._kept[key]
