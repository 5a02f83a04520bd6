"""Which library, and how much of it: the figures behind docs/adr/0002-lightgbm.md and docs/adr/0008-search.md.

    python -m tests.benchmarks.families libraries    LightGBM against HistGradientBoosting, and the scorecard
    python -m tests.benchmarks.families workers      fits side by side in threads and in processes
    python -m tests.benchmarks.families rows         what a search on fewer rows finds, judged out of time

Protocol: fitted on the cohorts of May and June 2005 (60,000 rows), judged on July (30,000), one thread a fit. July
chooses nothing here: parameters are fixed below, or come from the search on May and June.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from datetime import date
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from models.adapters.gradient_boosting import GradientBoosting
from models.adapters.one_thread import one_thread
from models.adapters.scorecard import Scorecard
from models.calibration import sigmoid
from models.clock import Month
from models.contract import REQUEST_ROLES
from models.credit_default import USE_CASE
from models.estimator import Parameters, Tree, TreeEnsemble
from models.evaluation import auc, brier, log_loss
from pipelines.adapters.optuna_search import OptunaOptimiser
from pipelines.adapters.studies import Journals
from pipelines.adapters.trial_pools import Threads
from pipelines.candidates import Effort
from pipelines.dataset import Dataset
from pipelines.development import develop
from pipelines.search import Sample, sample
from pipelines.training import fit

Floats = NDArray[np.float64]
SEEDS = (0, 1, 2)
TREES: Parameters = {
    "trees": 250,
    "leaves": 20,
    "learning_rate": 0.03,
    "minimum_leaf": 0.0015,
    "row_share": 0.8,
    "feature_share": 0.7,
    "l2": 5.0,
}
CARD: Parameters = {"bins": 8, "smoothing": 30.0, "penalty": 0.1}


class HistGradientBoosting:
    """The same model by scikit-learn: it has no sampling of rows by tree, the rest is alike. Export reads private arrays."""

    name, complexity = "hist_gradient_boosting", 2

    def fit(
        self,
        X: Floats,
        y: NDArray[np.bool_],
        *,
        features: Sequence[str],
        directions: Mapping[str, int],
        parameters: Parameters,
        seed: int,
    ) -> "FittedHist":
        model = HistGradientBoostingClassifier(
            max_iter=int(parameters["trees"]),
            max_leaf_nodes=int(parameters["leaves"]),
            learning_rate=float(parameters["learning_rate"]),
            min_samples_leaf=round(float(parameters["minimum_leaf"]) * len(y)),
            max_features=float(parameters["feature_share"]),
            l2_regularization=float(parameters["l2"]),
            monotonic_cst=[directions.get(name, 0) for name in features],
            max_bins=63,
            early_stopping=False,
            random_state=seed,
        )
        with one_thread():
            return FittedHist(model.fit(X, y), tuple(features))


class FittedHist:
    def __init__(self, model: Any, features: tuple[str, ...]) -> None:
        self._model, self._features = model, features

    def log_odds(self, X: Floats) -> Floats:
        with one_thread():
            return np.asarray(self._model.decision_function(X))

    def ensemble(self) -> TreeEnsemble:
        nodes = [predictor.nodes for (predictor,) in self._model._predictors]
        trees = [
            Tree(
                each["feature_idx"].astype(np.int64),
                each["num_threshold"],
                np.where(each["is_leaf"], -1, each["left"].astype(np.int64)),
                np.where(each["is_leaf"], -1, each["right"].astype(np.int64)),
                each["value"],
            )
            for each in nodes
        ]
        return TreeEnsemble(self._features, float(self._model._baseline_prediction.item()), tuple(trees))


@cache
def panel(*numbers: int) -> Dataset:
    """Cohorts of the real panel as a dataset, rows by month and account."""
    source, parts = USE_CASE.source(), []
    for number in numbers:
        cohort = source.cohort(Month(2005, number), date(2005, 12, 31))
        bad = USE_CASE.definitions[USE_CASE.as_coded[cohort.coding]].bad(cohort.outcome_codes)
        parts.append(({name: cohort.columns[name] for name in USE_CASE.contract.named(*REQUEST_ROLES)}, bad))
    columns = {name: np.concatenate([part[name] for part, _ in parts]) for name in parts[0][0]}
    accounts, months = columns[USE_CASE.contract.key], columns[USE_CASE.contract.time]
    return Dataset(columns, accounts, months, np.concatenate([bad for _, bad in parts]), 1, (), 0)


@cache
def matrix(*numbers: int) -> Sample:
    return sample(USE_CASE, panel(*numbers))


def walked(model: TreeEnsemble, X: Floats) -> Floats:
    """The exported trees by their definition."""
    total = np.full(len(X), model.intercept)
    for tree in model.trees:
        node = np.zeros(len(X), dtype=np.int64)
        while (inner := tree.left[node] >= 0).any():
            left = X[np.arange(len(X)), tree.feature[node]] <= tree.threshold[node]
            node = np.where(inner, np.where(left, tree.left[node], tree.right[node]), node)
        total += tree.value[node]
    return total


def libraries() -> None:
    print(f"{'family':24} {'AUC':>7} {'Brier':>8} {'log-loss':>9} {'fit s':>6} {'predict s':>9}  export differs by")
    development, july = matrix(5, 6), matrix(7)
    for family, parameters in ((Scorecard(), CARD), (HistGradientBoosting(), TREES), (GradientBoosting(), TREES)):
        found = []
        for seed in SEEDS:
            begun = process_time()
            model = family.fit(
                development.X,
                development.bad,
                features=development.features,
                directions=USE_CASE.policy.directions,
                parameters=parameters,
                seed=seed,
            )
            fitted = process_time()
            scores = model.log_odds(july.X)
            times = (fitted - begun, process_time() - fitted)
            apart = np.abs(walked(model.ensemble(), july.X) - scores).max()
            p = sigmoid(scores)
            found.append((auc(july.bad, scores), brier(july.bad, p), log_loss(july.bad, p), *times, apart))
        a, b, c, d, e, _ = np.mean(found, axis=0)
        print(f"{family.name:24} {a:7.4f} {b:8.5f} {c:9.5f} {d:6.2f} {e:9.2f}  {max(row[-1] for row in found):.0e}", flush=True)


def one_fit(seed: int) -> float:
    """A fit as the search does it: 10,000 rows to learn, 5,000 to be judged by."""
    data = matrix(5, 6)
    rows = np.random.default_rng(seed).permutation(len(data.bad))
    train, valid = rows[:10_000], rows[10_000:15_000]
    directions, features = USE_CASE.policy.directions, data.features
    model = GradientBoosting().fit(
        data.X[train], data.bad[train], features=features, directions=directions, parameters=TREES, seed=seed
    )
    return log_loss(data.bad[valid], sigmoid(model.log_odds(data.X[valid])))


def workers() -> None:
    """Processes are spawned and warmed before the clock starts; without that they cost seconds more."""
    spawn = get_context("spawn")
    pools: dict[str, Callable[[], Executor]] = {
        "1 thread": lambda: ThreadPoolExecutor(1),
        "2 threads": lambda: ThreadPoolExecutor(2),
        "2 processes": lambda: ProcessPoolExecutor(2, mp_context=spawn),
    }
    for name, make in pools.items():
        opened = perf_counter()
        with make() as pool:
            list(pool.map(one_fit, range(4)))
            begun = perf_counter()
            list(pool.map(one_fit, range(24)))
            print(f"{name:12} {perf_counter() - begun:6.2f} s for 24 fits, {begun - opened:5.2f} s to warm up", flush=True)


def rows() -> None:
    families = [Scorecard(), GradientBoosting()]
    july = panel(7)
    for count in (10_000, 40_000):
        for seed in SEEDS:
            with TemporaryDirectory() as folder:
                begun = perf_counter()
                found = develop(
                    USE_CASE,
                    panel(5, 6),
                    families,
                    OptunaOptimiser(Journals(Path(folder)), Threads(2)),
                    Effort(36, 3, seed, 2, rows=count),
                )
                seconds = perf_counter() - begun
            p = fit(found.recipe, USE_CASE, families, panel(5, 6)).probabilities(july.columns)
            figures = f"AUC {auc(july.bad, p):.4f}  Brier {brier(july.bad, p):.5f}  log-loss {log_loss(july.bad, p):.5f}"
            kept = len(found.recipe.features)
            print(f"{count:6} rows, seed {seed}: {figures}  {found.recipe.family}, {kept} features, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    {"libraries": libraries, "workers": workers, "rows": rows}[sys.argv[1] if sys.argv[1:] else "libraries"]()
