"""The look for roll-outs: the challenger of one that applies is verified, warmed and tried; everything else ends the trial.

Fail-closed for the challenger, and for nobody else: what cannot be verified is not tried and is reported, and the champion
serves on. Only a channel that is away changes nothing, because then nothing new was said; and a process that starts without its
channel tries nothing.
"""

import logging
from collections.abc import Callable

from models.channel import Release, RolloutReader
from models.clock import Clock
from models.errors import Integrity, NotApproved, NotFound
from models.governance.signing import Trust
from models.governance.trial import challenger, standing
from models.rollout import Rollout, lapsed, newest
from serving.answers.loaded import LoadedModel
from serving.answers.prediction import Predictor
from serving.release.memory import ROLLOUTS, Seen
from serving.rollout.trial import Trial

logger = logging.getLogger("steward.serving")


class RolloutSwitch:
    """One caller at a time."""

    def __init__(
        self, channel: RolloutReader, clock: Clock, predictor: Predictor, load: Callable[[Release], LoadedModel], seen: Seen
    ) -> None:
        self._channel = channel
        self._clock = clock
        self._predictor = predictor
        self._load = load
        self._seen = seen

    def look(self, name: str, trust: Trust) -> None:
        """Raises what keeps a roll-out from being tried; `Unavailable` if the channel is away, and all stays as it is then."""
        try:
            begun = self._applying(name, trust)
            trial = self._trial(begun, trust) if begun else None
        except (KeyError, TypeError, ValueError) as error:
            self._tell(name, None)
            raise Integrity(f"the challenger of {name} cannot be read: {error}", hint=_HINT) from error
        except (Integrity, NotApproved, NotFound):
            self._tell(name, None)
            raise
        self._tell(name, trial)
        if trial and trial.given_up:
            raise trial.given_up

    def _applying(self, name: str, trust: Trust) -> Rollout | None:
        found = newest(self._channel, trust, name)
        self._seen.check(ROLLOUTS, name, found)
        if found:
            self._seen.remember(ROLLOUTS, name, found)
        served, halted = self._predictor.models.get(name), name in self._predictor.halted
        if not isinstance(found, Rollout) or halted or served is None or served.pointer.sequence != found.pointer:
            return None
        return None if lapsed(self._channel, found, self._clock.now()) else found

    def _trial(self, begun: Rollout, trust: Trust) -> Trial:
        before, now = self._predictor.trials.get(begun.model), self._clock.now()
        if before and before.begun == begun:
            before.renew(standing(self._channel, trust, begun, before.challenger.release, now))
            return before
        loaded = self._load(challenger(self._channel, trust, begun, now))
        return Trial(begun, self._predictor.models[begun.model], loaded)

    def _tell(self, name: str, trial: Trial | None) -> None:
        before = self._predictor.trials.get(name)
        if before is not trial:
            if trial:
                begun = trial.begun
                logger.warning(
                    "roll-out %s of %s: version %s as a %s", begun.number, name, begun.challenger_version, begun.mode.value
                )
            elif before:
                logger.warning("roll-out %s of %s applies no longer", before.begun.number, name)
            self._predictor.try_out(name, trial)


_HINT = "it was sealed for another release of the platform; end the roll-out: make end-rollout"
