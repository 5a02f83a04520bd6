"""An alert book in memory."""

from monitoring.alerts.alert import Alert
from monitoring.alerts.book import Revision, merged


class FakeAlertBook:
    def __init__(self) -> None:
        self._alerts: dict[str, list[Alert]] = {}

    def models(self) -> list[str]:
        return sorted(self._alerts)

    def alerts(self, model: str) -> list[Alert]:
        return list(self._alerts.get(model, []))

    def revise(self, model: str, revision: Revision) -> list[Alert]:
        changed = list(revision(self.alerts(model)))
        if changed:
            self._alerts[model] = merged(self.alerts(model), changed)
        return changed
