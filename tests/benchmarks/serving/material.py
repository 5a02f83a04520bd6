"""What is asked: real accounts, and what the champion's graph says of them."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

import numpy as np

from models.adapters.onnx_runtime import OnnxScorer
from models.credit_default import USE_CASE
from models.errors import NotEnoughData
from models.governance.doubt.rule import Rule
from models.policy import Action
from tests.benchmarks.reasons import champion

Record = dict[str, Any]
ADVERSE, RECORDS, BATCH = 0.2, 2_000, 1_000


@dataclass(frozen=True)
class Material:
    """Records to score, what the model's graph says of them, and a home of the benchmark's own."""

    home: Path
    records: Sequence[Record]
    probabilities: Sequence[float]
    bundle: str

    @classmethod
    def gather(cls, home: Path | None, folder: Path, adverse: float = ADVERSE) -> Self:
        """`adverse`: the share of records that are reduced. Raises `NoChampion`, or `NotEnoughData` if too few accounts are."""
        own = folder / "home"
        shutil.copytree(home or Path(os.environ.get("STEWARD_HOME", "var")), own)
        bundle = champion(own)
        source, contract = USE_CASE.source(), USE_CASE.contract
        month = source.months()[-1]
        columns = source.cohort(month, date.max).columns
        rows = contract.matrix(columns)
        probability = bundle.policy.quantise(OnnxScorer(bundle.graph).probabilities(rows))
        judged = Rule.of(bundle).actions(probability, rows) == Action.REDUCE
        reduced, others = np.flatnonzero(judged), np.flatnonzero(~judged)
        wanted = int(RECORDS * adverse)
        if len(reduced) < wanted:
            raise NotEnoughData(f"only {len(reduced)} accounts of {month} are reduced, {wanted} are needed", hint="make train")
        rng = np.random.default_rng(1)
        drawn = np.concatenate([rng.choice(reduced, wanted, False), rng.choice(others, RECORDS - wanted, False)])
        places = rng.permutation(drawn).tolist()
        records = [{name: columns[name][place].item() for name in contract.inputs} for place in places]
        return cls(own, records, [float(probability[place]) for place in places], bundle.digest)
