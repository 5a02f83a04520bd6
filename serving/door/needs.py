"""What each path needs of whoever asks. A path that no rule names needs a key that may do everything: none opens by mistake."""

import re
from dataclasses import dataclass
from functools import lru_cache

from models.governance.api_keys import EVERY, Action

HEALTH = frozenset({"/health/live", "/health/answering", "/health/ready", "/ping", "/v2/health/live", "/v2/health/ready"})
"""Answered to whoever asks, at any load; readiness tells the details only to who may read."""

LONGEST = 256
"""Characters of a path that asks for a score, at most."""

_OF_MODEL = re.compile(r"/v1/models/([^/]+)/(score|counterfactual)")
_INFERENCE = re.compile(r"/v2/models/([^/]+)(?:/versions/[^/]+)?(/infer|/ready)?")
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
    "/v2": _READ,
    "/openapi.json": _READ,
    "/metrics": Need(frozenset({Action.READ}), EVERY),  # it counts by model, for whoever watches them all
    "/invocations": Need(frozenset({Action.SCORE})),  # which model is said by a header, or not at all: asked again there
}


def to_score(model: str) -> Need:
    return Need(frozenset({Action.SCORE}), model)


_SCORE = to_score("").actions


def asks_for_a_score(method: str, path: str) -> bool:
    """By whichever protocol. Nothing of a path is remembered that is longer than ours are."""
    return method == "POST" and len(path) <= LONGEST and needed(path).actions == _SCORE


def ours(path: str) -> bool:
    """Whether there is such a path: any other is nothing but what a caller wrote."""
    return len(path) <= LONGEST and needed(path) != _EVERYTHING


@lru_cache(maxsize=1_024)
def needed(path: str) -> Need:
    if path in _FIXED:
        return _FIXED[path]
    if found := _OF_MODEL.fullmatch(path):
        return Need(frozenset({Action(found[2])}), found[1])
    if found := _INFERENCE.fullmatch(path):
        return Need(frozenset({Action.SCORE if found[2] == "/infer" else Action.READ}), found[1])
    return Need(frozenset({Action.REVIEW})) if _REVIEW.fullmatch(path) else _EVERYTHING
