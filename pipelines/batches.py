"""A batch on its way into the lake, and what can be said of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from models.clock import Month
from models.contract import Array, Columns, Contract
from models.lake import Lake, PartitionVersion
from models.outcomes import OutcomeDefinition

EXAMPLES = 5


class Ruling(StrEnum):
    """From the mildest to the most severe."""

    ADMIT = "admit"
    HOLD = "hold"
    QUARANTINE = "quarantine"


@dataclass(frozen=True)
class Stored(Mapping[str, Array]):
    """A version's columns, each read when it is asked for: of a month before, most are not."""

    lake: Lake
    part: PartitionVersion
    names: Sequence[str]

    def __getitem__(self, name: str) -> Array:
        if name not in self.names:
            raise KeyError(name)
        return self.lake.read([self.part], [name])[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Batch:
    """One month of one table, as delivered. `contract` has exactly the columns that this table must have."""

    use_case: str
    table: str
    month: Month
    contract: Contract
    columns: Columns
    accounts: Array | None = None  # the keys that must be here, if another table says so
    coding: str = ""  # outcomes only: how the codes are to be read
    definition: OutcomeDefinition | None = None  # outcomes only: the one in force
    stored: int = 0  # rows, of what is in the lake

    @property
    def rows(self) -> int:
        return self.stored or max((len(values) for values in self.columns.values()), default=0)

    def typed(self, name: str) -> bool:
        """Whether the values have the contract's type at all."""
        return np.issubdtype(self.columns[name].dtype, self.contract[name].dtype)


def in_key_order(columns: Columns, key: str) -> Columns:
    """The rows sorted by their key: their order says nothing about whose they are. Uneven columns stay; they are refused."""
    if key not in columns or len({len(values) for values in columns.values()}) > 1:
        return columns
    order = _order(columns[key])
    return {name: values[order] for name, values in columns.items()}


def _order(keys: Array) -> Array:
    if keys.dtype.kind == "U":
        return np.argsort(keys, kind="stable")
    texts = [str(key) for key in keys.tolist()]  # of a broken batch, which may hold anything
    return np.array(sorted(range(len(texts)), key=texts.__getitem__), dtype=np.intp)


@dataclass(frozen=True)
class Finding:
    """One broken rule: where, what was observed against which limit, and up to five rows that show it."""

    rule: str
    column: str
    observed: str
    limit: str
    ruling: Ruling
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measure:
    """One figure of a batch that history bounds: it must lie from `low` to `high`."""

    rule: str
    column: str
    value: float
    low: float
    high: float
    ruling: Ruling
    evidence: str

    @property
    def broken(self) -> bool:
        return not self.low <= self.value <= self.high

    def finding(self) -> Finding:
        limit = f"from {self.low:,.6g} to {self.high:,.6g}" if self.low else f"at most {self.high:,.6g}" if self.high else "none"
        return Finding(self.rule, self.column, self.evidence, limit, self.ruling)


@dataclass(frozen=True)
class Verdict:
    """Everything that was found; the severest finding rules."""

    findings: tuple[Finding, ...] = ()

    @property
    def ruling(self) -> Ruling:
        return max((finding.ruling for finding in self.findings), key=list(Ruling).index, default=Ruling.ADMIT)

    def to_dict(self) -> dict[str, Any]:
        return {"ruling": self.ruling, "findings": [asdict(finding) for finding in self.findings]}
