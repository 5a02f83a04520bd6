"""What the clock shows of a model: what is late, held, unwatched or away; and the round that keeps its alerts."""

from models.errors import Integrity, NotApproved, NotFound, Unavailable
from models.governance.ledger import open_holds
from models.lake import OUTCOMES, SNAPSHOTS
from models.policy import MonitoringLimits
from monitoring.alerts.alert import Alert
from monitoring.alerts.delivery import Delivered, deliver
from monitoring.alerts.kinds import OF_THE_SERVICE
from monitoring.alerts.rounds import held, in_force_since, look_around, tampered, unanswered, unwatched
from monitoring.invariants.freshness import Present, late
from monitoring.report import newest
from monitoring.verdict import Finding, Kind
from pipelines.wiring import Platform


def raise_alerts(platform: Platform) -> list[Alert]:
    """Open, follow and close a model's alerts; returns those that changed. Nobody is told yet, so nothing can hang."""
    use_case, limits = platform.use_case, limits_in_force(platform)
    unheard = frozenset[Kind]() if platform.settings.service_metrics else OF_THE_SERVICE
    changed = look_around(use_case, platform.watchtower, limits, clock_says(platform, limits), unheard)
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


def clock_says(platform: Platform, limits: MonitoringLimits) -> list[Finding]:
    """All that needs no report to be seen."""
    model = platform.use_case.name
    overdue, changed = _watched(platform)
    return [
        *late(platform.use_case, present(platform), limits, platform.clock.now().date()),
        *held(open_holds(platform.ledger.entries(model))),
        *unwatched(overdue[:1].upper() + overdue[1:]),
        *tampered(changed),
        *unanswered(_away(platform)),
    ]


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
    decided = [report.bundle for _, report in newest(platform.reports, platform.use_case.name) if report.bundle]
    try:
        return platform.released_bundle(decided[0]).policy.monitoring if decided else platform.use_case.policy.monitoring
    except (NotFound, Integrity):  # `make verify` says what became of it
        return platform.use_case.policy.monitoring


def _watched(platform: Platform) -> tuple[str, str]:
    """What is wrong with how often the champion is watched; and with the champion itself, as it lies on the channel."""
    try:
        return " ".join(found.problem for found in platform.overdue(platform.use_case.name)), ""
    except (Integrity, NotApproved) as error:
        return "", f"The champion on the release channel is not what was released: {error.problem}"


def _away(platform: Platform) -> str:
    """What is wrong with the scoring service; "" if it answers, or nobody said where it is."""
    try:
        platform.read_service()
    except Unavailable as error:
        return error.problem[:1].upper() + error.problem[1:]
    return ""
