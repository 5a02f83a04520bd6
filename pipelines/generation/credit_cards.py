"""The running example's panel, as the generator draws from it. What moves is stated here."""

from datetime import date
from functools import lru_cache

from models import catalog
from models.clock import Month
from models.contract import Role
from models.usecase import Cohort
from pipelines.generation.panel import Panel

USE_CASE = "credit_default"
KNOWN = date(2005, 12, 31)
MOVED = ("bill_0", "bill_1", "payment_0", "payment_1")
"""What an account owes and pays moves together. Its limit does not: limits lie on a grid that the bank chose."""
ROUND_TO = 100.0
JITTER = 0.02
"""Two per cent: a boosted tree then hardly tells real from generated (docs/scale.md)."""


@lru_cache(maxsize=1)
def panel() -> Panel:
    use_case = catalog.find(USE_CASE)
    source, contract = use_case.source(), use_case.contract
    cohorts: dict[Month, Cohort] = {month: source.cohort(month, KNOWN) for month in source.months()}
    wanted = contract.named(Role.KEY, Role.TIME, Role.INPUT)
    codes = {month: cohort.outcome_codes for month, cohort in cohorts.items() if cohort.outcome_codes is not None}
    return Panel(
        contract=contract,
        snapshots={month: {name: cohorts[month].columns[name] for name in wanted} for month in codes},
        outcomes=codes,
        bad={month: use_case.definitions[use_case.as_coded[cohorts[month].coding]].bad(found) for month, found in codes.items()},
        moved=MOVED,
        round_to=ROUND_TO,
    )
