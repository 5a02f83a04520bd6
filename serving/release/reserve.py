"""Keeps the local copies up to date, and starts from them what the release channel does not let start.

A service that starts is as one that ran on: what a running service would answer on with from memory, a starting one answers
with from the copy, after everything in it was verified again. What a running service would stop, is not started.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from models.channel import Release, ReleaseReader, release
from models.clock import Clock
from models.errors import Integrity, NotApproved, NotFound, PlatformError, Unavailable
from models.governance.signing import Signed, Trust
from serving.answers.loaded import LoadedModel
from serving.answers.prediction import Predictor
from serving.release.copies import Copies, Copy, copied
from serving.release.halting import StopSwitch
from serving.release.memory import POINTERS, Seen
from serving.release.standing import approved_now, shows

logger = logging.getLogger("steward.serving")

_State = tuple[int, tuple[Signed, ...], int]  # pointer, approvals and stop document that a copy was made of


class Reserve:
    """One caller at a time."""

    def __init__(
        self,
        copies: Copies,
        channel: ReleaseReader,
        clock: Clock,
        predictor: Predictor,
        load: Callable[[Release], LoadedModel],
        seen: Seen,
        check_every: int,
    ) -> None:
        self._copies = copies
        self._channel = channel
        self._clock = clock
        self._predictor = predictor
        self._load = load
        self._seen = seen
        self._check_every = check_every
        self._kept: dict[str, tuple[_State, int]] = {}  # and for how many looks it counts
        self._problems: dict[str, PlatformError] = {}

    def names(self) -> list[str]:
        """Whose copy may be served: not of what was stopped for want of an approval."""
        return [name for name in self._copies.models() if name not in self._predictor.stopped]

    def serve(self, name: str, trust: Trust) -> None:
        """Swap the copy in. Raises `Integrity` or `NotApproved` if it does not pass, `Unavailable`."""
        try:
            copy = self._copies.reader(name)
            self._obey(copy, name, trust)
            found = release(copy, trust, name, now=self._clock.now())
            self._seen.check(POINTERS, name, found.pointer)
            self._predictor.swap(self._approved(self._load(found), trust))
            logger.warning(
                "serving %s version %s from its local copy, stale until the channel confirms it", name, found.pointer.version
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Integrity(f"the local copy of {name} cannot be read: {error}", hint=_HINT) from error
        except (Integrity, NotApproved, NotFound) as error:
            kind = NotApproved if isinstance(error, NotApproved) else Integrity
            raise kind(f"the local copy of {name} is refused: {error.problem}", hint=_HINT) from error

    def keep(self, trust: Trust) -> dict[str, PlatformError]:
        """Copy what is served, and forget what must not be. Returns by model what went wrong."""
        for name, model in self._predictor.models.items():
            self._told(name, partial(self._copy_if_due, model, trust))
        for name in self._predictor.stopped:
            self._kept.pop(name, None)
            self._told(name, partial(self._copies.forget, name))
        return self._problems

    def _told(self, name: str, act: Callable[[], bool | None]) -> None:
        """A problem stays until the same is tried again."""
        try:
            if act() is not False:
                self._problems.pop(name, None)
        except PlatformError as error:
            self._problems[name] = error

    def _copy_if_due(self, model: LoadedModel, trust: Trust) -> bool:
        """Whether it was: when pointer, approvals or stop changed, and now and then to mend what lies there."""
        if not shows(self._channel, model):
            return False
        name = model.pointer.model
        state = model.pointer.sequence, model.release.approvals, self._channel.stops(name)
        kept, looks = self._kept.pop(name, (None, 0))
        due = kept != state or looks >= self._check_every
        copy = self._copied(model, trust) if due else None
        self._kept[name] = state, 0 if due else looks + 1
        if copy:
            self._copies.keep(copy)
        return due

    def _copied(self, model: LoadedModel, trust: Trust) -> Copy:
        try:
            return copied(self._channel, trust, model.pointer, self._clock.now())
        except (Integrity, NotApproved, NotFound) as error:
            if model.pointer.model in self._predictor.halted:  # a stop that cannot be copied must not be missing from the copy
                self._copies.forget(model.pointer.model)
            raise Integrity(f"no local copy can be made from the release channel: {error.problem}", error.hint) from error

    def _approved(self, loaded: LoadedModel, trust: Trust) -> LoadedModel:
        """By the channel's approvals, as far as it answers: one that was withdrawn must not come back when it goes away."""
        try:
            return replace(loaded, release=approved_now(loaded, self._channel, trust, self._clock.now()))
        except NotApproved:
            self._copies.forget(loaded.pointer.model)
            raise

    def _obey(self, copy: ReleaseReader, name: str, trust: Trust) -> None:
        """The stop document of the copy, where the channel says nothing newer and nothing is obeyed already."""
        newer = 0
        with suppress(Unavailable):
            newer = self._channel.stops(name)
        if name not in self._predictor.halted and newer < max(copy.stops(name), 1):
            StopSwitch(copy, self._clock, self._predictor, self._load, self._seen).look(name, trust)


_HINT = "it is verified like anything from the release channel: bring that back; a copy is made anew from it"
