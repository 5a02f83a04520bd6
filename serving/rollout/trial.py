"""A roll-out that applies, as one process lives it: the challenger that is loaded, whether it is still asked, what it came to."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from threading import Lock

from models.channel import Release
from models.errors import PlatformError, Unavailable
from models.rollout import CANARY, CONTROL, Mode, Rollout
from serving.answers.checking import Record
from serving.answers.loaded import Judged, LoadedModel, expired

logger = logging.getLogger("steward.serving")


class Trial:
    """Safe for several threads. Of a shadow, `decides` is never true."""

    def __init__(self, begun: Rollout, champion: LoadedModel, challenger: LoadedModel) -> None:
        self.begun = begun
        self.champion = champion
        self.challenger = challenger
        self.decisions = Counter({CONTROL: 0, CANARY: 0})
        self.seconds = {CONTROL: 0.0, CANARY: 0.0}
        self.failures = 0
        self.timed = 0  # records that both bundles were timed for, by the one thread that scores off the hot path
        self.given_up: PlatformError | None = None
        self._in_a_row = 0
        self._counting = Lock()

    def decides(self, beside: LoadedModel, now: datetime) -> bool:
        """Whether accounts are drawn from what this model answers: the champion that the roll-out names, in its time."""
        begun = self.begun
        return begun.mode is Mode.CANARY and beside.pointer.sequence == begun.pointer and now < begun.ends

    def tried(self, asked: Sequence[Sequence[Record]], now: datetime) -> list[Sequence[Judged] | None]:
        """What the challenger decides about the records of several requests; None for a request that it fails at.

        If it fails at all of them together, each is asked by itself, so that none falls with another.
        """
        if self.given_up:
            return [None if records else () for records in asked]
        try:
            records = [record for each in asked for record in each]
            found = iter(self._judged(records, now) if records else ())
            split = [tuple(islice(found, len(each))) for each in asked]
        except Exception as error:  # noqa: BLE001, whatever it is, the champion answers
            if len(asked) > 1:
                return [one for each in asked for one in self.tried([each], now)]
            self._failed(error)
            return [None]
        if records:
            self._in_a_row = 0
        return [*split]

    def renew(self, release: Release) -> None:
        """The same challenger, under the approvals that the channel has now."""
        if release != self.challenger.release:
            self.challenger = replace(self.challenger, release=release)

    def count(self, arm: str, decisions: int, seconds: float) -> None:
        with self._counting:
            self.decisions[arm] += decisions
            self.seconds[arm] += seconds

    def _judged(self, records: Sequence[Record], now: datetime) -> Sequence[Judged]:
        """An approval may end between two looks at the channel."""
        if now >= self.challenger.expires_at:
            raise expired(self.challenger)
        return self.challenger.judged(records)

    def _failed(self, error: Exception) -> None:
        """Nothing of the error but its kind is told, unless it is one of ours: others may repeat what was sent."""
        what = error.problem if isinstance(error, PlatformError) else type(error).__name__
        with self._counting:
            self.failures += 1
            self._in_a_row += 1
            over = self._in_a_row >= self.begun.guardrails.failures_in_a_row and not self.given_up
            if over:
                self.given_up = Unavailable(
                    f"version {self.begun.challenger_version} failed {self._in_a_row} times in a row, and is asked no more: "
                    f"{what}",
                    hint="the champion answers for its accounts; make judge-rollout ends the roll-out, or make end-rollout",
                )
        level = logging.ERROR if over else logging.WARNING
        logger.log(level, "roll-out of %s: the challenger failed: %s", self.begun.model, what)
