"""Obeys the stop switch: the newest stop document of a model, looked at each time. See `models.governance.stop`.

Fail-closed: a document that is there and cannot be verified stops its model, too. Only a channel that is away changes
nothing, because then nothing new was said.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from models.channel import Release, ReleaseReader
from models.clock import Clock
from models.errors import Integrity, NotApproved, NotFound, PlatformError
from models.governance.signing import Trust
from models.governance.stop import Stop, Stopped, newest, stand_in
from serving.answers.loaded import LoadedModel
from serving.answers.prediction import Halt, Predictor
from serving.release.memory import STOPS, Seen

logger = logging.getLogger("steward.serving")


class StopSwitch:
    """One caller at a time."""

    def __init__(
        self, channel: ReleaseReader, clock: Clock, predictor: Predictor, load: Callable[[Release], LoadedModel], seen: Seen
    ) -> None:
        self._channel = channel
        self._clock = clock
        self._predictor = predictor
        self._load = load
        self._seen = seen

    def look(self, name: str, trust: Trust) -> None:
        """Raises `Unavailable` if the channel is away, and the state stays then; or if what was obeyed cannot be remembered."""
        try:
            found = self._newest(name, trust)
        except (Integrity, NotApproved, NotFound) as error:
            self._tell(name, Halt(_stopped(name, f"its stop document cannot be trusted: {error.problem}")))
            return
        self._tell(name, self._halt(found, trust, self._clock.now()) if found and found.stopped else None)
        if found:
            self._seen.remember(STOPS, name, found)

    def _newest(self, name: str, trust: Trust) -> Stop | None:
        found = newest(self._channel, trust, name)
        self._seen.check(STOPS, name, found)
        return found

    def _halt(self, found: Stop, trust: Trust, now: datetime) -> Halt:
        why = _stopped(found.model, found.reason)
        if not found.fallback:
            return Halt(why)
        try:
            release = stand_in(self._channel, trust, found, now)
            before = self._predictor.halted.get(found.model)
            if before and before.fallback and before.fallback.release == release:
                return replace(before, fallback=replace(before.fallback, fallback=found.reason), why=why)
            return Halt(why, replace(self._load(release), fallback=found.reason))
        except PlatformError as error:
            return Halt(_stopped(found.model, f"{found.reason}; and its fallback cannot answer: {error.problem}"))

    def _tell(self, name: str, halt: Halt | None) -> None:
        before = self._predictor.halted.get(name)
        if str(before and before.why) != str(halt and halt.why):
            logger.warning("%s: %s", name, halt.why.problem if halt else "goes on")
        self._predictor.halt(name, halt)


def _stopped(name: str, reason: str) -> Stopped:
    return Stopped(f"{name} is stopped: {reason}", hint="a person let nothing be decided; `make resume` lets it go on")
