"""Telling the channels what waits in the alerts: claimed, sent, noted. Alerts are their own outbox, so none can be forgotten.

A round first claims what it is going to send: another process leaves it alone until the claim runs out. Who dies between
sending and noting sends again after the pause, so a channel may hear a thing twice, and never not at all.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Protocol

from models.clock import Clock
from models.errors import Unavailable
from monitoring.alerts.alert import Alert, Notice
from monitoring.alerts.book import AlertBook
from monitoring.alerts.messages import Message, message

ATTEMPTS = 20
"""Tries of one notice, over some four days; then it is given up, and says so."""
LONGEST_PAUSE = timedelta(hours=6)
LONGEST_SEND = timedelta(seconds=20)
"""Of one message to one channel, whatever the other side does."""


class Channel(Protocol):
    """One way to reach people. Its `name` is shown; its address is a secret."""

    @property
    def name(self) -> str: ...

    def send(self, message: Message) -> None:
        """Within `LONGEST_SEND`. Raises `Unavailable`, whose text names no address."""
        ...


@dataclass(frozen=True)
class Delivered:
    """What a round did. `failures` say by channel what went wrong."""

    sent: int
    failures: dict[str, str]


@dataclass(frozen=True)
class _Letter:
    """One message, of the alerts that it is about; `notice` is the same of all of them."""

    alerts: tuple[Alert, ...]
    notice: Notice


def deliver(book: AlertBook, channels: Sequence[Channel], clock: Clock, console: str) -> Delivered:
    """Send what is due, of all models. Raises nothing that a channel does."""
    sent, failures = 0, dict[str, str]()
    for model in book.models() if channels else []:
        now = clock.now()
        claimed = book.revise(model, partial(_claims, now))
        for letter in _letters(claimed):
            taken, failed = _sent(letter, channels, console)
            failures |= failed
            sent += len(taken)
            book.revise(model, _noting(letter, taken, failed, channels))
    return Delivered(sent, failures)


def pause(attempts: int) -> timedelta:
    """After so many tries: one minute, two, four, and so on up to six hours."""
    return min(timedelta(minutes=2 ** min(attempts - 1, 20)), LONGEST_PAUSE)


def _waiting(alert: Alert) -> Notice | None:
    return next((notice for notice in alert.notices if not notice.done), None)


def _due(alert: Alert, now: datetime) -> bool:
    notice = _waiting(alert)
    return notice is not None and (not notice.next_try or datetime.fromisoformat(notice.next_try) <= now)


def _claims(now: datetime, alerts: Sequence[Alert]) -> list[Alert]:
    return [_claimed(alert, now) for alert in alerts if _due(alert, now)]


def _claimed(alert: Alert, now: datetime) -> Alert:
    notice = _waiting(alert)
    assert notice
    tries = notice.attempts + 1
    return _with(alert, notice, notice.model_copy(update={"attempts": tries, "next_try": (now + pause(tries)).isoformat()}))


def _letters(claimed: Sequence[Alert]) -> Iterator[_Letter]:
    """Several inputs that shift at once are one message, not a storm."""

    def alike(alert: Alert) -> tuple[str, ...]:
        notice = _waiting(alert)
        assert notice
        return (alert.severity, alert.kind, notice.event, notice.next_try, str(notice.attempts), *notice.taken_by)

    for _, found in groupby(sorted(claimed, key=alike), key=alike):
        alerts = tuple(found)
        notice = _waiting(alerts[0])
        assert notice
        yield _Letter(alerts, notice)


def _sent(letter: _Letter, channels: Sequence[Channel], console: str) -> tuple[list[str], dict[str, str]]:
    said = message(letter.notice.event, letter.alerts, console)
    taken, failed = [], {}
    for channel in channels:
        if channel.name in letter.notice.taken_by:
            continue
        try:
            channel.send(said)
            taken.append(channel.name)
        except Unavailable as error:
            failed[channel.name] = error.problem
    return taken, failed


def _noting(
    letter: _Letter, taken: Sequence[str], failed: dict[str, str], channels: Sequence[Channel]
) -> Callable[[Sequence[Alert]], list[Alert]]:
    """Notes what became of a letter in whatever the alerts are by now: somebody may have acted meanwhile."""
    ids = {alert.id for alert in letter.alerts}

    def revision(alerts: Sequence[Alert]) -> list[Alert]:
        return [changed for alert in alerts if alert.id in ids and (changed := _noted(alert)) is not None]

    def _noted(alert: Alert) -> Alert | None:
        notice = _waiting(alert)
        if notice is None or (notice.event, notice.attempts) != (letter.notice.event, letter.notice.attempts):
            return None  # overtaken: what there is to tell now is another thing
        has = (*notice.taken_by, *taken)
        done = all(channel.name in has for channel in channels) or notice.attempts >= ATTEMPTS
        failure = "; ".join(failed.values())
        return _with(alert, notice, notice.model_copy(update={"taken_by": has, "done": done, "failure": failure}))

    return revision


def _with(alert: Alert, old: Notice, new: Notice) -> Alert:
    return alert.model_copy(update={"notices": tuple(new if notice == old else notice for notice in alert.notices)})
