"""What only history can show of a batch: figures, and the bounds that the months before put on them."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from models.contract import Array
from models.lake import AUDIT
from models.policy import MonitoringLimits
from monitoring.drift import distance_limit
from pipelines.batches import Batch, Measure, Ruling
from pipelines.common_keys import common
from pipelines.freshness import between

RESTATED = "restated"
HISTORY = 3  # months; a batch is strange only if it is unlike each of them
ROW_TOLERANCE = 0.20  # of the median month
REPEATED = 0.50  # share of rows equal to last month's; the quiet months of the example show at most .07
UNSEEN = 0.005  # share of rows with a code that history does not have; the quiet months show at most .0001


def measures(batch: Batch, history: Sequence[Batch], limits: MonitoringLimits, known: Batch | None = None) -> list[Measure]:
    """`history` are the months before, oldest first, and `known` what came of this month before, if anything did.

    Columns of a wrong type are not measured.
    """
    history = history[-HISTORY:]
    found = [_row_count(batch, history), *_gap(batch, history), *_same_accounts(batch)]
    found += [_restated(batch, known, limits)] if known else []
    found += [*_repeated(batch, history), *_coding(batch, history)]
    comparable = [past for past in history if past.coding == batch.coding]
    if comparable:
        coded = [column for column in batch.contract.columns if column.codes and batch.typed(column.name)]
        found += chain.from_iterable(_codes(batch, comparable, column.name, limits, len(coded)) for column in coded)
        found += _bad_rate(batch, comparable, limits)
    return found


def _row_count(batch: Batch, history: Sequence[Batch]) -> Measure:
    usual = float(np.median([past.rows for past in history])) if history else float(batch.rows)
    low, high = (1 - ROW_TOLERANCE) * usual, (1 + ROW_TOLERANCE) * usual
    evidence = f"{batch.rows:,} rows, usually {usual:,.0f}"
    return Measure("row count", "", batch.rows, low, high, Ruling.QUARANTINE, evidence)


def _gap(batch: Batch, history: Sequence[Batch]) -> list[Measure]:
    """Months that never came between history and this one. Audit columns have no month in them."""
    if not history or batch.table == AUDIT:
        return []
    lost = between(history[-1].month.plus(1), batch.month)
    evidence = f"{', '.join(map(str, lost)) or 'no month'} missing before it"
    return [Measure("gap", "", len(lost), 0, 0, Ruling.HOLD, evidence)]


def _same_accounts(batch: Batch) -> list[Measure]:
    if batch.accounts is None:
        return []
    key = batch.contract.key
    here, there = _texts(batch.columns[key]), _texts(batch.accounts)
    strays = 0 if np.array_equal(here, there) else len(np.setxor1d(here, there))
    evidence = f"{strays:,} accounts are here or in the snapshot, but not in both"
    return [Measure("same accounts", key, strays, 0, 0, Ruling.QUARANTINE, evidence)]


def _restated(batch: Batch, known: Batch, limits: MonitoringLimits) -> Measure:
    """Rows that are other than they were, are new, or are gone. Corrections are normal, up to the policy's share."""
    most = max(batch.rows, known.rows)
    share = (most - _equal(batch, known, batch.contract.names)) / most
    evidence = f"{share:.1%} of the {batch.table} of {batch.month} are others than were delivered before"
    return Measure(RESTATED, "", share, 0, limits.restated, Ruling.HOLD, evidence)


def _repeated(batch: Batch, history: Sequence[Batch]) -> list[Measure]:
    inputs = batch.contract.inputs
    if not (history and inputs and all(batch.typed(name) for name in inputs)):
        return []
    last = history[-1]
    share = _equal(batch, last, inputs) / batch.rows
    evidence = f"{share:.1%} of the rows are those of {last.month}"
    return [Measure("repeated content", "", share, 0, REPEATED, Ruling.QUARANTINE, evidence)]


def _equal(batch: Batch, other: Batch, names: Sequence[str]) -> int:
    """The accounts of which these columns are the same in both."""
    key = batch.contract.key
    here, there = common(_texts(batch.columns[key]), _texts(other.columns[key]))
    equal = np.ones(len(here), dtype=np.bool_)
    for name in names:
        equal &= np.asarray(batch.columns[name][here] == other.columns[name][there], dtype=np.bool_)
    return int(equal.sum())


def _coding(batch: Batch, history: Sequence[Batch]) -> list[Measure]:
    if not (history and batch.definition):
        return []
    before = history[-1].coding
    evidence = f"the outcome's coding changed from {before} to {batch.coding}"
    return [Measure("coding", _coded_outcome(batch), float(before != batch.coding), 0, 0, Ruling.HOLD, evidence)]


def _codes(batch: Batch, history: Sequence[Batch], name: str, limits: MonitoringLimits, columns: int) -> list[Measure]:
    """The mix of codes against the likeliest month of history, and codes that no month of it has.

    On few rows chance alone moves a mix beyond the policy's limit: then what chance explains is the limit.
    """
    mix, mixes = _mix(batch.columns[name]), [_mix(past.columns[name]) for past in history]
    distance, nearest = min((total_variation(mix, past), number) for number, past in enumerate(mixes))
    before = mixes[nearest]
    chance = distance_limit(len(mix.keys() | before.keys()), batch.rows, history[nearest].rows, columns)
    moved = max(mix.keys() | before.keys(), key=lambda code: abs(mix.get(code, 0) - before.get(code, 0)))
    shift = f"code {moved}: {before.get(moved, 0):.1%} in {history[nearest].month}, {mix.get(moved, 0):.1%} now"
    unseen = mix.keys() - set().union(*mixes)
    share = sum(mix[code] for code in unseen)
    limit = max(limits.code_mix, chance)
    news = f"codes never seen before, {sorted(unseen)}, in {share:.1%} of the rows"
    return [
        Measure("mix of codes", name, distance, 0, limit, Ruling.HOLD, f"{shift}; distance {distance:.3f}"),
        Measure("unseen codes", name, share, 0, UNSEEN, Ruling.HOLD, news),
    ]


def _bad_rate(batch: Batch, history: Sequence[Batch], limits: MonitoringLimits) -> list[Measure]:
    if batch.definition is None or not batch.typed(_coded_outcome(batch)):
        return []
    name, floor = _coded_outcome(batch), 1 / batch.rows
    rate, *rates = (max(float(np.mean(batch.definition.bad(part.columns[name]))), floor) for part in (batch, *history))
    ratio, before = min((max(rate / past, past / rate), past) for past in rates)
    evidence = f"bad rate {rate:.1%}, at the likeliest of the months before {before:.1%}; ratio {ratio:.2f}"
    return [Measure("bad rate", name, ratio, 1, limits.bad_rate_ratio, Ruling.HOLD, evidence)]


def total_variation(one: Mapping[Any, float], other: Mapping[Any, float]) -> float:
    """Total variation distance of two distributions over codes, 0 (equal) to 1 (disjoint): half the sum of the differences."""
    return sum(abs(one.get(code, 0) - other.get(code, 0)) for code in one.keys() | other.keys()) / 2


def _mix(codes: Array) -> dict[int, float]:
    values, counts = np.unique(codes, return_counts=True)
    return dict(zip(values.tolist(), (counts / len(codes)).tolist(), strict=True))


def _coded_outcome(batch: Batch) -> str:
    return next(column.name for column in batch.contract.columns if column.codes)


def _texts(keys: Array) -> Array:
    return np.asarray(keys).astype(np.str_, copy=False)
