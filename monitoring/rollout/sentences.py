"""The sequential tests in words: who was decided upon how in which arm, and what the e-value says of it."""

from math import exp, log

import numpy as np

from models.policy import Action
from monitoring.rollout.bets import CANARY, CONTROL, UNSEEN
from monitoring.rollout.family import ACTIONS, ARMS, ERRORS, FAVOURABLE, SCORE, Paths, Sequential, looked_at
from monitoring.rollout.findings import Finding, Standing, percent
from monitoring.rollout.observations import Classes

NOTHING_ON_DEFAULT = (
    "A roll-out tells nothing about default: whether these accounts pay is known when their outcomes are, months from now."
)
LARGEST = 700.0  # exp of more is no number


def said(test: Sequential, seen: Classes, paths: Paths, share: float, *, blamed: bool) -> Finding:
    """`blamed`: the family alarmed, and this test moved it most."""
    path = paths.tests[test.name]
    now, most = (float(path[-1]), float(path.max())) if path.size else (0.0, 0.0)
    outside = blamed or most >= log(test.limit)
    value, text = _figures(test.name, seen, share)
    evidence = f"e-value {number(now)}, {number(most)} at most; it alarms at {test.limit:,.0f} by itself"
    return Finding(
        name=test.name,
        standing=Standing.OUTSIDE if outside else Standing.WITHIN,
        text=f"{text} ({evidence}).",
        value=value,
        e_value=exp(min(now, LARGEST)),
        e_limit=test.limit,
        p_value=exp(-max(most, 0.0)),
    )


def number(log_value: float) -> str:
    value = exp(min(log_value, LARGEST))
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}" if value < 1e6 else f"{value:.1e}"


def _figures(test: str, seen: Classes, share: float) -> tuple[float, str]:
    """The figure that the test is about, and the sentence on it."""
    if test == ARMS:
        canary = float(np.mean(seen.arms == CANARY)) if seen.arms.size else 0.0
        return canary, f"{percent(canary)} of {seen.arms.size:,} accounts are in the canary, where {percent(share)} should be"
    classes = looked_at(test, seen)
    if test == FAVOURABLE:
        control, canary = seen.shares(classes, 0)
        many, others = (int(np.sum((seen.arms == arm) & (classes != UNSEEN))) for arm in (CANARY, CONTROL))
        told = f"{percent(canary)} of {many:,} accounts in the canary are favoured"
        return control - canary, f"{told}, {percent(control)} of {others:,} in the control"
    if test == ERRORS:
        control, canary = seen.shares(classes, 1)
        told = f"The first request failed for {percent(canary)} of the accounts in the canary, {percent(control)} in the control"
        return canary - control, told
    return _most_moved(test, seen)


def _most_moved(test: str, seen: Classes) -> tuple[float, str]:
    """Of several classes the one whose shares differ most."""
    classes = looked_at(test, seen)
    present = [int(at) for at in np.unique(classes) if at != UNSEEN]
    shares = {at: seen.shares(classes, at) for at in present} or {0: (0.0, 0.0)}
    at = max(shares, key=lambda each: abs(shares[each][1] - shares[each][0]))
    control, canary = shares[at]
    name = {ACTIONS: f"action {list(Action)[at]}", SCORE: f"bin {at + 1} of the score"}[test]
    told = f"{name[0].upper()}{name[1:]} makes up {percent(canary)} in the canary, {percent(control)} in the control"
    return canary - control, f"{told}: no other differs more"
