"""What the decision log has seen of a roll-out, as its judge takes it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from models.clock import Month
from models.errors import NotFound
from models.governance.fairness.groups import NOT_RECORDED
from models.rollout import CANARY, CONTROL, Mode, Rollout
from monitoring.rollout.judge import Seen
from monitoring.rollout.observations import Observation, Pairs, Segments, Service, paired
from monitoring.trials import Decided, Pair, Trials

Lift = Callable[[str], str]
"""A stored account under the newest key: an account that was decided upon before and after a rotation is one."""
Groups = Callable[[Mapping[Month, Iterable[str]]], Sequence[Segments]]
"""The groups of accounts, by the month that was decided on; all that there may be are named, also for no accounts."""
DAY = timedelta(days=1)


def no_groups(_: Mapping[Month, Iterable[str]]) -> Sequence[Segments]:
    return ()


def seen(trials: Trials, begun: Rollout, lift: Lift, now: datetime, groups: Groups = no_groups) -> Seen:
    """Everything since it began, its days up to its end. Raises what `groups` raises, but `NotFound`."""
    days, over = (min(now, begun.ends) - begun.starts) / DAY, now >= begun.ends
    pairs = trials.pairs(begun.model, begun.number)
    if begun.mode is Mode.SHADOW:
        decided_in, scored_in = _seconds(pairs)
        control = _service(len(pairs), 0, decided_in, begun)
        canary = _service(len(pairs), sum(not pair.scored for pair in pairs), scored_in, begun)
        compared = _paired(pairs, lift, lambda pair: (pair.decided, pair.scored))
        return Seen(days, control=control, canary=canary, pairs=compared, over=over)
    decided = trials.decided(begun.model, begun.number, begun.challenger)
    decided_in, scored_in = _seconds(pairs)  # what the challenger decided, the champion scored
    segments, ungrouped = _segments(decided, lift, groups)
    arms = {arm: [each for each in decided if each.arm == arm] for arm in (CONTROL, CANARY)}
    failed = sum(each.failed for each in arms[CANARY])
    return Seen(
        days,
        observations=[_observed(each, lift) for each in decided],
        control=_service(len(arms[CONTROL]), 0, scored_in, begun),
        canary=_service(len(arms[CANARY]), failed, decided_in, begun),
        pairs=_paired(pairs, lift, lambda pair: (pair.scored, pair.decided)) if pairs else None,
        segments=segments,
        ungrouped=ungrouped,
        over=over,
    )


def _segments(decided: Iterable[Decided], lift: Lift, groups: Groups) -> tuple[list[Segments], str]:
    """The same groups at every look, and why too many have none: an account of a month without audit columns, or that the audit
    table does not have, is not looked at by group. As many of them as a group needs are too many."""
    months: dict[str, Month] = {}
    for each in decided:
        months.setdefault(lift(each.account), each.month)
    found = {each.column: each for each in groups({})}
    missing: dict[Month, int] = {}
    strangers = 0
    for month in sorted(set(months.values())):
        accounts = [account for account, of in months.items() if of == month]
        try:
            parts = groups({month: accounts})
        except NotFound:
            missing[month] = len(accounts)
            continue
        for part in parts:
            found[part.column] = replace(found[part.column], of={**found[part.column].of, **part.of})
        strangers += sum(_is_stranger(account, parts) for account in accounts)
    least = min((each.minimum_cell for each in found.values()), default=0)
    few = sum(missing.values()) + strangers < least
    return list(found.values()), "" if few else _ungrouped(missing, strangers)


def _is_stranger(account: str, parts: Sequence[Segments]) -> bool:
    """Whether the audit table does not have it: nothing is recorded by any column."""
    return bool(parts) and all(part.of.get(account, NOT_RECORDED) == NOT_RECORDED for part in parts)


def _ungrouped(missing: Mapping[Month, int], strangers: int) -> str:
    named = ", ".join(map(str, missing))
    told = [f"{sum(missing.values()):,} accounts are of months without audit columns: {named}"] if missing else []
    told += [f"{strangers:,} accounts are not in the audit table"] if strangers else []
    return "; ".join(told)


def _observed(decided: Decided, lift: Lift) -> Observation:
    """Of what failed nothing but that is known: the decision is the champion's."""
    account = lift(decided.account)
    if decided.failed:
        return Observation(account, decided.arm, "", float("nan"), failed=True)
    return Observation(account, decided.arm, decided.action, decided.probability)


def _paired(pairs: Iterable[Pair], lift: Lift, actions: Callable[[Pair], tuple[str, str]]) -> Pairs:
    """(champion's, challenger's) on the first decision about each account; what failed is an error, and no disagreement."""
    first: dict[str, tuple[str, str]] = {}
    for pair in pairs:
        if pair.scored:
            first.setdefault(lift(pair.account), actions(pair))
    return paired(first.values())


def _seconds(pairs: Sequence[Pair]) -> tuple[list[float], list[float]]:
    """Of those that were timed with both bundles: on the same records, one after the other."""
    timed = [(pair.decided_in, pair.scored_in) for pair in pairs if pair.decided_in is not None and pair.scored_in is not None]
    return [decided for decided, _ in timed], [scored for _, scored in timed]


def _service(requests: int, errors: int, seconds: Sequence[float], begun: Rollout) -> Service:
    """Of too few that were timed nothing is said: not all requests are."""
    if len(seconds) < begun.guardrails.smallest_requests:
        return Service(requests, errors, timed=len(seconds))
    p50, p99 = np.quantile(seconds, [0.5, 0.99]).tolist()
    return Service(requests, errors, p50, p99, len(seconds))
