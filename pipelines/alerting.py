"""What the clock shows of a model: what is late, held, unwatched or away; and the round that keeps its alerts."""

from collections.abc import Callable

from models.channel import head, verified
from models.errors import Integrity, NotApproved, PlatformError, Unavailable
from models.governance.ledger import open_holds
from models.lake import OUTCOMES, SNAPSHOTS
from models.policy import MonitoringLimits
from monitoring.alerts.alert import Alert
from monitoring.alerts.delivery import Delivered, deliver
from monitoring.alerts.kinds import LATE, OF_THE_SERVICE
from monitoring.alerts.rounds import held, in_force_since, look_around, tampered, unanswered, unreadable, unwatched
from monitoring.invariants.freshness import Present, late
from monitoring.invariants.rules import service
from monitoring.report import newest
from monitoring.verdict import Finding, Kind
from pipelines.wiring import Platform


def raise_alerts(platform: Platform) -> list[Alert]:
    """Open, follow and close a model's alerts; returns those that changed. Nobody is told yet, so nothing can hang."""
    use_case, limits = platform.use_case, limits_in_force(platform)
    told, unheard = clock_says(platform, limits)
    changed = look_around(use_case, platform.watchtower, limits, told, unheard)
    for alert in changed:
        what = "closed" if alert.closed else alert.severity
        platform.progress.say(f"alert {alert.id} ({what}): {alert.text}")
    return changed


def send_alerts(platform: Platform) -> Delivered:
    """Tell the channels what waits, of all models."""
    done = deliver(platform.alert_book, platform.alert_channels, platform.clock, platform.settings.console_url)
    for channel, problem in done.failures.items():
        platform.progress.say(f"{channel}: {problem}; it is tried again")
    return done


def told(platform: Platform) -> tuple[list[Alert], Delivered]:
    """A round, then the channels: what waits is sent also where the round breaks off. Raises what the round did, afterwards."""
    try:
        changed = raise_alerts(platform)
    except PlatformError:
        send_alerts(platform)
        raise
    return changed, send_alerts(platform)


def clock_says(platform: Platform, limits: MonitoringLimits) -> tuple[list[Finding], frozenset[Kind]]:
    """All that needs no report to be seen, and the kinds that could not be looked at.

    A part that cannot be read costs its own kinds, and calls somebody itself: no alert waits for a database.
    """
    use_case = platform.use_case
    today = platform.clock.now().date()
    parts: list[tuple[str, frozenset[Kind], Callable[[], list[Finding]]]] = [
        ("what is late", LATE, lambda: late(use_case, present(platform), limits, today)),
        ("what is held", frozenset({"hold"}), lambda: held(open_holds(platform.ledger.entries(use_case.name)))),
        ("how the model is watched", frozenset({"report_late", "tampered"}), lambda: _watched(platform)),
        ("how the service does", OF_THE_SERVICE, lambda: _service(platform)),
    ]
    found, unheard = list[Finding](), set[Kind]()
    for name, kinds, read in parts:
        try:
            found += read()
        except PlatformError as error:
            found.append(unreadable(name, error.problem))
            unheard |= kinds
    return found, frozenset(unheard if platform.settings.service_metrics else unheard | OF_THE_SERVICE)


def present(platform: Platform) -> Present:
    """Which months are there, and since when somebody waits for them."""
    since = in_force_since(platform.ledger.entries(platform.use_case.name))
    if since is None:  # nobody waits yet, and looking into a lake or a log would make one
        return Present(frozenset(), frozenset(), frozenset(), None)
    lake = platform.lake
    return Present(
        snapshots=frozenset(part.month for part in lake.versions(SNAPSHOTS)),
        decisions=frozenset(platform.decisions.months(platform.use_case.name)),
        outcomes=frozenset(part.month for part in lake.versions(OUTCOMES)),
        in_force_since=since.date(),
        last=platform.source.last(),
    )


def limits_in_force(platform: Platform) -> MonitoringLimits:
    """Of the bundle that decided the newest month that was reported on; before there is one, those of the use case."""
    try:
        decided = [report.bundle for _, report in newest(platform.reports, platform.use_case.name) if report.bundle]
        return platform.released_bundle(decided[0]).policy.monitoring if decided else platform.use_case.policy.monitoring
    except PlatformError:  # a round says what cannot be read; `make verify` says what became of it
        return platform.use_case.policy.monitoring


def _watched(platform: Platform) -> list[Finding]:
    """What is wrong with how often the champion is watched; and with the champion itself, as it lies on the channel."""
    if changed := _changed(platform):
        return tampered(f"The champion on the release channel is not what was released: {changed}")
    overdue = " ".join(found.problem for found in platform.overdue(platform.use_case.name))
    return unwatched(overdue[:1].upper() + overdue[1:])


def _changed(platform: Platform) -> str:
    """What does not match of the champion; "" if all does, or there is none. Asks the channel alone."""
    model, channel = platform.use_case.name, platform.channel
    try:
        if channel.pointers(model):
            verified(channel, model, head(channel, platform.trust(), model).bundle)
    except (Integrity, NotApproved) as error:
        return error.problem
    return ""


def _service(platform: Platform) -> list[Finding]:
    """What is wrong with the scoring service; nothing if it keeps what is promised, or nobody said where it is."""
    try:
        figures = platform.read_service()
    except Unavailable as error:
        return unanswered(error.problem[:1].upper() + error.problem[1:])
    return service(figures, platform.use_case.alerting.objectives) if figures else []
