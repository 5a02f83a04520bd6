"""Channels by Apprise: webhooks, e-mail, Slack and many more, each an address in a file that only its owner may read.

An address holds tokens and passwords. It is never in a message of ours; and the libraries below, which would log it when
somebody asks for their details, say nothing while they look at it, and are not listened to while they send.
"""

import json
import logging
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.alerting import Severity
from models.errors import Misconfigured, Unavailable
from monitoring.adapters import apprise_sending
from monitoring.alerts.delivery import LONGEST_SEND
from monitoring.alerts.messages import Message

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_TALKATIVE = ("apprise", "urllib3", "urllib3.connectionpool", "requests")
_SENDING = (sys.executable, "-P", apprise_sending.__file__)
_HINT = "one channel a line: a name and an Apprise address, e.g. `on-call jsons://hooks.bank.example/alerts`"


class AppriseChannel:
    """One address. Who answers a byte at a time passes every timeout of a connection: `longest` seconds bound the whole."""

    def __init__(self, name: str, address: str, longest: float) -> None:
        self.name = name
        self._address = address
        self._longest = longest

    def send(self, message: Message) -> None:
        said = {"address": self._address, "title": message.title, "body": message.body, "notify_type": _looks(message)}
        try:
            done = subprocess.run(  # noqa: S603 - this interpreter, a file of ours; the address goes to its input
                _SENDING, input=json.dumps(said), text=True, capture_output=True, timeout=self._longest, check=False
            )
        except subprocess.TimeoutExpired:  # `run` has killed it; the error itself holds nothing that is shown
            raise self._not_taken(f" within {self._longest:g} seconds") from None
        if done.returncode:
            raise self._not_taken()

    def _not_taken(self, when: str = "") -> Unavailable:
        return Unavailable(
            f"channel {self.name} did not take a message{when}",
            hint="is its address in the channels' file right, and reachable?",
        )


def channels(path: Path | None, longest: float = LONGEST_SEND.total_seconds()) -> list[AppriseChannel]:
    """Those of the file; none if there is none. Raises `Misconfigured`, naming the line and never what it holds."""
    if path is None:
        return []
    try:
        lines = path.read_text().splitlines()
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"the channels' file {path} cannot be read", hint=_HINT) from error
    if mode & (stat.S_IRWXO | stat.S_IRWXG):
        raise Misconfigured(f"others may read or change {path}, which holds secrets", hint=f"chmod 600 {path}")
    given = [(number, line.split(maxsplit=1)) for number, line in enumerate(lines, 1) if line.strip() and line.strip()[0] != "#"]
    found = [_channel(path, number, words, longest) for number, words in given]
    if len({channel.name for channel in found}) < len(found):
        raise Misconfigured(f"two channels of {path} have one name", hint="give each its own")
    return found


def _channel(path: Path, number: int, words: list[str], longest: float) -> AppriseChannel:
    with _silent():
        right = len(words) == 2 and _NAME.fullmatch(words[0]) and apprise_sending.address(words[1].strip()) is not None
    if not right:
        raise Misconfigured(f"line {number} of {path} names no channel", hint=_HINT)
    return AppriseChannel(words[0], words[1].strip(), longest)


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
