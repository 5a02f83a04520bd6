"""The look at the release channel: what is new is loaded and swapped in, what is refused is kept as a problem to report."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from models.channel import Release, ReleaseChannel, release
from models.clock import Clock
from models.errors import Integrity, NoChampion, PlatformError
from models.governance.approval import check_approval
from models.governance.signing import Trust
from monitoring.decisions import DecisionLog
from serving.prediction import LoadedModel, Predictor

logger = logging.getLogger("steward.serving")


@dataclass(frozen=True)
class Seen:
    """What the last look found wrong; None and empty when all is well."""

    log: PlatformError | None
    channel: PlatformError | None
    models: Mapping[str, PlatformError]

    def named(self) -> dict[str, PlatformError]:
        general = {"decision log": self.log, "release channel": self.channel}
        return {name: problem for name, problem in general.items() if problem} | dict(self.models)


class Watcher:
    """Keeps a predictor at the head of the channel. One caller at a time; `seen` may be read by others."""

    def __init__(
        self,
        channel: ReleaseChannel,
        trust: Callable[[], Trust],
        clock: Clock,
        log: DecisionLog,
        predictor: Predictor,
        load: Callable[[Release], LoadedModel],
    ) -> None:
        self._channel = channel
        self._trust = trust  # read anew at each look: keys are added and withdrawn while a service runs
        self._clock = clock
        self._log = log
        self._predictor = predictor
        self._load = load
        self.seen = Seen(None, NoChampion("the release channel was not looked at yet", hint="wait for the first look"), {})

    def look(self) -> None:
        """Swap in what is new and verified; an older release stays in service when a newer one is refused."""
        log = _problem(self._log.ping)
        models: dict[str, PlatformError] = {}
        channel = _problem(lambda: models.update(self._renew_all()))
        before, self.seen = self.seen, Seen(log, channel, models)
        for name, problem in self.seen.named().items():
            if str(before.named().get(name)) != str(problem):  # what stays wrong is not said at every look
                logger.warning("%s: %s", name, problem)

    def obstacle(self) -> PlatformError | None:
        """Why no request can be answered now. A channel that is away is none while something is served."""
        if self.seen.log or self._predictor.models:
            return self.seen.log
        return self.seen.channel or next(iter(self.seen.models.values()), None)

    def _renew_all(self) -> dict[str, PlatformError]:
        names = self._channel.models()
        if not names:
            raise NoChampion("no model has been promoted yet", hint="run `make train`")
        trust = self._trust()
        return {name: problem for name in names if (problem := _problem(partial(self._renew, name, trust)))}

    def _renew(self, name: str, trust: Trust) -> None:
        served, now = self._predictor.models.get(name), self._clock.now()
        if served is not None and self._channel.pointers(name) == served.pointer.sequence:
            check_approval(served.release.approval, trust, model=name, bundle=served.pointer.bundle, now=now)
            return
        try:
            found = release(self._channel, trust, name, now=now)
        except (KeyError, TypeError, ValueError) as error:
            raise Integrity(
                f"the release of {name} cannot be read: {error}",
                hint="it was published by another release of the platform; promote one that fits",
            ) from error
        self._predictor.swap(self._load(found))
        logger.info("serving %s version %s, bundle %s", name, found.pointer.version, found.pointer.bundle[:12])


def _problem(act: Callable[[], None]) -> PlatformError | None:
    try:
        act()
    except PlatformError as error:
        return error
    return None
