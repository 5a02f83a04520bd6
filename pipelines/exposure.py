"""Does the declared exposure agree with the data? It decides the tier, so it is measured anew whenever a model is trained.

Declared too much only makes the control stricter, and a sample of a book is less than the book: only too little is held.
"""

from dataclasses import asdict, dataclass
from typing import Any

from models.errors import Held
from models.governance.inventory import Inventory, oversight
from models.usecase import UseCase
from pipelines.dataset import Dataset

LARGEST_RATIO = 1.10
"""Of what the data say to what is declared: books grow between two declarations."""


@dataclass(frozen=True)
class Measured:
    """The exposure of the newest month that a model is made of, beside what its owner declares. `tier` would follow from it."""

    month: str
    amount: float
    declared: float
    unit: str
    ratio: float
    largest_ratio: float
    tier: int
    declared_tier: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def understated(self) -> bool:
        return self.ratio > self.largest_ratio or self.tier < self.declared_tier


def measured(use_case: UseCase, dataset: Dataset) -> Measured | None:
    """None where the use case has no figure in its data, or declares none: the latter is refused elsewhere."""
    inventory = use_case.inventory
    if use_case.exposure is None or inventory.missing():
        return None
    newest = max(dataset.months.tolist())
    amount = float(use_case.exposure({name: values[dataset.months == newest] for name, values in dataset.columns.items()}))
    declared = inventory.exposure
    tiers = oversight(_with(inventory, amount)).tier, oversight(inventory).tier
    return Measured(newest, amount, declared.amount, declared.unit, amount / declared.amount, LARGEST_RATIO, *tiers)


def ensure_declared(found: Measured | None) -> None:
    """Raises `Held` if the data say more than the owner."""
    if found is not None and found.understated:
        graver = f", which would be tier {found.tier}, not {found.declared_tier}" if found.tier < found.declared_tier else ""
        raise Held(
            f"the inventory declares an exposure of {found.declared:,.0f} {found.unit}, and the data of {found.month} say"
            f" {found.amount:,.0f}{graver}",
            hint="its owner declares what it is, in the use case's INVENTORY; tier, approvers and monitoring follow from it",
        )


def _with(inventory: Inventory, amount: float) -> Inventory:
    """As if it were declared so; a book that holds nothing is weighed as the smallest."""
    exposure = inventory.exposure.model_copy(update={"amount": max(amount, 1.0)})
    return inventory.model_copy(update={"exposure": exposure})
