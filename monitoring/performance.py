"""Realised performance: what a month's decisions said against what became of the accounts, once that is known."""

from models.policy import Frozen


class Figures(Frozen):
    """Of one population under one definition. AUC is None where only good or only bad accounts are left."""

    rows: int
    bad: int
    predicted: float  # mean predicted probability
    actual: float  # bad rate
    brier: float
    auc: float | None
    auc_low: float | None = None
    auc_high: float | None = None


class Reading(Frozen):
    """Performance under one outcome definition, by population; "all" is always there."""

    definition: int
    rule: str
    populations: dict[str, Figures]


class Attribution(Frozen):
    """The AUC change against the reference in two parts that add up to it.

    `definition`: same rows, as coded against comparable. `model`: comparable against the reference.
    """

    total: float
    definition: float
    model: float


class Performance(Frozen):
    """`as_coded` takes the outcome codes at face value; `comparable` reads them so that months can be compared."""

    matured_at: str
    coding: str
    as_coded: Reading
    comparable: Reading | None
    note: str  # why there is no comparable reading, or how the two were chosen
    reference_definition: int | None
    reference: dict[str, float]  # the champion's own out-of-time figures: auc, brier, bad_rate
    attribution: Attribution | None
    unmatched: int  # decisions without an outcome
