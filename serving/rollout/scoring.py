"""What the bundle of a roll-out that did not decide makes of decisions: of a shadow the challenger, of a canary the champion."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from time import perf_counter, thread_time

from models.rollout import CANARY, Mode
from monitoring.decisions import LoggedDecision
from monitoring.trials import Shadow
from serving.answers.loaded import LoadedModel
from serving.rollout.trial import Trial

TIMED = 8
"""Records of a batch for which both bundles are timed, at most, one after the other: the groups that requests are decided in
differ in size between the arms, and so would their times."""
TIMED_AT_FIRST = 100
"""So many until this process has timed what the guardrails ask for: accounts that come in a few large batches must not
leave a roll-out without a figure of latency."""
TRIES, WAITED = 3, 1.2
"""Runs for one time, at most, while the clock says more than `WAITED` of the processor's time. Whoever waits for something of his
own waits in every run; whoever was interrupted on a busy machine, or had to wait for the interpreter, did not in all of them."""
Found = tuple[str, float | None]
Times = tuple[float | None, float | None]


def concerned(trial: Trial, decisions: Sequence[LoggedDecision]) -> list[LoggedDecision]:
    """What the other bundle is to score: what the champion answered, or what the challenger of a canary did."""
    begun = trial.begun
    if begun.mode is Mode.SHADOW:
        return [each for each in decisions if each.model == begun.model and each.bundle == begun.champion and not each.fallback]
    return [each for each in decisions if each.model == begun.model and each.arm == CANARY and each.bundle == begun.challenger]


def shadows(trial: Trial, decisions: Sequence[LoggedDecision], now: datetime) -> list[Shadow]:
    shadow = trial.begun.mode is Mode.SHADOW
    decider, other = (trial.champion, trial.challenger) if shadow else (trial.challenger, trial.champion)
    found = _scored(other, decisions)
    times: list[Times] = [(None, None)] * len(decisions)
    for turn, place in enumerate(_to_time(len(decisions), trial)):
        times[place] = _timed(decider, other, decisions[place], turned=turn % 2 == 1)
    trial.timed += sum(None not in both for both in times)
    return [
        Shadow(
            decision_id=decision.decision_id,
            model=decision.model,
            rollout=trial.begun.number,
            version=other.pointer.version,
            bundle=other.pointer.bundle,
            action=action,
            probability=probability,
            recorded_at=now,
            decided_in=decided_in,
            scored_in=scored_in,
        )
        for decision, (action, probability), (decided_in, scored_in) in zip(decisions, found, times, strict=True)
    ]


def _scored(other: LoadedModel, decisions: Sequence[LoggedDecision]) -> list[Found]:
    """All at once; if that fails, each by itself."""
    try:
        rows = other.packed([decision.inputs for decision in decisions])
        probability = other.probabilities(rows)
        actions, _ = other.rule.judged(probability, rows)
        return list(zip(actions.tolist(), probability.tolist(), strict=True))
    except Exception:  # noqa: BLE001, a failure is what is recorded
        if len(decisions) > 1:
            return [found for each in decisions for found in _scored(other, [each])]
        return [("", None)]


def _to_time(decisions: int, trial: Trial) -> list[int]:
    """Places spread over the whole batch: who stands together in a file may be alike."""
    enough = trial.timed >= trial.begun.guardrails.smallest_requests
    many = min(decisions, TIMED if enough else TIMED_AT_FIRST)
    return [place * decisions // many for place in range(many)]


def _timed(decider: LoadedModel, other: LoadedModel, decision: LoggedDecision, *, turned: bool) -> Times:
    """Seconds of either for this record alone, reasons included; None for one that fails. Who comes second finds a warm cache."""
    if turned:
        second, first = _timed(other, decider, decision, turned=False)
        return first, second
    return _seconds(decider, decision), _seconds(other, decision)


def _seconds(model: LoadedModel, decision: LoggedDecision) -> float | None:
    """The shortest that it took by the clock, and no less than the processor computed in the first run."""
    shortest, computed = float("inf"), 0.0
    with suppress(Exception):  # that it fails stands in its action
        for number in range(TRIES):
            began, of_processor = perf_counter(), thread_time()
            model.judged([decision.inputs])
            ran, took = thread_time() - of_processor, perf_counter() - began
            computed, shortest = computed if number else ran, min(shortest, took)
            if took <= WAITED * ran:
                break
        return max(shortest, computed)
    return None
