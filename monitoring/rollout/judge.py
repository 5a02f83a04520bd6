"""The verdict on a roll-out: go on, roll back, or ask for promotion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, log

import numpy as np

from models.guardrails import Guardrails
from models.policy import Frozen
from monitoring.rollout import limits as policy
from monitoring.rollout.family import Paths, Sequential, family
from monitoring.rollout.findings import Finding, Standing
from monitoring.rollout.observations import Classes, Observation, Pairs, Segments, Service, as_signed, first_per_account
from monitoring.rollout.sentences import LARGEST, NOTHING_ON_DEFAULT, Told

NOTHING_SERVED = Service()
GROUPS = "groups"
NO_GROUPS = "No groups were judged: the policy has no fairness limits."
OTHER_GROUPS = "contract and policy name other groups than were signed when it began"
NOT_IN_SHADOW = "Groups and score were not judged in shadow; the swap-set report has the mix of groups."
POINTS = 120  # of a path that are kept for the chart


class State(StrEnum):
    GO_ON = "go on"
    ROLL_BACK = "roll back"
    ASK_FOR_PROMOTION = "ask for promotion"


@dataclass(frozen=True)
class Seen:
    """All that a verdict rests on. In shadow nobody has an arm; `pairs` is None where nothing was scored by both.

    `segments` come through the restricted table's door: `pipelines/fairness/segments.py`. `ungrouped` says why groups that should
    have been looked at were not: nothing passes then. `over`: its last instant is past; nothing is counted after that.
    """

    days: float
    observations: Sequence[Observation] = ()
    control: Service = NOTHING_SERVED
    canary: Service = NOTHING_SERVED
    pairs: Pairs | None = None
    segments: Sequence[Segments] = ()
    ungrouped: str = ""
    over: bool = False


class Trace(Frozen):
    """E-values by number of accounts, thinned out for a chart: of each test, and of the "family"."""

    accounts: tuple[int, ...] = ()
    e_values: Mapping[str, tuple[float, ...]] = {}
    limit: float = 20.0


class Verdict(Frozen):
    """`accounts` were seen; in a canary both arms together. `unseen` says what was not judged at all; no figure is in it."""

    state: State
    sentence: str
    findings: tuple[Finding, ...]
    accounts: int
    trace: Trace = Trace()
    unseen: str = ""
    on_default: str = NOTHING_ON_DEFAULT


def judge(seen: Seen, limits: Guardrails, *, mode: str, share: float) -> Verdict:
    """By mode "canary" with the share of its arm, or "shadow". The first decision on an account counts, in the order given."""
    return judge_canary(seen, limits, share) if mode == "canary" else judge_shadow(seen, limits)


def judge_canary(seen: Seen, limits: Guardrails, share: float) -> Verdict:
    first = first_per_account(seen.observations)
    segments = as_signed(limits.groups, seen.segments)
    classes = Classes.of(first, limits.score_edges, segments)
    tests = family(limits, share, {each.column: len(each.groups) for each in segments})
    paths = Paths.of(tests, classes)
    alarmed = paths.alarmed(limits)
    blamed = _blamed(tests, paths, alarmed)
    about = Told(classes, paths, share, {each.column: each for each in segments})
    found = [about.said(test, blamed=test.name == blamed) for test in tests]
    found += policy.errors(seen.control, seen.canary, limits) + policy.latency(seen.control, seen.canary, limits)
    found += [policy.agreement(seen.pairs, limits)] if seen.pairs is not None else []
    others = {each.column: each.groups for each in seen.segments} != dict(limits.groups)
    if why := seen.ungrouped or (OTHER_GROUPS if others else ""):
        found.append(Finding(name=GROUPS, standing=Standing.INSUFFICIENT, text=f"Not judged by group: {why}."))
    unseen = "" if limits.groups or why else NO_GROUPS
    return _weighed(found, len(first), seen, limits, _trace(paths, limits), unseen)


def judge_shadow(seen: Seen, limits: Guardrails) -> Verdict:
    """Everybody is scored by both, so decisions are compared on the same accounts, and nothing is left to chance."""
    pairs = seen.pairs or Pairs()
    found = [policy.drop(pairs, limits), policy.agreement(pairs, limits)]
    found += policy.errors(seen.control, seen.canary, limits) + policy.latency(seen.control, seen.canary, limits)
    return _weighed(found, pairs.accounts, seen, limits, Trace(), NOT_IN_SHADOW)


def _weighed(found: Sequence[Finding], accounts: int, seen: Seen, limits: Guardrails, trace: Trace, unseen: str) -> Verdict:
    """One guardrail outside is enough to roll back; a promotion is asked for when all are within, on enough accounts.

    `unseen` says what was not judged at all, "" if nothing is: whoever reads that all held must read that, too.
    """
    outside = [finding.text for finding in found if finding.standing is Standing.OUTSIDE]
    missing = [finding.name for finding in found if finding.standing is Standing.INSUFFICIENT]
    if outside:
        state, sentence = State.ROLL_BACK, " ".join(["Roll back:", *outside])
    elif accounts >= limits.smallest_accounts and not missing:
        state, sentence = State.ASK_FOR_PROMOTION, f"Every guardrail held on {accounts:,} accounts: ask for promotion."
    elif seen.over or seen.days >= limits.longest_days:
        state = State.ROLL_BACK
        sentence = f"Roll back: its {seen.days:.3g} days are over and {_lacking(accounts, missing, limits)}. No harm was seen."
    else:
        state, sentence = State.GO_ON, f"Go on: nothing is outside its limits; {_lacking(accounts, missing, limits)}."
    sentence = f"{sentence} {unseen}" if unseen and state is not State.ROLL_BACK else sentence
    return Verdict(state=state, sentence=sentence, findings=tuple(found), accounts=accounts, trace=trace, unseen=unseen)


def _lacking(accounts: int, missing: Sequence[str], limits: Guardrails) -> str:
    reasons = []
    if accounts < limits.smallest_accounts:
        reasons.append(f"{accounts:,} of {limits.smallest_accounts:,} accounts were seen")
    if missing:
        reasons.append(f"too little is known of {', '.join(missing)}")
    return " and ".join(reasons)


def _blamed(tests: Sequence[Sequential], paths: Paths, alarmed: int | None) -> str:
    """The test with the most capital when the family first alarmed; "" if it never did."""
    if alarmed is None:
        return ""
    return max(tests, key=lambda test: paths.tests[test.name][alarmed - 1] + log(test.weight)).name


def _trace(paths: Paths, limits: Guardrails) -> Trace:
    size = len(paths.whole)
    if not size:
        return Trace(limit=1 / limits.false_alarms)
    at = np.unique(np.linspace(0, size - 1, min(size, POINTS)).astype(np.int64))
    values = {name: tuple(exp(min(float(path[i]), LARGEST)) for i in at) for name, path in paths.tests.items()}
    values["family"] = tuple(exp(min(float(paths.whole[i]), LARGEST)) for i in at)
    return Trace(accounts=tuple(int(i) + 1 for i in at), e_values=values, limit=1 / limits.false_alarms)
