"""Judging on the schedule, and what it needs of the platform."""

from collections.abc import Iterable, Mapping

from models.clock import Month
from models.errors import NotFound
from monitoring.rollout.observations import Segments
from pipelines.fairness.segments import named_groups
from pipelines.fairness.step import segments_of
from pipelines.rollout.judging import Bench, judge_rollout
from pipelines.wiring import Platform


def bench(platform: Platform) -> Bench:
    """Where roll-outs are judged. Groups of accounts come through the door of fairness reports."""
    limits = platform.use_case.policy.fairness

    def groups(accounts: Mapping[Month, Iterable[str]]) -> list[Segments]:
        return segments_of(platform, limits, accounts) if limits else []

    return Bench(platform.office, platform.trials, platform.verdicts, platform.accounts.lift, groups)


def signed_groups(platform: Platform) -> dict[str, tuple[str, ...]]:
    """What a canary that begins now is bet on by; nothing if the policy has no fairness limits."""
    limits = platform.use_case.policy.fairness
    return named_groups(platform.use_case.contract, limits) if limits else {}


def sentence(platform: Platform) -> str:
    """What the judge said, and did."""
    model = platform.use_case.name
    if not platform.channel.rollouts(model):
        return f"Nothing of {model} is rolled out."  # an empty home stays empty: the office would make keys in it
    try:
        judged = judge_rollout(bench(platform), model)
    except NotFound:
        return f"No roll-out of {model} is open."
    return judged.document.verdict.sentence
