"""What a swap-set report holds. Counts of accounts, shares of 1, costs in the policy's currency per account."""

from typing import Any, Self

from models.bundle import canonical, sha256
from models.errors import Integrity
from models.policy import Action, Frozen

FORMAT = 1
REPORT, PAGE = "swap-set.json", "index.html"


class Side(Frozen):
    """One of the two versions on these accounts."""

    version: int
    bundle: str
    actions: dict[Action, int]
    mean_probability: float


class Cell(Frozen):
    """Accounts with one action by the champion and another by the challenger; some of them, by pseudonym."""

    champion: Action
    challenger: Action
    accounts: int
    examples: tuple[str, ...]

    @property
    def harsher(self) -> bool:
        return list(Action).index(self.challenger) > list(Action).index(self.champion)


class Cost(Frozen):
    """Mean cost of an account under both, read by one probability or by the outcomes; the interval is of the difference."""

    reading: str
    accounts: int
    champion: float
    challenger: float
    difference: float
    low: float
    high: float


class Change(Frozen):
    """Of the probability, challenger less champion."""

    mean: float
    mean_absolute: float
    largest_of_99: float  # 99 of 100 accounts change by less, either way


class Distinct(Frozen):
    """How those who are treated otherwise differ from the others in one input; `difference` in standard deviations."""

    name: str
    flipped: float
    others: float
    difference: float


class MixRow(Frozen):
    """One group of people: how many of it are decided upon more harshly, or more mildly. None is withheld."""

    column: str
    group: str
    accounts: int
    harsher: int | None = None
    milder: int | None = None


class SwapSet(Frozen):
    """`champion` is the version that the challenger is compared with, in force or not."""

    format: int = FORMAT
    model: str
    title: str
    month: str
    accounts: int
    sources: tuple[dict[str, Any], ...]
    confidence: float
    currency: str
    champion: Side
    challenger: Side
    cells: tuple[Cell, ...]
    costs: tuple[Cost, ...]
    change: Change
    distinct: tuple[Distinct, ...]
    mix: tuple[MixRow, ...]
    minimum_cell: int
    notes: tuple[str, ...]

    def count(self, champion: Action, challenger: Action) -> int:
        return sum(cell.accounts for cell in self.cells if (cell.champion, cell.challenger) == (champion, challenger))

    @property
    def flips(self) -> list[Cell]:
        """The cells of those who are treated otherwise, the most frequent first."""
        found = [cell for cell in self.cells if cell.accounts and cell.champion is not cell.challenger]
        return sorted(found, key=lambda cell: -cell.accounts)

    @property
    def flipped(self) -> int:
        return sum(cell.accounts for cell in self.flips)

    @property
    def harsher(self) -> int:
        return sum(cell.accounts for cell in self.flips if cell.harsher)

    def favoured(self, side: Side) -> float:
        return side.actions[Action.KEEP] / self.accounts

    @property
    def sentence(self) -> str:
        """The report in brief; the cost by the mean of both probabilities, which favours neither."""
        cost = next(cost for cost in self.costs if cost.reading == MEAN)
        return (
            f"Of {self.accounts:,} accounts of {self.month}, {self.flipped:,} ({self.flipped / self.accounts:.1%}) are treated"
            f" otherwise by version {self.challenger.version} than by version {self.champion.version}: {self.harsher:,} more"
            f" harshly, {self.flipped - self.harsher:,} more mildly. It favours {self.favoured(self.challenger):.1%} instead of"
            f" {self.favoured(self.champion):.1%}, and costs {cost.difference:+,.1f} {self.currency} an account"
            f" ({cost.low:+,.1f} to {cost.high:+,.1f})."
        )

    def to_bytes(self) -> bytes:
        return canonical(self.model_dump(mode="json"))

    @property
    def digest(self) -> str:
        return sha256(self.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        try:
            return cls.model_validate_json(data)
        except ValueError as error:
            raise Integrity("a swap-set report cannot be read", hint="it is damaged: make swap-set writes it again") from error


BY_CHAMPION, BY_CHALLENGER = "by the champion's probabilities", "by the challenger's probabilities"
MEAN, REALISED = "by the mean of both probabilities", "as it turned out"
