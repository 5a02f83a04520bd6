"""How long the reasons of one adverse decision take, on one core.

    python -m tests.benchmarks.reasons

Reads the champion of `STEWARD_HOME` (default `var`), takes real accounts of its newest month that it reduces, and explains
them one by one, as a request with one record does, and in batches of 1,000. The graph runs on one thread by itself; the
process is held to one core where the system can do that. Prints medians and the 99th percentile.
"""

import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from models.adapters.folder_channel import FolderChannel
from models.adapters.onnx_runtime import OnnxScorer
from models.bundle import Bundle
from models.credit_default import USE_CASE
from models.errors import NoChampion
from models.governance.doubt.rule import Rule
from models.governance.explanation.counterfactual import Counsel
from models.governance.explanation.reasons import Explainer
from models.policy import Action

TARGET = 1_000.0
"""Microseconds for one decision's reasons, median."""
SINGLE, BATCH, REPEATS = 1_000, 1_000, 5

Floats = NDArray[np.float64]


def champion(home: Path) -> Bundle:
    channel = FolderChannel(home / "channel")
    newest = channel.pointers(USE_CASE.name)
    if not newest:
        raise NoChampion(f"{home} has no champion", hint="run `make train`")
    digest = str(channel.pointer(USE_CASE.name, newest).document["bundle"])
    return Bundle.verified(channel.bundle(digest), digest)


def reduced(bundle: Bundle, rule: Rule, scorer: OnnxScorer) -> Floats:
    """Packed inputs of the newest month's accounts that the bundle reduces."""
    source = USE_CASE.source()
    month = source.months()[-1]
    rows = bundle.contract.matrix(source.cohort(month, date.max).columns)
    return rows[rule.actions(bundle.policy.quantise(scorer.probabilities(rows)), rows) == Action.REDUCE]


def microseconds(act: Callable[[Floats], object], chunks: list[Floats]) -> Floats:
    taken = []
    for chunk in chunks:
        began = perf_counter()
        act(chunk)
        taken.append((perf_counter() - began) / len(chunk) * 1e6)
    return np.array(taken)


def main() -> int:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    bundle = champion(Path(os.environ.get("STEWARD_HOME", "var")))
    scorer = OnnxScorer(bundle.graph)
    parts = (bundle.contract, bundle.policy, bundle.part("reasons.json"), scorer)
    rule = Rule.of(bundle)
    explainer, counsel = Explainer(*parts), Counsel(*parts, rule)
    rows = reduced(bundle, rule, scorer)
    one = [rows[place % len(rows)][None] for place in range(SINGLE)]
    many = [rows[:BATCH]] * REPEATS
    explained, scored = microseconds(explainer.explain, one), microseconds(scorer.probabilities, one)
    batched, helped = microseconds(explainer.explain, many), microseconds(lambda row: counsel.better(row[0]), one[:200])
    compared = len(bundle.part("reasons.json")["baseline"])
    print(f"{len(rows):,} reduced accounts, {compared} accounts to compare with, bundle {bundle.digest[:12]}")
    for name, taken in (
        ("score of one record, for comparison", scored),
        ("reasons of one record", explained),
        (f"reasons in a batch of {BATCH:,}, by record", batched),
        ("counterfactual of one record, on request", helped),
    ):
        print(f"  {np.median(taken):10,.0f} us median  {np.percentile(taken, 99):10,.0f} us 99th percentile  {name}")
    return int(np.median(explained) > TARGET)


if __name__ == "__main__":
    sys.exit(main())
