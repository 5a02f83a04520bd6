"""The step of the schedule."""

from models.errors import NotFound
from pipelines.rollout.judging import judge_rollout
from pipelines.wiring import Platform


def sentence(platform: Platform) -> str:
    """What the judge said, and did."""
    model = platform.use_case.name
    if not platform.channel.rollouts(model):
        return f"Nothing of {model} is rolled out."  # an empty home stays empty: the office would make keys in it
    try:
        judged = judge_rollout(platform.bench, model)
    except NotFound:
        return f"No roll-out of {model} is open."
    return judged.document.verdict.sentence
