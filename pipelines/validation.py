"""May a batch enter the lake? Batch and history in, verdict out.

Three rulings. ADMIT: nothing was found. HOLD: the rows are sound, but a field seems to mean something else than it did;
they enter, and retraining waits for a person. QUARANTINE: nothing downstream sees them.

What one row can show (types, ranges, codes, nulls, keys, its month) is derived from the contract and checked by the
`Expectations`; what only history can show is measured (`measures.py`).
"""

from collections.abc import Sequence
from typing import Protocol

from models.policy import MonitoringLimits
from pipelines.batches import Batch, Finding, Measure, Ruling, Verdict
from pipelines.measures import measures


class Expectations(Protocol):
    """What a contract says of single rows, checked by a validation tool that also keeps the record."""

    def check(self, batch: Batch, measures: Sequence[Measure]) -> list[Finding]:
        """The rules of the contract that the batch breaks. `measures` are only put on record."""
        ...

    def publish(self) -> str:
        """Write the record of every check as pages and return where they start; empty if there is none yet."""
        ...


class Quarantine(Protocol):
    def store(self, batch: Batch, verdict: Verdict) -> str:
        """Keep the batch and its verdict for a person, all or nothing, and return where. Storing again changes nothing."""
        ...


def judge(
    batch: Batch,
    history: Sequence[Batch],
    limits: MonitoringLimits,
    expectations: Expectations,
    known: Batch | None = None,
) -> Verdict:
    """`history` are the months before, oldest first; `known` is what came of this month before."""
    if misshapen := _shape(batch):
        return Verdict(tuple(misshapen))
    measured = measures(batch, history, limits, known)
    broken = [measure.finding() for measure in measured if measure.broken]
    return Verdict((*expectations.check(batch, measured), *broken))


def markdown(batch: Batch, verdict: Verdict) -> str:
    """What a person reads first."""
    lines = [f"# {batch.use_case}: {batch.table} of {batch.month}: {verdict.ruling}", "", f"{batch.rows:,} rows.", ""]
    for finding in verdict.findings:
        where = f" of `{finding.column}`" if finding.column else ""
        lines += [f"- **{finding.rule}**{where}: {finding.observed}; allowed: {finding.limit}"]
        lines += [f"    - {example}" for example in finding.examples]
    return "\n".join(lines) + "\n"


def _shape(batch: Batch) -> list[Finding]:
    expected, given = {column.name for column in batch.contract.columns}, batch.columns.keys()
    lengths = {name: len(values) for name, values in batch.columns.items()}
    found = [("missing column", name, "it is not there") for name in sorted(expected - given)]
    found += [("unknown column", name, "it is there") for name in sorted(given - expected)]
    if len(set(lengths.values())) > 1:
        found.append(("equal lengths", "", str(lengths)))
    if not batch.rows:
        found.append(("row count", "", "no rows"))
    limit = f"the columns {', '.join(sorted(expected))}, equally long"
    return [Finding(rule, column, observed, limit, Ruling.QUARANTINE) for rule, column, observed in found]
