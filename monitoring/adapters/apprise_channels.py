"""Channels by Apprise: webhooks, e-mail, Slack and many more, each an address in a file that only its owner may read.

An address holds tokens and passwords. It is never in a message of ours; and the libraries below, which would log it when
somebody asks for their details, say nothing while they send.
"""

import logging
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from models.alerting import Severity
from models.errors import Misconfigured, Unavailable
from monitoring.alerts.messages import Message

if TYPE_CHECKING:
    from apprise import Apprise

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_TALKATIVE = ("apprise", "urllib3", "urllib3.connectionpool", "requests")
_HINT = "one channel a line: a name and an Apprise address, e.g. `on-call jsons://hooks.bank.example/alerts`"


class AppriseChannel:
    """One address."""

    def __init__(self, name: str, address: "Apprise") -> None:
        self.name = name
        self._address = address

    def send(self, message: Message) -> None:
        with _silent():
            taken = self._address.notify(body=message.body, title=message.title, notify_type=_looks(message), body_format="text")
        if not taken:
            raise Unavailable(
                f"channel {self.name} did not take a message", hint="is its address in the channels' file right, and reachable?"
            )


def channels(path: Path | None) -> list[AppriseChannel]:
    """Those of the file; none if there is none. Raises `Misconfigured`, naming the line and never what it holds."""
    if path is None:
        return []
    try:
        lines = path.read_text().splitlines()
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"the channels' file {path} cannot be read", hint=_HINT) from error
    if mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise Misconfigured(f"others may read or change {path}, which holds secrets", hint=f"chmod 600 {path}")
    given = [(number, line.split(maxsplit=1)) for number, line in enumerate(lines, 1) if line.strip() and line.strip()[0] != "#"]
    found = [_channel(path, number, words) for number, words in given]
    if len({channel.name for channel in found}) < len(found):
        raise Misconfigured(f"two channels of {path} have one name", hint="give each its own")
    return found


def _channel(path: Path, number: int, words: list[str]) -> AppriseChannel:
    from apprise import Apprise, AppriseAsset

    # Without redirects: a token must not go where somebody else points. In this thread: it has an end that can be awaited.
    asset = AppriseAsset(app_id="Steward", app_desc="Steward", app_url="", async_mode=False, http_redirects=False)
    address = Apprise(asset=asset)
    with _silent():
        right = len(words) == 2 and _NAME.fullmatch(words[0]) is not None and address.add(words[1].strip())
    if not right:
        raise Misconfigured(f"line {number} of {path} names no channel", hint=_HINT)
    return AppriseChannel(words[0], address)


def _looks(message: Message) -> str:
    """Apprise's own kinds of notes: they give a message its colour and sign."""
    if message.over:
        return "success"
    return "failure" if message.severity is Severity.PAGE else "warning"


@contextmanager
def _silent() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled
