"""Telling the channels what waits in the alerts: claimed, sent, noted. Alerts are their own outbox, so none can be forgotten.

A round claims each letter before it sends it: another process leaves it alone until the claim runs out. Who dies between
sending and noting sends again after the pause, so a channel may hear a thing twice, and never not at all.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
    """One message, of the alerts that it is about; `notice` and whom it goes `to` is the same of all of them."""

    alerts: tuple[Alert, ...]
    notice: Notice
    to: tuple[str, ...]


def deliver(book: AlertBook, channels: Sequence[Channel], clock: Clock, console: str) -> Delivered:
    """Send what is due, of all models. Raises nothing that a channel does."""
    sent, failures = 0, dict[str, str]()
    for letter in _claimed(book, [channel.name for channel in channels], clock):
        taken, failed = _sent(letter, channels, console)
        failures |= failed
        sent += len(taken)
        book.revise(letter.alerts[0].model, _noting(letter, taken, failed))
    return Delivered(sent, failures)


def pause(attempts: int) -> timedelta:
    """After so many tries: one minute, two, four, and so on up to six hours."""
    return min(timedelta(minutes=2 ** min(attempts - 1, 20)), LONGEST_PAUSE)


def _claimed(book: AlertBook, names: Sequence[str], clock: Clock) -> Iterator[_Letter]:
    """One letter at a time: a claim need only last as long as one letter takes, however many there are."""
    began = clock.now()
    for model in book.models() if names else []:
        while claimed := book.revise(model, lambda alerts: _claims(alerts, names, began, clock.now())):
            yield next(_letters(claimed, names))


def _claims(alerts: Sequence[Alert], names: Sequence[str], began: datetime, now: datetime) -> list[Alert]:
    """The next letter's alerts, of those that were due when the round began: what fails in it waits for another."""
    letter = next(_letters([alert for alert in alerts if _due(alert, began)], names), None)
    if letter is None:
        return []
    tries = letter.notice.attempts + 1
    until = (now + max(pause(tries), LONGEST_SEND * (len(letter.to) + 1))).isoformat()
    return [_with(alert, notice, attempts=tries, next_try=until) for alert in letter.alerts if (notice := _waiting(alert))]


def _waiting(alert: Alert) -> Notice | None:
    return next((notice for notice in alert.notices if not notice.done), None)


def _due(alert: Alert, now: datetime) -> bool:
    notice = _waiting(alert)
    return notice is not None and (not notice.next_try or datetime.fromisoformat(notice.next_try) <= now)


def _letters(waiting: Sequence[Alert], names: Sequence[str]) -> Iterator[_Letter]:
    """Several inputs that shift at once are one message, not a storm. Pages first."""

    def alike(alert: Alert) -> tuple[str, ...]:
        notice = _waiting(alert)
        assert notice
        return (alert.severity, alert.kind, notice.event, str(notice.attempts), *_to(alert, notice, names))

    for _, found in groupby(sorted(waiting, key=alike), key=alike):
        alerts = tuple(found)
        notice = _waiting(alerts[0])
        assert notice
        yield _Letter(alerts, notice, _to(alerts[0], notice, names))


def _to(alert: Alert, notice: Notice, names: Sequence[str]) -> tuple[str, ...]:
    """Who is still to be told. That it is over, only who has heard that there was something."""
    heard = {name for each in alert.notices for name in each.taken_by}
    ask = [name for name in names if notice.event != "closed" or name in heard]
    return tuple(name for name in ask if name not in notice.taken_by)


def _sent(letter: _Letter, channels: Sequence[Channel], console: str) -> tuple[list[str], dict[str, str]]:
    said = message(letter.notice.event, letter.alerts, console)
    taken, failed = [], {}
    for channel in (channel for channel in channels if channel.name in letter.to):
        try:
            channel.send(said)
            taken.append(channel.name)
        except Unavailable as error:
            failed[channel.name] = error.problem
    return taken, failed


def _noting(letter: _Letter, taken: Sequence[str], failed: dict[str, str]) -> Callable[[Sequence[Alert]], list[Alert]]:
    """Notes what became of a letter in whatever the alerts are by now: somebody may have acted meanwhile."""
    ids = {alert.id for alert in letter.alerts}

    def noted(alert: Alert) -> Alert:
        notice = _waiting(alert)
        if notice is None or (notice.event, notice.attempts) != (letter.notice.event, letter.notice.attempts):
            # Overtaken: what there is to tell now is another thing, but who has heard of this one is to hear of its end.
            heard = letter.notice.model_copy(update={"taken_by": tuple(taken), "done": True, "failure": ""})
            return alert.model_copy(update={"notices": (heard, *alert.notices)}) if taken else alert
        done = not failed or notice.attempts >= ATTEMPTS
        return _with(alert, notice, taken_by=(*notice.taken_by, *taken), done=done, failure="; ".join(failed.values()))

    return lambda alerts: [after for alert in alerts if alert.id in ids and (after := noted(alert)) != alert]


def _with(alert: Alert, old: Notice, **changed: object) -> Alert:
    new = old.model_copy(update=changed)
    return alert.model_copy(update={"notices": tuple(new if notice == old else notice for notice in alert.notices)})
