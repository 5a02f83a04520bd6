"""The work of a batch: rows in, a verdict for each of them out."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from models.bundle import Bundle
from models.contract import Array, Columns
from models.governance.explanation.reasons import UNEXPLAINED
from models.judging import Judge
from models.policy import Action
from models.scoring import Scorer
from monitoring.decisions import spelled
from pipelines.scoring.parts import Batch, Kind, Mapped
from pipelines.scoring.screening import Screen

VERDICT: Mapping[str, Kind] = {
    "probability": "number",
    "interval_low": "number",
    "interval_high": "number",
    "action": "text",
    "no_notice": "text",
    "reasons": "text",
    "out_of_distribution": "text",
}
"""What is said of a row that was decided, as it is logged."""
REFUSED: Mapping[str, Kind] = {"refused": "text", "record": "text"}
"""Why a row was not decided, "" if it was, and the row as it came."""
BY: Mapping[str, Kind] = {"version": "integer", "bundle": "text", "fallback": "text"}
"""What decided a row, or refused it."""
ROW = "row"
_NOTHING = {"integer": 0, "number": np.nan, "text": "", "boolean": False}


@dataclass(frozen=True)
class Decide:
    """`repeated` are accounts with their months that stand in the input more than once; `this_month` as 2005-07."""

    bundle: Bundle
    version: int
    fallback: str
    make_scorer: Callable[[bytes], Scorer]
    this_month: str
    repeated: frozenset[tuple[str, ...]] = frozenset()

    @property
    def kinds(self) -> Mapping[str, Kind]:
        contract = self.bundle.contract
        names = (contract.key, contract.time, *contract.inputs)
        return {ROW: "integer", **{name: contract[name].kind for name in names}, **VERDICT, **REFUSED, **BY}

    def opened(self) -> Mapped:
        return _Open(self).verdicts


class _Open:
    def __init__(self, work: Decide) -> None:
        self._work, self._kinds = work, work.kinds
        self._judge = Judge.of(work.bundle, work.make_scorer, f"version {work.version} of {work.bundle.model}")
        self._screen = Screen(self._judge.contract)

    def verdicts(self, batch: Batch) -> Columns:
        """In the order of the rows."""
        refused = self._screen.refused(batch) | self._out_of_place(batch)
        sound = np.ones(len(batch), dtype=np.bool_)
        sound[list(refused)] = False
        decided, others = np.flatnonzero(sound), sorted(refused)
        found, said = self._decided(batch, decided), _not_decided(batch, others, refused)
        order = np.argsort(np.concatenate([decided, np.array(others, dtype=np.int64)]))
        whole: Columns = {
            name: np.concatenate([found.get(name, _fill(kind, len(decided))), said.get(name, _fill(kind, len(others)))])[order]
            for name, kind in self._kinds.items()
        }
        return {**whole, **self._by(len(batch))}

    def _by(self, count: int) -> Columns:
        work = self._work
        by = {"version": work.version, "bundle": work.bundle.digest, "fallback": work.fallback}
        return {name: np.full(count, value, dtype=object if BY[name] == "text" else None) for name, value in by.items()}

    def _out_of_place(self, batch: Batch) -> dict[int, str]:
        """What is wrong with a row beside its values: its month is to come, or its account stands in the input again."""
        key, time = self._judge.contract.key, self._judge.contract.time
        months = batch.columns[time]
        late = {row: f"{time}: {months[row]} is refused: a month up to {self._work.this_month}" for row in self._late(months)}
        if not self._work.repeated:
            return late
        pairs = zip(batch.columns[key].tolist(), months.tolist(), strict=True)
        again = [row for row, pair in enumerate(pairs) if pair in self._work.repeated]
        return late | dict.fromkeys(again, f"{key}: the same account and month as another row; which one would count?")

    def _late(self, months: np.ndarray[tuple[int], np.dtype[np.object_]]) -> list[int]:
        limit = self._work.this_month
        late = {month for month in set(months.tolist()) if month > limit}
        return [row for row, month in enumerate(months.tolist()) if month in late] if late else []

    def _decided(self, batch: Batch, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Columns:
        judge, contract = self._judge, self._judge.contract
        columns = {name: values[rows] for name, values in batch.columns.items()}
        found = judge.verdicts(contract.matrix(columns))
        p0, p1 = judge.rule.intervals.of(found.probability)
        why = [found.why.get(row, UNEXPLAINED) for row in range(len(rows))]
        own = {
            name: columns[name].astype(_DTYPES[contract[name].kind]) for name in (contract.key, contract.time, *contract.inputs)
        }
        return {
            ROW: batch.numbers[rows],
            **own,
            "probability": found.probability,
            "interval_low": np.minimum(p0, found.probability),
            "interval_high": np.maximum(p1, found.probability),
            "action": found.actions.astype(object),
            "no_notice": np.array([each.no_notice for each in why], dtype=object),
            "reasons": np.array([spelled(each.reasons) for each in why], dtype=object),
            "out_of_distribution": _named(found.strange, contract.inputs),
        }


_DTYPES = {"integer": np.int64, "number": np.float64, "text": object}


def _named(strange: np.ndarray[tuple[int, int], np.dtype[np.bool_]], inputs: tuple[str, ...]) -> Array:
    named = np.full(len(strange), "", dtype=object)
    for row in np.flatnonzero(strange.any(axis=1)).tolist():
        named[row] = ",".join(name for name, odd in zip(inputs, strange[row].tolist(), strict=True) if odd)
    return named


def _not_decided(batch: Batch, rows: list[int], refused: Mapping[int, str]) -> Columns:
    return {
        ROW: batch.numbers[rows],
        "refused": np.array([refused[row] for row in rows], dtype=object),
        "record": np.array([json.dumps(batch.record(row), default=str) for row in rows], dtype=object),
    }


def _fill(kind: Kind, count: int) -> Array:
    return np.full(count, _NOTHING[kind], dtype=object if kind == "text" else None)


def counted(columns: Columns) -> dict[str, int]:
    """Rows by action, and `refused`."""
    actions = columns["action"].tolist()
    counts = {action.value: actions.count(action.value) for action in Action}
    return {**counts, "refused": len(actions) - sum(counts.values())}
