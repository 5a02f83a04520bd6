"""Optuna behind the search: ask a batch, evaluate it side by side, tell it in order.

The batch has a fixed size, and everything random is derived from the seed and the number of finished trials. So the
answer depends neither on the number of workers nor on how often the process was killed: what was finished is kept, and
what was in flight is evaluated again. Where studies are kept and losses computed is chosen beside (`studies`, `trial_pools`).
A study is plain Optuna: `optuna.load_study` reads it.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from math import isfinite

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.trial import TrialState

from models.errors import Integrity
from models.estimator import Dimension, Real
from pipelines.adapters.studies import Studies
from pipelines.adapters.trial_pools import Evaluate, Pool
from pipelines.search import Loss, Progress, Trial

BATCH = 4
STARTUP = 8  # trials drawn at random before the sampler learns, and complete before the pruner speaks
_PLAN = "batch"  # what the batch in flight tries, written before any of it is told
_DONE = (TrialState.COMPLETE, TrialState.PRUNED)


class OptunaOptimiser:
    def __init__(self, studies: Studies, pool: Pool) -> None:
        self._studies = studies
        self._pool = pool
        optuna.logging.set_verbosity(optuna.logging.WARNING)

    def minimise(
        self,
        key: str,
        space: Mapping[str, Dimension],
        loss: Loss,
        *,
        folds: int,
        budget: int,
        seed: int,
        progress: Progress,
    ) -> tuple[list[Trial], int]:
        distributions = {name: _distribution(dimension) for name, dimension in space.items()}
        with self._studies.owned(key, MedianPruner(n_startup_trials=STARTUP)) as study, self._pool.begun(loss) as evaluate:
            _abandon(study)
            resumed = done = _finished(study)
            while done < budget:
                progress(key, done, budget)
                batch = _ask(study, distributions, done, min(BATCH, budget - done), seed)
                _tell(study, batch, _evaluate(evaluate, batch, folds), folds)
                done = _finished(study)
            progress(key, done, budget)
            return _trials(study), resumed


def _ask(study: optuna.Study, distributions: dict[str, BaseDistribution], done: int, size: int, seed: int) -> list[optuna.Trial]:
    """The trials that follow the `done` finished ones: a fresh batch, or the rest of one whose telling was cut short."""
    plan = study.user_attrs.get(_PLAN, {"start": -1, "parameters": []})
    rest = plan["parameters"][done - plan["start"] :] if plan["start"] <= done else []
    if done % BATCH and rest:
        for parameters in rest:
            study.enqueue_trial(parameters)
        return [study.ask(distributions) for _ in rest]
    study.sampler = TPESampler(n_startup_trials=STARTUP, seed=int(np.random.SeedSequence([seed, done]).generate_state(1)[0]))
    batch = [study.ask(distributions) for _ in range(size)]
    study.set_user_attr(_PLAN, {"start": done, "parameters": [trial.params for trial in batch]})
    return batch


def _evaluate(evaluate: Evaluate, batch: Sequence[optuna.Trial], folds: int) -> list[list[float]]:
    """Losses by trial and fold. Nothing is told meanwhile, so the pruner compares with earlier batches only."""
    losses: list[list[float]] = [[] for _ in batch]
    running: dict[Future[float], int] = {evaluate(trial.params, 0): i for i, trial in enumerate(batch)}
    try:
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                i = running.pop(future)
                losses[i].append(_finite(future.result(), batch[i]))
                batch[i].report(float(np.mean(losses[i])), len(losses[i]) - 1)
                if len(losses[i]) < folds and not batch[i].should_prune():
                    running[evaluate(batch[i].params, len(losses[i]))] = i
    finally:
        for future in running:
            future.cancel()
    return losses


def _tell(study: optuna.Study, batch: Sequence[optuna.Trial], losses: Sequence[Sequence[float]], folds: int) -> None:
    for trial, found in zip(batch, losses, strict=True):
        trial.set_user_attr("losses", list(found))
        if len(found) == folds:
            study.tell(trial, float(np.mean(found)))
        else:
            study.tell(trial, state=TrialState.PRUNED)


def _trials(study: optuna.Study) -> list[Trial]:
    done = study.get_trials(states=_DONE)
    return [
        Trial(number, trial.params, tuple(trial.user_attrs["losses"]), trial.state == TrialState.PRUNED)
        for number, trial in enumerate(done)
    ]


def _finished(study: optuna.Study) -> int:
    return len(study.get_trials(deepcopy=False, states=_DONE))


def _abandon(study: optuna.Study) -> None:
    """What a killed process left waiting or running is failed, and asked for again."""
    for _ in study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        study.ask()  # only a running trial can be told
    for left in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(left.number, state=TrialState.FAIL)


def _finite(loss: float, trial: optuna.Trial) -> float:
    if not isfinite(loss):
        raise Integrity(f"trial {trial.number} has the loss {loss}", hint=f"look at its parameters: {trial.params}")
    return loss


def _distribution(dimension: Dimension) -> BaseDistribution:
    if isinstance(dimension, Real):
        return FloatDistribution(dimension.low, dimension.high, log=dimension.log)
    return IntDistribution(dimension.low, dimension.high, log=dimension.log)
