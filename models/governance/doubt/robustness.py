"""What becomes of a decision when its input is not as it should be: refused, flagged, or moved by a bounded amount.

Real accounts are disturbed the way that feeds go wrong. The contract refuses what it can see. What is unlike anything that the
model was made from is flagged and goes to a person. The rest gets a silent score, so its change is measured and limited by
the policy.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from models.contract import REQUEST_ROLES, Column, Columns, Contract, Role
from models.governance.doubt.rule import Rule
from models.policy import RobustnessLimits
from models.scoring import Scorer

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Disturbed = Mapping[str, NDArray[Any]]

KINDS = ("rounded", "noise_1", "noise_5", "stale", "one_unit", "all_units", "extreme", "mixed")
"""Numbers to two digits; 1 % and 5 % of noise; last month's values again; one amount, or all of them, a thousand times too
small or too large; one input at an end of its range; every input from another account."""


@dataclass(frozen=True)
class Effect:
    """Of one disturbance on `rows` real accounts, as shares of them. Moved (log-odds, absolute: 99th percentile and largest) and
    changed are those of the silent accounts, which are neither refused nor flagged. `column` is the one input that was
    disturbed, "" if several were."""

    kind: str
    part: str
    rows: int
    refused: float
    flagged: float
    moved: float
    moved_most: float
    changed: float
    column: str = ""

    @property
    def caught(self) -> float:
        return self.refused + self.flagged


@dataclass(frozen=True)
class Refusals:
    """Broken records that were offered to the contract, by what was broken, and those that it took."""

    offered: Mapping[str, int]
    taken: Mapping[str, int]


@dataclass(frozen=True)
class Robustness:
    """`false_flags` is the share of accounts that are flagged by what is familiar from other accounts of the same months.

    `later_flags` is that of a later month by what was familiar before it: not gated, because such flags may be right.
    """

    effects: Sequence[Effect]
    refusals: Refusals
    false_flags: float
    later_flags: float

    def worst(self, limits: RobustnessLimits) -> tuple[float, str]:
        """The largest change as a multiple of its limit, and which one it is; NaN if a disturbance has no limit."""
        found = [(float("nan"), f"{kind} was not tried or has no limit") for kind in KINDS if not self._limited(kind, limits)]
        for each in self.effects:
            if limit := limits.bound(each.kind, each.column):
                ratio = max(each.moved / limit.moved, each.changed / limit.changed)
                found.append((ratio, f"{each.part}: 99 % move by at most {each.moved:.3f} log-odds, {each.changed:.2%} change"))
        missing = [each for each in found if np.isnan(each[0])]
        return missing[0] if missing else max(found)

    def least_caught(self, limits: RobustnessLimits) -> tuple[float, str]:
        """The smallest share that was refused or flagged, less what its limit asks, and of which disturbance."""
        found = [(each.caught - limits.caught[each.kind], each.part) for each in self.effects if each.kind in limits.caught]
        return min(found, default=(float("nan"), "nothing that must be caught was tried"))

    def _limited(self, kind: str, limits: RobustnessLimits) -> bool:
        tried = any(each.kind == kind for each in self.effects)
        return tried and (kind in limits.bounded or kind in limits.caught)

    def to_dict(self) -> dict[str, Any]:
        effects = [asdict(each) for each in self.effects]
        flags = {"false_flags": self.false_flags, "later_flags": self.later_flags}
        return {"effects": effects, "refusals": asdict(self.refusals), **flags}


def measured(
    contract: Contract, rule: Rule, scorer: Scorer, columns: Columns, limits: RobustnessLimits, seed: int = 0
) -> list[Effect]:
    """Every disturbance of the inputs of real accounts, shape (n,), on the sealed graph and the sealed rule."""
    own = {name: np.asarray(columns[name]) for name in contract.inputs}
    before = _Answers.of(contract, rule, scorer, own)
    return [
        replace(_effect(contract, rule, scorer, kind, part, {**own, **changed}, before), column=_only(changed))
        for kind, part, changed in disturbances(contract, own, limits.stale, np.random.default_rng(seed))
    ]


def _only(changed: Disturbed) -> str:
    """The one input that differs, "" if several do."""
    return next(iter(changed)) if len(changed) == 1 else ""


def disturbances(
    contract: Contract, columns: Columns, stale: Mapping[str, str], rng: np.random.Generator
) -> Iterator[tuple[str, str, Disturbed]]:
    """(kind, what was done in words, the inputs that differ)."""
    numbers = [name for name in contract.inputs if not contract[name].codes]
    yield "rounded", "amounts to two digits", {name: _two_digits(columns[name]) for name in numbers}
    for percent in (1, 5):
        noise = {name: rng.uniform(1 - percent / 100, 1 + percent / 100, len(columns[name])) for name in numbers}
        yield f"noise_{percent}", f"{percent} % of noise", {name: columns[name] * noise[name] for name in numbers}
    yield "stale", "last month's values", {name: columns[older] for name, older in stale.items()}
    for factor, word in ((0.001, "a thousand times too small"), (1000.0, "a thousand times too large")):
        yield "all_units", f"every amount {word}", {name: columns[name] * factor for name in numbers}
        for name in numbers:
            yield "one_unit", f"{name} {word}", {name: columns[name] * factor}
    for name in contract.inputs:
        for end in (contract[name].minimum, contract[name].maximum):
            yield "extreme", f"{name} = {end:,.0f}", {name: np.full_like(columns[name], end)}
    yield "mixed", "every input from another account", {name: rng.permutation(columns[name]) for name in contract.inputs}


def refusals(contract: Contract, records: Sequence[Mapping[str, Any]]) -> Refusals:
    """Offer every way in which a field can be missing or wrong, of real records, as the service would read them."""
    door = TypeAdapter(contract.request_model())
    offered: dict[str, int] = {}
    taken: dict[str, int] = {}
    for record in records:
        for what, broken in _broken(contract, record):
            offered[what] = offered.get(what, 0) + 1
            taken[what] = taken.get(what, 0) + _accepts(door, broken)
    return Refusals(offered, taken)


def outside(contract: Contract, columns: Columns) -> Bools:
    """Which accounts (n,) the contract refuses for a value."""
    return np.asarray(np.any([_refused(contract[name], columns[name]) for name in contract.inputs], axis=0))


@dataclass(frozen=True)
class _Answers:
    log_odds: Floats
    actions: NDArray[np.str_]

    @classmethod
    def of(cls, contract: Contract, rule: Rule, scorer: Scorer, columns: Columns) -> "_Answers":
        matrix = contract.matrix(columns)
        probability = rule.policy.quantise(scorer.probabilities(matrix))
        return cls(scorer.log_odds(matrix), rule.actions(probability, matrix))


def _effect(contract: Contract, rule: Rule, scorer: Scorer, kind: str, part: str, columns: Columns, before: _Answers) -> Effect:
    refused = outside(contract, columns)
    flagged = ~refused & rule.familiar.strange(contract.matrix(columns)).any(axis=1)
    silent = ~(refused | flagged)
    rows, left = len(silent), {name: values[silent] for name, values in columns.items()}
    if not silent.any():
        return Effect(kind, part, rows, float(refused.mean()), float(flagged.mean()), 0.0, 0.0, 0.0)
    after = _Answers.of(contract, rule, scorer, left)
    moved = np.abs(after.log_odds - before.log_odds[silent])
    changed = float(np.sum(after.actions != before.actions[silent]) / rows)
    p99, most = float(np.quantile(moved, 0.99)), float(moved.max())
    return Effect(kind, part, rows, float(refused.mean()), float(flagged.mean()), p99, most, changed)


def _refused(column: Column, values: NDArray[Any]) -> Bools:
    if column.codes:
        return ~np.isin(values, list(column.codes))
    return ~((values >= column.minimum) & (values <= column.maximum))


def _two_digits(values: Floats) -> Floats:
    size = 10.0 ** np.maximum(np.floor(np.log10(np.maximum(np.abs(values), 1.0))) - 1, 0)
    return np.asarray(np.round(values / size) * size)


def _broken(contract: Contract, record: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for column in contract.only(*REQUEST_ROLES).columns:
        yield "absent", {name: value for name, value in record.items() if name != column.name}
        yield "null", {**record, column.name: None}
        yield "another type", {**record, column.name: [record[column.name]]}
        if column.kind != "text":
            yield "a number as text", {**record, column.name: str(record[column.name])}
            yield "not a number", {**record, column.name: float("nan")}
            yield "infinite", {**record, column.name: float("inf")}
            yield "below the range", {**record, column.name: type(record[column.name])((column.minimum or 0) - 1)}
            yield "above the range", {**record, column.name: type(record[column.name])((column.maximum or 0) + 1)}
    for column in contract.only(Role.AUDIT, Role.OUTCOME).columns:
        yield "a column that is not asked for", {**record, column.name: column.example}


def _accepts(door: TypeAdapter[Any], record: Mapping[str, Any]) -> bool:
    try:
        door.validate_json(json.dumps(record))
    except ValidationError:
        return False
    return True
