"""Roll-outs in numbers, for Prometheus."""

from collections.abc import Iterable, Iterator, Mapping

from models.rollout import CANARY, CONTROL, Mode
from monitoring.telemetry.families import Family, Labels
from serving.rollout.trial import Trial


def rolled_out(trials: Iterable[Trial], scored: Mapping[tuple[str, int, str], int]) -> Iterator[Family]:
    """`scored` are shadows by model, the challenger's version and what became of them."""
    arms = [(trial, arm, _labels(trial, arm)) for trial in trials for arm in (CONTROL, CANARY)]
    yield Family(
        "steward_rollout",
        "gauge",
        "share of the accounts that an arm of a roll-out decides for",
        {labels: _share(trial, arm) for trial, arm, labels in arms},
        adds_up=False,
    )
    decided = [(trial, arm, labels) for trial, arm, labels in arms if trial.begun.mode is Mode.CANARY]
    yield Family(
        "steward_rollout_decisions",
        "counter",
        "decisions by the arm that the account was drawn to",
        {labels: trial.decisions[arm] for trial, arm, labels in decided},
    )
    yield Family(
        "steward_rollout_decide_seconds",
        "counter",
        "time spent deciding by arm; groups differ in size, so compare arms by the judge's figures",
        {labels: trial.seconds[arm] for trial, arm, labels in decided},
    )
    yield Family(
        "steward_rollout_failures",
        "counter",
        "requests that the challenger failed at and the champion answered",
        {labels: trial.failures for trial, arm, labels in decided if arm == CANARY},
    )
    yield Family(
        "steward_rollout_shadows",
        "counter",
        "decisions that the other bundle scored off the hot path: scored, failed, dropped",
        {
            (("model", model), ("version", str(version)), ("outcome", outcome)): count
            for (model, version, outcome), count in dict(scored).items()
        },
    )


def _labels(trial: Trial, arm: str) -> Labels:
    begun = trial.begun
    version = begun.champion_version if arm == CONTROL else begun.challenger_version
    return ("model", begun.model), ("mode", begun.mode.value), ("arm", arm), ("version", str(version))


def _share(trial: Trial, arm: str) -> float:
    """A shadow decides for nobody, and neither does a challenger that is asked no more."""
    deciding = 0.0 if trial.begun.mode is Mode.SHADOW or trial.given_up else trial.begun.share
    return deciding if arm == CANARY else 1 - deciding
