"""What each path needs of whoever asks. A path that no rule names needs a key that may do everything: none opens by mistake."""

import re
from dataclasses import dataclass
from functools import lru_cache

from models.governance.api_keys import EVERY, Action

HEALTH = frozenset({"/health/live", "/health/ready", "/ping"})
"""Answered to whoever asks, at any load; readiness tells the details only to who may read."""

_OF_MODEL = re.compile(r"/v1/models/([^/]+)/(score|counterfactual)")
_REVIEW = re.compile(r"/v1/decisions/[^/]+/review")


@dataclass(frozen=True)
class Need:
    """`actions`: all of them. `model`: "" if none is asked by name."""

    actions: frozenset[Action]
    model: str = ""

    @property
    def nothing(self) -> bool:
        return not self.actions


_NOTHING = Need(frozenset())
_EVERYTHING = Need(frozenset(Action), EVERY)


_READ = Need(frozenset({Action.READ}))
_FIXED = dict.fromkeys(HEALTH, _NOTHING) | {
    "/v1/models": _READ,
    "/openapi.json": _READ,
    "/metrics": Need(frozenset({Action.READ}), EVERY),  # it counts by model, for whoever watches them all
    "/invocations": Need(frozenset({Action.SCORE})),  # which model is said by a header, or not at all: asked again there
}


def to_score(model: str) -> Need:
    return Need(frozenset({Action.SCORE}), model)


@lru_cache(maxsize=1_024)
def needed(path: str) -> Need:
    if path in _FIXED:
        return _FIXED[path]
    if found := _OF_MODEL.fullmatch(path):
        return Need(frozenset({Action(found[2])}), found[1])
    return Need(frozenset({Action.REVIEW})) if _REVIEW.fullmatch(path) else _EVERYTHING
