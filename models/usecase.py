"""What a folder under `models/` must provide to be a use case."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.alerting import Alerting
from models.clock import Month
from models.contract import Columns, Contract
from models.estimator import Dimension
from models.governance.inventory import Inventory
from models.outcomes import OutcomeDefinition
from models.policy import Policy


@dataclass(frozen=True)
class Cohort:
    """What the source delivers for one month: the accounts as they stood, and, once known, what became of them."""

    month: Month
    columns: Columns  # key, time, inputs
    audit: Columns  # key, audit columns
    outcome_codes: NDArray[np.int64] | None  # same row order; None until the outcome month is over
    coding: str  # how the codes are to be read: see OutcomeDefinition.codings


class Source(Protocol):
    def months(self) -> list[Month]:
        """Every month that the source can deliver, oldest first."""
        ...

    def last(self) -> Month | None:
        """The last month that there will ever be, None while a new one is due every month. None after it is missed."""
        ...

    def cohort(self, month: Month, as_of: date) -> Cohort:
        """The month as the source knew it at the end of `as_of`: no outcome before it matured. Raises `NotFound`."""
        ...


@dataclass(frozen=True)
class UseCase:
    """A model a bank must answer for, as the platform needs to know it. A folder exports one as `USE_CASE`."""

    name: str
    title: str
    contract: Contract
    features: Callable[[Mapping[str, Any], Any], dict[str, Any]]  # (columns, array namespace) -> feature columns
    policy: Policy
    search_spaces: Mapping[str, Mapping[str, Dimension]]  # by family name
    definitions: Mapping[int, OutcomeDefinition]
    as_coded: Mapping[str, int]  # coding -> the definition that takes its codes at face value
    populations: Mapping[str, Callable[[Columns], NDArray[np.bool_]]]  # e.g. current, delinquent, inactive
    segments: Callable[[Columns], dict[str, NDArray[np.str_]]]  # reporting segments, from inputs only
    outcome_delay: int  # months from a snapshot to its matured outcome
    first_as_of: date  # the first day on which a champion can be trained
    source: Callable[[], Source]
    inventory: Inventory = field(default_factory=Inventory)  # left out, it blocks promotion and serving
    alerting: Alerting = field(default_factory=Alerting)  # who is called, how urgently, and for how long
    exposure: Callable[[Columns], float] | None = None  # that of a month's accounts, in the unit declared; None: not in the data

    def matured_at(self, month: Month) -> date:
        """The last day of the outcome month, on which (inclusive) a cohort's outcome is known."""
        return month.plus(self.outcome_delay).last_day
