"""The running example: the monthly line review of credit-card accounts. See README.md beside this file."""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from models.contract import Columns
from models.credit_default.contract import CONTRACT
from models.credit_default.estimator import SEARCH_SPACES
from models.credit_default.features import features
from models.credit_default.inventory import INVENTORY
from models.credit_default.policy import POLICY
from models.credit_default.source import BY_LABEL, BY_STATUS, panel
from models.outcomes import OutcomeDefinition
from models.usecase import UseCase


def _behind(columns: Columns) -> NDArray[np.bool_]:
    return np.asarray(columns["status_0"] >= 1)


def _inactive(columns: Columns) -> NDArray[np.bool_]:
    return np.asarray((columns["status_0"] == -2) & (columns["bill_0"] <= 0) & (columns["payment_0"] == 0))


def _current(columns: Columns) -> NDArray[np.bool_]:
    return ~(_behind(columns) | _inactive(columns))


def _segments(columns: Columns) -> dict[str, NDArray[np.str_]]:
    bands = np.array(["limit below 100k", "limit 100k to 250k", "limit above 250k"])
    usage = columns["bill_0"] / columns["credit_limit"]
    return {
        "credit limit": bands[np.searchsorted([100_000, 250_000], columns["credit_limit"], side="right")],
        "utilisation": np.where(usage > 0.5, "more than half used", "at most half used"),
    }


USE_CASE = UseCase(
    name="credit_default",
    title="Monthly line review of credit-card accounts",
    contract=CONTRACT,
    features=features,
    policy=POLICY,
    search_spaces=SEARCH_SPACES,
    definitions={
        1: OutcomeDefinition(
            1, "behind: repayment status 1 or more in the month after", frozenset({BY_STATUS}), lambda codes: codes >= 1
        ),
        2: OutcomeDefinition(
            2, "behind: repayment status 2 or more in the month after", frozenset({BY_STATUS}), lambda codes: codes >= 2
        ),
        3: OutcomeDefinition(
            3,
            "behind: the published label 'default payment next month'",
            frozenset({BY_LABEL}),
            lambda codes: codes == 1,
        ),
    },
    as_coded={BY_STATUS: 1, BY_LABEL: 3},
    populations={"current": _current, "already behind": _behind, "inactive": _inactive},
    segments=_segments,
    outcome_delay=1,
    first_as_of=date(2005, 7, 31),
    source=panel,
    inventory=INVENTORY,
    exposure=lambda columns: float(columns["credit_limit"].sum()),
)
