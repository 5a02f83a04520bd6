"""The shift scenario of the running example: which accounts, which factors, which shifts. All sizes are stated here."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import catalog
from models.clock import Month
from models.contract import Columns
from models.errors import NotFound
from pipelines.simulation.pool import Floats, Pool, banded, fitted_log_odds, joined, standardised
from pipelines.simulation.scenario import ConceptShift, CovariateShift, Ramp, Scenario
from pipelines.simulation.simulator import Simulator

USE_CASE = "credit_default"
MONTHS = [Month(2005, 5), Month(2005, 6), Month(2005, 7)]  # the cohorts whose outcomes are coded alike
KNOWN = date(2005, 12, 31)

SHIFT = Scenario(
    name="shift",
    title="Simulated from real accounts, with a known shift",
    first=Month(2005, 5),
    months=12,
    accounts=15_000,
    seed=2005,
    shifts=(
        CovariateShift(Ramp(Month(2005, 9), 6), {"credit limit": -0.4}),
        ConceptShift(Ramp(Month(2005, 10), 2), {"months behind": -0.4, "bill growth": 0.9}),
    ),
)


SCENARIOS = {SHIFT.name: SHIFT}


@lru_cache(maxsize=1)
def simulator(name: str) -> Simulator:
    """A scenario over all accounts, by name. Raises `NotFound`."""
    if name not in SCENARIOS:
        raise NotFound(f"there is no simulated scenario {name!r}", hint=f"known: {', '.join(SCENARIOS)}")
    return Simulator(pool(), SCENARIOS[name], outcome_delay=catalog.find(USE_CASE).outcome_delay)


@lru_cache(maxsize=2)
def pool(held_out: Callable[[NDArray[np.str_]], NDArray[np.bool_]] | None = None) -> Pool:
    """The accounts to draw from: all, or those that `held_out` (account numbers to booleans) keeps."""
    use_case = catalog.find(USE_CASE)
    source = use_case.source()
    cohorts = [source.cohort(month, KNOWN) for month in MONTHS]
    wanted = held_out(cohorts[0].columns["account_id"]) if held_out else None
    rows = joined(cohorts, wanted=wanted)
    assert rows.outcome_codes is not None
    bad = use_case.definitions[use_case.as_coded[rows.coding]].bad(rows.outcome_codes)
    return Pool(
        columns=rows.columns,
        audit=rows.audit,
        codes=rows.outcome_codes,
        bad=bad,
        coding=rows.coding,
        log_odds=fitted_log_odds(_bands(rows.columns), bad),
        factors=factors(rows.columns),
    )


def factors(columns: Columns) -> dict[str, Floats]:
    """What the shifts act on, standardised over the pool."""
    return {
        "months behind": standardised(np.clip(columns["status_0"], 0, 2).astype(np.float64)),
        "credit limit": standardised(np.log(columns["credit_limit"])),
        "bill growth": standardised(np.clip((columns["bill_0"] - columns["bill_1"]) / columns["credit_limit"], -0.5, 0.5)),
    }


def _bands(columns: Columns) -> list[NDArray[np.int64]]:
    """The stated model's inputs: the pair of repayment statuses, and amounts in bands."""
    limit = columns["credit_limit"]
    now = np.searchsorted([-1, 0, 1, 3], columns["status_0"], side="right")
    before = np.searchsorted([-1, 0, 1], columns["status_1"], side="right")
    amounts: list[Any] = [
        columns["bill_0"] / limit,
        (columns["bill_0"] - columns["bill_1"]) / limit,
        columns["payment_0"] / limit,
        columns["payment_1"] / limit,
        _paid(columns),
        limit,
        columns["bill_0"],
        columns["payment_0"],
    ]
    return [(now * 10 + before).astype(np.int64), *(banded(amount) for amount in amounts)]


def _paid(columns: Columns) -> Floats:
    """The share of the bill before that was paid, between 0 and 1; 1 if nothing was owed."""
    owed = columns["bill_1"]
    return np.where(owed > 0, np.clip(columns["payment_0"] / np.maximum(owed, 1), 0, 1), 1.0)
