"""The model inventory: who owns a model, what for, how much hangs on it; and what follows from that.

Materiality is exposure x purpose (SR 26-2, "Model Risk Management", April 2026: the rigour of control follows what a
model's failure could cost and what it is used for). The bands and the table below are this platform's reading of it;
a bank that reads it otherwise edits them here, where every door looks.
"""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import ValidationError

from models.bundle import Bundle
from models.errors import Integrity, NotApproved
from models.policy import Frozen

PART = "inventory.json"


class PurposeClass(StrEnum):
    """What a model's answer is used for, from the gravest to the mildest."""

    CUSTOMERS = "decides about customers"
    REPORTING = "capital or financial reporting"
    STEERING = "steers risk or price"
    SUPPORT = "supports people at work"


class Exposure(Frozen):
    """How much hangs on a model: a number, its unit, and where it comes from."""

    amount: float = 0.0
    unit: str = ""
    source: str = ""


class Inventory(Frozen):
    """What the owner declares. Everything may be left out here, and nothing may be missing when it counts (`missing`)."""

    owner: str = ""
    purpose: str = ""
    purpose_class: PurposeClass | None = None
    permitted: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    exposure: Exposure = Exposure()

    def missing(self) -> list[str]:
        """The fields that say nothing."""
        texts = {"owner": self.owner, "purpose": self.purpose, "unit": self.exposure.unit, "source": self.exposure.source}
        found = [name for name, text in texts.items() if not text.strip()]
        lists = {"permitted": self.permitted, "forbidden": self.forbidden}
        found += [name for name, uses in lists.items() if not uses or not all(use.strip() for use in uses)]
        found += ["purpose_class"] * (self.purpose_class is None) + ["amount"] * (not self.exposure.amount > 0)
        return sorted(found)


@dataclass(frozen=True)
class Oversight:
    """What applies to a tier: approvers who must sign, how long that counts, how often is monitored, which gates count.

    A gate counts through its file in the sealed evidence: without it there is nothing that an approver could have read.
    `pack` is what only an evidence pack has; it is asked for where people approve. `canary_accounts` is on how many accounts a
    canary must be judged, at least, before a release takes a champion's place in production; 0 asks for no canary.
    """

    tier: int
    approvers: int
    approval_days: int
    monitoring_months: int
    evidence: tuple[str, ...]
    pack: tuple[str, ...] = ()
    canary_accounts: int = 0


_MADE_WITH = ("sbom.cdx.json", "licences.json")
_EVIDENCE = ("assessment.json", "data.json", "development.json", "recipe.json", *_MADE_WITH)
_LEAST = ("assessment.json", "recipe.json", *_MADE_WITH)
_PACK = ("index.html", "figures.json", "fairness/fairness.json", "reasons.json")

OVERSIGHT = {
    1: Oversight(1, approvers=2, approval_days=180, monitoring_months=1, evidence=_EVIDENCE, pack=_PACK, canary_accounts=1_000),
    2: Oversight(2, approvers=1, approval_days=365, monitoring_months=1, evidence=_EVIDENCE, pack=_PACK, canary_accounts=1_000),
    3: Oversight(3, approvers=1, approval_days=730, monitoring_months=3, evidence=_LEAST),
}

BANDS = {"TWD": (1e9, 1e10), "USD": (3e7, 3e8), "EUR": (3e7, 3e8), "accounts": (1e4, 1e6)}
"""From which amount on an exposure is medium, and from which large, by unit."""

TIERS = {
    PurposeClass.CUSTOMERS: (2, 2, 1),
    PurposeClass.REPORTING: (2, 1, 1),
    PurposeClass.STEERING: (3, 2, 1),
    PurposeClass.SUPPORT: (3, 3, 2),
}
"""The tier at small, medium and large exposure."""


def oversight(inventory: Inventory) -> Oversight:
    """What applies to a model. Raises `NotApproved` if a field is empty or the unit has no bands."""
    if missing := inventory.missing():
        raise NotApproved(
            f"the inventory leaves out: {', '.join(missing)}",
            hint="its owner declares them in the use case's INVENTORY; without them nothing is promoted or served",
        )
    bands = BANDS.get(inventory.exposure.unit)
    if bands is None or inventory.purpose_class is None:
        raise NotApproved(
            f"an exposure in {inventory.exposure.unit!r} cannot be weighed",
            hint=f"known units: {', '.join(BANDS)}; add others to BANDS in models/governance/inventory.py",
        )
    band = sum(inventory.exposure.amount >= limit for limit in bands)
    return OVERSIGHT[TIERS[inventory.purpose_class][band]]


def declared(bundle: Bundle) -> Inventory:
    """The inventory sealed into a bundle. Raises `NotApproved` if it has none, `Integrity` if it cannot be read."""
    if PART not in bundle.files:
        raise NotApproved(
            f"bundle {bundle.digest[:12]} of {bundle.model} has no {PART}",
            hint="nobody said who owns it and what for; train it again",
        )
    try:
        return Inventory.model_validate_json(bundle.files[PART])
    except ValidationError as error:
        raise Integrity(
            f"the {PART} of bundle {bundle.digest[:12]} cannot be read",
            hint="it was sealed for another release of the platform; train it again",
        ) from error
