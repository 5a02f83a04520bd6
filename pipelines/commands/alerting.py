"""The commands about alerts: see them, say that one is at it or that it is settled, and send what waits."""

from argparse import Namespace

from models.governance.alert_acts import Doing
from monitoring.alerts.acts import act
from monitoring.alerts.alert import Alert
from monitoring.alerts.book import every_open
from pipelines.alerting import told
from pipelines.commands.loop import Ended
from pipelines.wiring import Platform, platform


def alerts(chosen: Namespace) -> Ended:
    """Those that are open, of all models, as the last round left them; held for a person if there is any."""
    parts = platform(use_case=chosen.model or "")
    found = every_open(parts.alert_book)
    for alert in found:
        print("\n".join(_lines(alert, parts)))
    if not found:
        print("No alert is open.")
        return Ended.DONE
    print(f'{len(found)} open. Next: make acknowledge ALERT=… BY=… REASON="…"; once it is settled: make close-alert')
    return Ended.HELD


def send(chosen: Namespace) -> Ended:
    """What `make schedule` does every few minutes."""
    parts = platform(use_case=chosen.model or "")
    done = told(parts)[1]
    names = ", ".join(channel.name for channel in parts.alert_channels) or "none: STEWARD_PIPELINES_CHANNELS_FILE is not set"
    print(f"{done.sent} messages sent. Channels: {names}")
    for problem in done.failures.values():
        print(f"  {problem}; it is tried again")
    return Ended.HELD if done.failures else Ended.DONE


def acknowledge(chosen: Namespace) -> Ended:
    done = _act(chosen, "acknowledge")
    print(f"alert {done.id} of {done.model}: {chosen.by} is at it; it closes when its cause is gone, or by make close-alert")
    return Ended.DONE


def close(chosen: Namespace) -> Ended:
    done = _act(chosen, "close")
    print(f"alert {done.id} of {done.model} is closed; it opens anew if a later month shows the same")
    return Ended.DONE


def _act(chosen: Namespace, doing: Doing) -> Alert:
    parts = platform(use_case=chosen.model or "")
    parts.attested()
    return act(parts.alert_book, parts.ledger, parts.clock, doing, chosen.alert, by=chosen.by, reason=chosen.reason)


def _lines(alert: Alert, parts: Platform) -> list[str]:
    """What, how bad, since when, what to do, where; and how it stands with people and channels."""
    late = ", overdue" if alert.overdue(parts.clock.now()) else ""
    lines = [
        f"{alert.id}  {alert.severity.upper():8}{alert.model}: {alert.text}",
        f"  since {alert.since}; {alert.owner or 'no owner'} until {alert.deadline[:16].replace('T', ' ')}{late}",
        f"  {alert.action}",
        f"  {parts.settings.console_url}{alert.evidence}   {alert.runbook}",
    ]
    if seen := alert.acknowledged:
        lines.append(f"  {seen.by} is at it since {seen.at[:16].replace('T', ' ')}: {seen.reason}")
    lines += [f"  not told yet: {notice.failure}" for notice in alert.notices if notice.failure]
    return lines
