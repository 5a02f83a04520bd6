"""The look at the release channel: what is new is loaded and swapped in, what is refused is kept as a problem to report.

What is served already is looked at again each time (`serving.release.standing`): a model whose approval ended or was withdrawn
is stopped; any other problem is reported while the verified copy in memory answers on. A service that starts meanwhile
answers on from its local copy (`serving.release.reserve`).
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from models.channel import Release, ReleaseReader, release
from models.clock import Clock
from models.errors import Integrity, NoChampion, NotApproved, PlatformError, Unavailable
from models.governance.signing import Trust
from monitoring.decisions import Intake
from serving.answers.loaded import LoadedModel
from serving.answers.prediction import Predictor
from serving.release.copies import Copies
from serving.release.halting import StopSwitch
from serving.release.memory import POINTERS, InProcess, Memory
from serving.release.memory import Seen as Known
from serving.release.reserve import Reserve
from serving.release.standing import approved_now, check_bytes, check_pointer
from serving.rollout.obeying import RolloutSwitch

logger = logging.getLogger("steward.serving")


@dataclass(frozen=True)
class Seen:
    """What the last look found wrong; None and empty when all is well.

    `stale` names the models of which the channel did not confirm that what is served is in force.
    """

    log: PlatformError | None
    channel: PlatformError | None
    models: Mapping[str, PlatformError]
    stale: frozenset[str] = frozenset()

    def named(self) -> dict[str, PlatformError]:
        general = {"decision log": self.log, "release channel": self.channel}
        return {name: problem for name, problem in general.items() if problem} | dict(self.models)


class Watcher:
    """Keeps a predictor at the head of the channel. One caller at a time; `seen` may be read by others.

    The files of a bundle in force are read and hashed again every `verify_every` looks, and at every look while they
    are wrong: a bundle is some megabytes, and a channel may be far away.
    """

    def __init__(
        self,
        channel: ReleaseReader,
        trust: Callable[[], Trust],
        clock: Clock,
        log: Intake,
        predictor: Predictor,
        load: Callable[[Release], LoadedModel],
        copies: Copies,
        verify_every: int = 30,
        memory: Memory | None = None,
        renew_keys: Callable[[], None] = lambda: None,
        rollouts: RolloutSwitch | None = None,
    ) -> None:
        self._channel = channel
        self._trust = trust  # read anew at each look: keys are added and withdrawn while a service runs
        self._clock = clock
        self._log = log
        self._predictor = predictor
        self._load = load
        self._verify_every = verify_every
        self._looks: dict[str, int] = {}  # at each model's bytes: since they were last found right
        self._trusted = Trust({})
        self._renew_keys = renew_keys
        self._known = Known(memory or InProcess())
        self._switch = StopSwitch(channel, clock, predictor, load, self._known)
        self._reserve = Reserve(copies, channel, clock, predictor, load, self._known, verify_every)
        self._rollouts = rollouts
        self._confirmed: set[str] = set()
        self.seen = Seen(None, NoChampion("the release channel was not looked at yet", hint="wait for the first look"), {})

    def look(self) -> None:
        """Swap in what is new and verified; an older release stays in service when a newer one is refused."""
        log = _problem(self._log.ping)
        keys = _problem(self._renew_keys)  # a rotation is met while running; with its old keys a service answers on
        self._confirmed.clear()
        models: dict[str, PlatformError] = {}
        channel = _problem(lambda: models.update(self._renew_all()))
        copies = self._start_from_copies()
        self._stop_unapproved()
        tried = self._try_out()
        copies |= self._reserve.keep(self._trusted)
        models = {f"local copy of {name}": problem for name, problem in copies.items()} | models
        models |= tried
        models |= self._predictor.stopped
        models |= {name: halt.why for name, halt in self._predictor.halted.items()}
        models |= {"keys": keys} if keys else {}
        stale = frozenset(self._predictor.models.keys() - self._confirmed)
        before, self.seen = self.seen, Seen(log, channel, models, stale)
        self._tell(before)

    def failed(self, error: Exception) -> None:
        """A look broke off over what nobody expected. It is told as long as looks do, and the next one is made all the same."""
        what = f"the look at the release channel broke off: {type(error).__name__}"
        broken = Unavailable(what, hint="no promotion, withdrawal or stop is noticed meanwhile; the service's log says where")
        if str(self.seen.channel) != str(broken):
            logger.critical("%s", broken, exc_info=error)
        self.seen = replace(self.seen, channel=broken, stale=frozenset(self._predictor.models))

    def obstacle(self) -> PlatformError | None:
        """Why no request can be answered now. A channel that is away is none while something is served.

        A stop holds from the instant at which it is obeyed, before the look that found it is over.
        """
        if self.seen.log or self._predictor.answering:
            return self.seen.log
        stopped = (*(halt.why for halt in self._predictor.halted.values()), *self._predictor.stopped.values())
        return next(iter((*stopped, *self.seen.models.values())), None) or self.seen.channel

    def unfit(self) -> PlatformError | None:
        """Why requests had better go to another replica; None if this one can give the service's answer, be it that nobody may
        have one: a person stopped the model, or its approval ended. That is so at every replica, and a proxy could not say it.

        One that never verified a release has no answer to give, nor has one that can record none.
        """
        if self._predictor.models or self._predictor.stopped:
            return self.seen.log
        return self.obstacle()

    def _renew_all(self) -> dict[str, PlatformError]:
        trust = _problem(self._renew_trust)
        names, known = self._channel.models(), self._predictor.models.keys() | self._reserve.names()
        if not names and not known:
            raise NoChampion("no model has been promoted yet", hint="run `make train`")
        if trust:
            raise trust
        return {name: problem for name in sorted({*names, *known}) if (problem := _problem(partial(self._renew, name)))}

    def _renew_trust(self) -> None:
        self._trusted = self._trust()

    def _start_from_copies(self) -> dict[str, PlatformError]:
        """Whatever kept the channel's own from being served; it is reported beside."""
        missing = [name for name in self._reserve.names() if name not in self._predictor.models]
        serve = self._reserve.serve
        return {name: problem for name in missing if (problem := _problem(partial(serve, name, self._trusted)))}

    def _renew(self, name: str) -> None:
        if self._no_longer_shows(name):
            raise Unavailable(
                f"the release channel no longer shows {name}; what was verified last stands",
                hint="is its folder there and mounted? no promotion and no withdrawal is noticed until it is back",
            )
        self._switch.look(name, self._trusted)
        served, newest = self._predictor.models.get(name), self._channel.pointers(name)
        if served is not None and newest == served.pointer.sequence:
            check_pointer(served, self._channel, self._trusted)
            self._confirmed.add(name)
            self._check_bytes(served)
            self._known.remember(POINTERS, name, served.pointer)
            return
        try:
            found = release(self._channel, self._trusted, name, now=self._clock.now())
        except (KeyError, TypeError, ValueError) as error:
            raise Integrity(
                f"the release of {name} cannot be read: {error}",
                hint="it was published by another release of the platform; promote one that fits",
            ) from error
        except NotApproved as why:
            if name in self._predictor.stopped:
                self._predictor.stop(name, why)  # what is missing now, not what was missing first
            raise
        self._known.check(POINTERS, name, found.pointer)
        self._predictor.swap(self._load(found))
        self._confirmed.add(name)
        self._known.remember(POINTERS, name, found.pointer)
        self._looks[name] = 0
        logger.info("serving %s version %s, bundle %s", name, found.pointer.version, found.pointer.bundle[:12])

    def _try_out(self) -> dict[str, PlatformError]:
        """What keeps a roll-out from being tried, by `roll-out of <model>`. A folder that is not mounted says nothing of them."""
        if self._rollouts is None:
            return {}
        names = {*self._predictor.models, *self._predictor.trials}
        look, shown = self._rollouts.look, [name for name in sorted(names) if not self._no_longer_shows(name)]
        found = {name: _problem(partial(look, name, self._trusted)) for name in shown}
        return {f"roll-out of {name}": problem for name, problem in found.items() if problem}

    def _no_longer_shows(self, name: str) -> bool:
        """Of what was verified once. An empty folder is one that is not mounted: it says nothing, of stops neither."""
        try:
            return not self._channel.pointers(name) and (name in self._predictor.models or name in self._reserve.names())
        except Unavailable:
            return False  # a stop may be readable all the same

    def _check_bytes(self, served: LoadedModel) -> None:
        name = served.pointer.model
        self._looks[name] = self._looks.get(name, 0) + 1
        if self._looks[name] >= self._verify_every:
            check_bytes(served, self._channel)
            self._looks[name] = 0

    def _stop_unapproved(self) -> None:
        """Also while the channel is away: an approval ends by the clock. A renewed approval is taken over."""
        for name, served in self._predictor.models.items():
            try:
                standing = approved_now(served, self._channel, self._trusted, self._clock.now())
            except NotApproved as why:
                self._predictor.stop(name, why)
            else:
                if standing != served.release:
                    self._predictor.swap(replace(served, release=standing))

    def _tell(self, before: Seen) -> None:
        """What stays wrong is not said at every look."""
        known = before.named()
        for name, problem in self.seen.named().items():
            if str(known.get(name)) != str(problem):
                logger.log(logging.ERROR if name in self._predictor.stopped else logging.WARNING, "%s: %s", name, problem)


def _problem(act: Callable[[], None]) -> PlatformError | None:
    try:
        act()
    except PlatformError as error:
        return error
    return None
