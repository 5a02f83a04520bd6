"""The published task, for comparison with others: 23 features of April to September 2005, default in October.

    python -m tests.benchmarks.published_task

It uses what the platform never shows a model (sex, education, marriage, age), so it can print a table and nothing else:
it imports no registry, no bundle and no channel, and a test keeps it so.

Protocol: 5 stratified folds, repeated 3 times with seeds 0, 1 and 2; every figure is the mean over the 15 test folds, with
their standard deviation. The folds share rows, so that deviation is no standard error. The parameters were chosen once,
among 26 random ones, by 4 folds inside the first training fold, and are the same everywhere.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from models.credit_default.source import LABEL, table
from models.evaluation import auc, brier

AUDIT = ("SEX", "EDUCATION", "MARRIAGE", "AGE")
AUC_TARGET, BRIER_TARGET = 0.780, 0.136
LEAK = 0.800  # nobody reaches this honestly; the best published figure is .791
FOLDS, SEEDS = 5, (0, 1, 2)
PARAMETERS = {
    "n_estimators": 400,
    "learning_rate": 0.03,
    "num_leaves": 10,
    "min_child_samples": 50,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.4,
    "reg_lambda": 10.0,
    "reg_alpha": 1.0,
}
Table = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Result:
    """AUC and Brier score of every test fold, shape (folds,), in the same order for every set of columns."""

    columns: str
    features: int
    auc: NDArray[np.float64]
    brier: NDArray[np.float64]
    seconds: float


def main() -> int:
    columns = dict(table())
    bad = columns.pop(LABEL).astype(np.bool_)
    columns.pop("ID")
    print(described(columns, bad), flush=True)
    results = []
    for name, chosen in variants(columns).items():
        results.append(measured(name, chosen, bad))
        if sys.stderr.isatty():
            print(f"{name}: {results[-1].seconds:.0f} s", file=sys.stderr)
    print(markdown(results))
    problems = refusals(results)
    print(
        "\n".join(problems) or f"Targets met: AUC >= {AUC_TARGET:.3f} and Brier score <= {BRIER_TARGET:.3f}, no sign of a leak."
    )
    return 1 if problems else 0


def variants(columns: Table) -> dict[str, Table]:
    """The sets of columns that are compared, the published 23 first."""
    without = {name: values for name, values in columns.items() if name not in AUDIT}
    ratios = derived(columns)
    return {
        "all 23 columns": columns,
        "without the audit columns": without,
        "all 23 and ratios": columns | ratios,
        "ratios, without the audit columns": without | ratios,
    }


def derived(t: Table) -> Table:
    """Row by row, from the other columns: how much of the limit and of the bill before is used and paid; months behind."""
    limit, months = t["LIMIT_BAL"], range(1, 7)
    status = np.column_stack([t[name] for name in ("PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6")])
    bills = np.column_stack([t[f"BILL_AMT{month}"] for month in months])
    paid = np.column_stack([t[f"PAY_AMT{month}"] for month in months])
    owed = np.maximum(bills, 1)
    found = {f"used_{month}": bills[:, month - 1] / limit for month in months}
    found |= {f"paid_of_limit_{month}": paid[:, month - 1] / limit for month in months}
    found |= {f"paid_of_bill_{month}": paid[:, month - 1] / owed[:, month] for month in range(1, 6)}
    return found | {
        "months_behind": np.maximum(status, 0).sum(axis=1),
        "worst_status": status.max(axis=1),
        "months_two_behind": (status >= 2).sum(axis=1).astype(np.float64),
        "mean_used": bills.mean(axis=1) / limit,
        "used_change": (bills[:, 0] - bills[:, 5]) / limit,
        "paid_of_limit": paid.sum(axis=1) / limit,
        "paid_of_bills": paid.sum(axis=1) / np.maximum(bills.sum(axis=1), 1),
    }


def folds(bad: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    for seed in SEEDS:
        yield from StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(bad, bad)


def measured(name: str, columns: Table, bad: NDArray[np.bool_]) -> Result:
    """Fit and test on every fold, one thread, so that the figures are the same on every machine."""
    begun, X = perf_counter(), np.column_stack(list(columns.values()))
    found = []
    for train, test in folds(bad):
        model = LGBMClassifier(**PARAMETERS, random_state=0, n_jobs=1, deterministic=True, force_row_wise=True, verbose=-1)
        probability = model.fit(X[train], bad[train]).predict_proba(X[test])[:, 1]
        found.append((auc(bad[test], probability), brier(bad[test], probability)))
    aucs, briers = np.array(found).T
    return Result(name, X.shape[1], aucs, briers, perf_counter() - begun)


def described(columns: Table, bad: NDArray[np.bool_]) -> str:
    """What is strange in the file, counted: equal rows can stand on both sides of a fold."""
    X = np.column_stack(list(columns.values()))
    _, group, size = np.unique(X, axis=0, return_inverse=True, return_counts=True)
    share = np.bincount(group.ravel(), weights=bad) / size
    return (
        f"{len(bad):,} rows, {X.shape[1]} features, {bad.mean():.2%} bad. {len(bad) - len(size)} rows repeat the features of"
        f" another row; {np.sum((share > 0) & (share < 1))} such groups disagree about the outcome. Nothing was removed.\n"
    )


def markdown(results: list[Result]) -> str:
    """One line per set of columns; losses are paired fold by fold against the first line."""
    lines = ["| columns | features | AUC | Brier score | AUC against all 23 | time |", "|---|---|---|---|---|---|"]
    for result in results:
        gain = result.auc - results[0].auc
        against = f"{gain.mean():+.4f} ± {gain.std(ddof=1):.4f}" if result is not results[0] else ""
        lines.append(
            f"| {result.columns} | {result.features} | {result.auc.mean():.4f} ± {result.auc.std(ddof=1):.4f}"
            f" | {result.brier.mean():.4f} ± {result.brier.std(ddof=1):.4f} | {against} | {result.seconds:.0f} s |"
        )
    return "\n".join(lines) + "\n"


def refusals(results: list[Result]) -> list[str]:
    """Why the run does not count; empty if it does. The targets are for the published columns, the first result."""
    found = [
        f"REFUSED: {result.columns} reach AUC {result.auc.mean():.4f}; above {LEAK:.2f} there is a leak."
        for result in results
        if not result.auc.mean() <= LEAK
    ]
    published = results[0]
    if not published.auc.mean() >= AUC_TARGET:
        found.append(f"REFUSED: AUC {published.auc.mean():.4f} misses the target of {AUC_TARGET:.3f}.")
    if not published.brier.mean() <= BRIER_TARGET:
        found.append(f"REFUSED: Brier score {published.brier.mean():.4f} misses the target of {BRIER_TARGET:.3f}.")
    return found


if __name__ == "__main__":
    raise SystemExit(main())
