"""Living through a drill: the production schedule, window by window, on an injected clock, with a fault in it.

On a month's last day its accounts are scored through the running service. On the first of the next month, at the hours of
the schedule, the month is taken in, monitored, and retraining is considered. Nothing is trained: a drill asks what is noticed.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from typing import Any, Protocol

from models.clock import Month, end_of_day
from models.errors import PlatformError
from models.governance.ledger import Hold
from monitoring.alerts.alert import Alert
from monitoring.report import MonthlyReport
from pipelines.drills.catalogue import START, Drill, Weight
from pipelines.drills.noticing import Lived, Log

BATCH = 100  # accounts in one request: a batch that is answered as quickly as the service promises
LASTS = timedelta(minutes=15)  # how long an outage has lasted when the alerts' own schedule looks at it
ROUNDS = 6  # days after the first on which the alerts' own schedule is looked at: it runs every few minutes
INGEST, MONITOR, RETRAIN = clock_time(2), clock_time(4), clock_time(6)  # as the schedule's defaults


class Plant(Protocol):
    """A home with the fault's source, at the time that it is told."""

    def at(self, now: datetime) -> None: ...

    def accounts(self, month: Month) -> Sequence[Mapping[str, Any]]:
        """The records that the bank would ask about at the end of the month."""
        ...

    def ingest(self) -> Sequence[Hold]:
        """Returns the holds that it opened. Raises what the flow would."""
        ...

    def watch(self) -> Sequence[MonthlyReport]: ...

    def look_around(self) -> None:
        """What the alerts' own schedule does: see what is late or away."""
        ...

    def alerts(self) -> Sequence[Alert]: ...

    def consider(self, reports: Sequence[MonthlyReport]) -> str:
        """What retraining would come to, in a word or two."""
        ...

    def verify(self) -> Sequence[str]:
        """What `make verify` finds."""
        ...


class Asked(Protocol):
    """The scoring service."""

    def score(self, records: Sequence[Mapping[str, Any]], key: str) -> object: ...

    def problems(self) -> Sequence[str]:
        """What its health says is wrong, now."""
        ...

    def await_problem(self) -> Sequence[str]:
        """The same, once there is one; none after a while."""
        ...

    def await_health(self) -> None:
        """Returns when what was put aside is in the log."""
        ...


def live(drill: Drill, plant: Plant, service: Asked, home: Any) -> Lived:
    begun, log = time.perf_counter(), Log(end_of_day(START.last_day))
    courses: list[str] = []
    lost = 0
    for window in range(1, drill.windows + 1):
        month, log.window = START.plus(window - 1), window
        _at(plant, log, end_of_day(month.last_day))
        refused = _score(drill, plant, service, month, log, home)
        reports = _first_of_the_month(drill, plant, month.plus(1), log, courses)
        lost += 0 if refused else _lost(drill, plant, month, reports)
    return Lived(drill, log.notices, courses, lost, time.perf_counter() - begun)


def _score(drill: Drill, plant: Plant, service: Asked, month: Month, log: Log, home: Any) -> bool:
    """True if anything was refused."""
    records, refused = plant.accounts(month), False
    with drill.outage(home) if drill.outage else nullcontext():
        for turn in range(drill.sent):
            for start in range(0, len(records), BATCH):
                try:
                    service.score(records[start : start + BATCH], f"{drill.name}-{month}-{turn}-{start}")
                except PlatformError as error:
                    refused = True
                    log.add(Weight.STOPPED, "scoring service", error.problem)
                    break
        for problem in service.await_problem() if drill.outage else service.problems():
            log.add(Weight.STOPPED, "health of the service", problem)
        if drill.outage:
            _at(plant, log, log.now + LASTS)
            with _noted(log, "alerts"), _alerted(plant, log):
                plant.look_around()
    if drill.outage:
        service.await_health()
    return refused


def _first_of_the_month(drill: Drill, plant: Plant, month: Month, log: Log, courses: list[str]) -> Sequence[MonthlyReport]:
    reports: Sequence[MonthlyReport] = ()
    _at(plant, log, datetime.combine(month.first_day, INGEST, UTC))
    with _noted(log, "ingest"):
        for hold in plant.ingest():
            log.add(Weight.STOPPED, "hold", f"{hold.what} ({hold.month})")
    _at(plant, log, datetime.combine(month.first_day, MONITOR, UTC))
    with _noted(log, "monitoring"), _alerted(plant, log):
        reports = plant.watch()
    _at(plant, log, datetime.combine(month.first_day, RETRAIN, UTC))
    with _noted(log, "retraining"):
        courses.append(plant.consider(reports))
    for day in range(1, ROUNDS + 1):
        _at(plant, log, datetime.combine(month.first_day + timedelta(days=day), RETRAIN, UTC))
        with _noted(log, "alerts"), _alerted(plant, log):
            plant.look_around()
    if drill.verified:
        for finding in plant.verify():
            log.add(Weight.STOPPED, "make verify", finding)
    return reports


@contextmanager
def _alerted(plant: Plant, log: Log) -> Iterator[None]:
    """Notes what calls somebody afterwards and did not before, also if the step breaks off."""
    before = plant.alerts()
    try:
        yield
    finally:
        for alert in _newly(before, plant.alerts()):
            log.add(Weight(alert.severity.value), f"alert {alert.kind}", alert.text)


def _newly(before: Sequence[Alert], after: Sequence[Alert]) -> list[Alert]:
    """Raised since, or become graver; the gravest first."""
    known = {(alert.id, alert.severity) for alert in before}
    new = [alert for alert in after if alert.is_open and (alert.id, alert.severity) not in known]
    return sorted(new, key=lambda alert: alert.severity.value != Weight.PAGE)


def _lost(drill: Drill, plant: Plant, month: Month, reports: Sequence[MonthlyReport]) -> int:
    """Decisions that were answered and that the month's report has not."""
    found = [report.decisions for report in reports if report.month == str(month)]
    return max(drill.sent * len(plant.accounts(month)) - found[0], 0) if found else 0


@contextmanager
def _noted(log: Log, by: str) -> Iterator[None]:
    """A step that refuses to go on is a failed flow, which a person sees."""
    try:
        yield
    except PlatformError as error:
        log.add(Weight.STOPPED, by, error.problem)


def _at(plant: Plant, log: Log, now: datetime) -> None:
    log.now = now
    plant.at(now)
