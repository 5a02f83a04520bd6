"""Small datasets on the running example's contract, whose outcome the features explain."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.credit_default import USE_CASE
from pipelines.dataset import Dataset
from tests.samples import rows


def dataset(months: Sequence[str] = ("2005-05", "2005-06"), accounts: int = 300, *, seed: int = 0, first: int = 0) -> Dataset:
    """The same accounts every month; the worse the status and the fuller the line, the more of them turn bad."""
    parts: list[dict[str, Any]] = []
    bads = []
    for number, month in enumerate(months):
        columns: dict[str, Any] = dict(rows(accounts, seed=1_000 * seed + number))
        used = np.clip(columns["bill_0"] / columns["credit_limit"], 0, 1)
        risk = 1 / (1 + np.exp(-(0.8 * np.maximum(columns["status_0"], 0) + used - 2.5)))
        bads.append(np.random.default_rng([seed, number]).random(accounts) < risk)
        parts.append(
            {
                USE_CASE.contract.key: np.array([f"A{first + i:05d}" for i in range(accounts)]),
                USE_CASE.contract.time: np.full(accounts, month),
                **columns,
            }
        )
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Dataset(columns, columns[USE_CASE.contract.key], columns[USE_CASE.contract.time], np.concatenate(bads), 1, (), 0)
