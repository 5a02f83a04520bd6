"""A fairness report as one value: every figure with its ruling, the tables behind them, and what all was computed from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.governance.fairness.alternatives import Confirmation, Frontier
from models.governance.fairness.figures import Figure, Ruling, Verdict, worst
from models.governance.fairness.proxy import Power
from models.policy import FairnessLimits


@dataclass(frozen=True)
class FairnessReport:
    """`groups` has one row a sample, audit column and group; `powers` are the proxies; `sources` the partitions that were read.

    `unjoined` counts accounts by sample that the restricted table does not know; they form a group of their own.
    """

    model: str
    bundle: str
    month: str
    confidence: float
    limits: FairnessLimits
    groups: Sequence[Mapping[str, Any]]
    powers: Sequence[Power]
    frontier: Frontier
    confirmation: Confirmation
    rulings: Sequence[Ruling]
    other_reading: str
    unjoined: Mapping[str, int]
    sources: Sequence[Mapping[str, Any]]

    @property
    def verdict(self) -> Verdict:
        return worst(self.rulings)

    @property
    def figures(self) -> list[Figure]:
        """Each once, whatever the number of jurisdictions."""
        return list({id(ruling.figure): ruling.figure for ruling in self.rulings}.values())

    def of(self, verdict: Verdict) -> list[Ruling]:
        return [ruling for ruling in self.rulings if ruling.verdict is verdict]

    def gates(self) -> dict[str, Verdict]:
        """The worst verdict by gate. Only `within` passes: whatever is outside or insufficient is held for a person."""
        names = dict.fromkeys(ruling.gate for ruling in self.rulings)
        return {name: worst([ruling for ruling in self.rulings if ruling.gate == name]) for name in names}

    @property
    def sentence(self) -> str:
        counted = ", ".join(f"{len(self.of(verdict))} {verdict}" for verdict in Verdict)
        jurisdictions = " and ".join(self.limits.jurisdictions)
        return (
            f"{self.model} {self.bundle[:12]} on {self.month}: {self.verdict}. Of {len(self.rulings)} rulings on"
            f" {len(self.figures)} figures under the limits of {jurisdictions}: {counted}."
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON; what is undefined is null."""
        return {
            "model": self.model,
            "bundle": self.bundle,
            "month": self.month,
            "confidence": self.confidence,
            "sentence": self.sentence,
            "verdict": self.verdict.value,
            "gates": {name: verdict.value for name, verdict in self.gates().items()},
            "limits": self.limits.model_dump(mode="json"),
            "groups": [dict(row) for row in self.groups],
            "figures": [self._ruled(figure) for figure in self.figures],
            "proxies": [power.to_dict() for power in self.powers],
            "alternatives": self.frontier.to_dict(),
            "confirmation": self.confirmation.to_dict(),
            "other_reading": self.other_reading,
            "unjoined": dict(self.unjoined),
            "sources": [dict(source) for source in self.sources],
        }

    def _ruled(self, figure: Figure) -> dict[str, Any]:
        rulings = [ruling.to_dict() for ruling in self.rulings if ruling.figure is figure]
        return figure.to_dict() | {"gate": f"fairness.{figure.kind}", "rulings": rulings}
