"""How long a month's statistics take, and how much memory, at 10^5, 10^6 and 10^7 decisions with 23 inputs.

    python -m tests.benchmarks.monitoring [--rows 100000,1000000,10000000]

Decisions are drawn (3 coded inputs, 20 amounts, a score, an action, reasons, an account) and written once to
`var/benchmarks/monitoring`, sealed with the digests that the lake seals with. Each size is measured in a process of its own:
the check of every column against its digest, then everything that the monthly report counts, in the bins of two references (the
champion's and the first approved one's) and for two segments, the different accounts, and the estimate of the performance. Peak
memory is the process's own high-water mark; half the CPU time is the least that two cores could take. With `--write` the table
in docs/monitoring.md is written anew.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import log
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.adapters.parquet_lake import ParquetLake, sealed, stored_digest
from models.clock import Month
from models.contract import Column, Contract, Role
from models.governance.explanation.reasons import Reason
from models.lake import Lake, PartitionVersion, combined_digest
from models.policy import Condition, Segment
from models.reference import Expected, profile
from monitoring.adapters.duckdb_statistics import DuckdbStatistics
from monitoring.decisions import spelled
from monitoring.drift import Statistics
from monitoring.outcomes.estimation import estimate
from monitoring.statistics.figures import distances, own_counts, quality
from monitoring.statistics.plan import planned

FOLDER = Path(os.environ.get("STEWARD_HOME", "var")) / "benchmarks" / "monitoring"
PAGE = Path("docs/monitoring.md")
BEGIN, END = "<!-- benchmark -->", "<!-- end of benchmark -->"
SIZES = (100_000, 1_000_000, 10_000_000)
SECONDS, GIGABYTES = 20.0, 2.0
MONTH, CHUNK, REFERENCE = Month(2005, 9), 250_000, 30_000
BUNDLE = "b" * 64
SEGMENTS = {
    "current": Segment(when=(Condition(column="code_0", comparison="<=", value=0),)),
    "large": Segment(
        when=(Condition(column="amount_0", comparison=">=", value=50_000),),
        unless=(Condition(column="code_1", comparison="==", value=-2),),
    ),
}


def contract() -> Contract:
    codes = [Column(f"code_{n}", Role.INPUT, "integer", "a code", 0, codes=dict.fromkeys(range(-2, 10), "")) for n in range(3)]
    amounts = [
        Column(f"amount_{n}", Role.INPUT, "number", "an amount", 1.0, unit="TWD", minimum=-5e6, maximum=5e6) for n in range(20)
    ]
    return Contract("benchmark", 1, (*codes, *amounts))


def drawn(rng: np.random.Generator, rows: int, first: int = 0) -> dict[str, Any]:
    """Amounts are whole and have ties, as amounts of money have; a quarter of some is zero."""
    codes = {f"code_{n}": rng.choice(np.arange(-2, 4), rows, p=[0.1, 0.2, 0.5, 0.1, 0.07, 0.03]) for n in range(3)}
    amounts = {f"amount_{n}": (rng.gamma(2, 20_000, rows) * (rng.random(rows) > n / 80)).round() for n in range(20)}
    score = rng.beta(1, 6, rows).round(9)
    action = np.select([score >= 0.3, score >= 0.2], ["reduce", "review"], "keep")
    told = np.array([spelled([Reason(f"R{n}", "a group", "A sentence of usual length for a notice.", 0.5)]) for n in range(1, 5)])
    return {
        **codes,
        **amounts,
        "probability": score,
        "action": action,
        "reasons": np.where(action == "reduce", told[rng.integers(0, 4, rows)], ""),
        "account_id": np.array([f"A{number:09d}" for number in range(first, first + rows)]),
        "bundle": np.full(rows, BUNDLE),
    }


def references() -> list[Mapping[str, Any]]:
    found = []
    for seed in (1, 2):
        rows = drawn(np.random.default_rng(seed), REFERENCE)
        expected = Expected(0.8, 0.01, 0.1, 0.14, 1, ["2005-06"])
        told = {f"R{n}": 100 for n in range(1, 5)}
        found.append(profile(contract(), rows, rows["probability"], rows["action"], expected, SEGMENTS, told))
    return found


def written(rows: int, folder: Path = FOLDER) -> PartitionVersion:
    """The month in the lake; written part by part, so that writing needs little memory, too."""
    path = folder / f"{rows}" / "decisions" / f"month={MONTH}" / "v0001.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        bare = path.with_suffix(".bare")
        _parts(bare, (pa.table(drawn(np.random.default_rng([3, at]), min(CHUNK, rows - at), at)) for at in range(0, rows, CHUNK)))
        with pq.ParquetFile(bare) as file:
            digests = {name: stored_digest(bare, name, bare) for name in file.schema_arrow.names}
            made = datetime(2005, 10, 1, tzinfo=UTC)
            version = PartitionVersion("decisions", MONTH, 1, combined_digest(digests), rows, made, {})
            whole = (pa.Table.from_batches([batch]) for batch in file.iter_batches(CHUNK))
            _parts(path.with_suffix(".new"), whole, sealed(version, digests))
        bare.unlink()
        path.with_suffix(".new").rename(path)
    return ParquetLake(folder / f"{rows}").history("decisions", MONTH)[0]


def _parts(path: Path, tables: Iterator[pa.Table], notes: Mapping[str, str] | None = None) -> None:
    first = next(tables).replace_schema_metadata(notes)
    with pq.ParquetWriter(path, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table.replace_schema_metadata(notes))


def with_duckdb(lake: Lake) -> Statistics:
    return DuckdbStatistics(lake, threads=2)


@dataclass(frozen=True)
class Reported:
    """A month that is to be counted, and what counts it."""

    rows: int
    partition: PartitionVersion
    counter: Statistics
    frozen: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, rows: int, counting: Callable[[Lake], Statistics] = with_duckdb, folder: Path = FOLDER) -> Self:
        lake = ParquetLake(folder / f"{rows}")
        return cls(rows, lake.history("decisions", MONTH)[0], counting(lake), references())

    def count(self) -> None:
        """Everything that the monthly report counts."""
        self.counter.counts(self.partition, {"probability": {"edges": []}}, by="bundle")  # whose decisions these are
        assert self.counter.distinct(self.partition, "account_id", by="bundle") == {BUNDLE: self.rows}
        tallies, bins, made = self.tallies(), planned(contract(), self.frozen), contract()
        of = own_counts(bins, tallies[""], self.frozen[1])
        scored = self.counter.scored(self.partition, SEGMENTS, where=("bundle", BUNDLE))
        assert sum(of["amount_0"]) == estimate(scored, self.frozen[0]["performance"]).whole.rows == self.rows
        assert len(distances(made, bins, tallies[""], self.frozen[0], 500)) == 21
        assert len(quality(made, bins, tallies[""])) == 24

    def tallies(self) -> Mapping[str, Mapping[str, Any]]:
        return self.counter.tally(self.partition, planned(contract(), self.frozen), SEGMENTS, where=("bundle", BUNDLE))


def measured(rows: int, folder: Path = FOLDER) -> dict[str, float]:
    """Seconds by the clock, of the processor, and the peak of memory in gigabytes; in this process."""
    month, before = Reported.of(rows, folder=folder), high_water()
    began, worked = perf_counter(), process_time()
    month.count()
    took, cpu = perf_counter() - began, process_time() - worked
    again = perf_counter()  # the columns are known to be right now
    month.tallies()
    return {
        "rows": rows,
        "seconds": took,
        "cpu": cpu,
        "count": perf_counter() - again,
        "before": before,
        "peak": high_water(),
        "load": os.getloadavg()[0],
    }


def high_water() -> float:
    """Gigabytes of memory that this process held at most (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 2**20


def exponent(found: Sequence[Mapping[str, float]], of: str) -> float:
    """Of growth, between the two largest sizes."""
    one, other = found[-2:]
    return log(other[of] / one[of]) / log(other["rows"] / one["rows"])


def page(found: Sequence[Mapping[str, float]]) -> str:
    lines = [
        "| Decisions | Seconds | of it counting | CPU seconds | Peak memory | Load of the machine |",
        "|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {each['rows']:,.0f} | {each['seconds']:.2f} | {each['count']:.2f} | {each['cpu']:.2f} | {each['peak']:.2f} GB "
            f"({each['before']:.2f} before it began) | {each['load']:.1f} |"
            for each in found
        ),
    ]
    if len(found) > 1:
        last = "From {:,.0f} to {:,.0f} rows".format(*(each["rows"] for each in found[-2:]))
        lines += ["", f"{last} the CPU time grows with exponent {exponent(found, 'cpu'):.2f}."]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default=",".join(map(str, SIZES)))
    parser.add_argument("--write", action="store_true", help="write the table into docs/monitoring.md")
    parser.add_argument("--measure", type=int, help="measure one size in this process, as JSON")
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measured(chosen.measure)))
        return 0
    found = []
    for rows in map(int, chosen.rows.split(",")):
        written(rows)
        command = [sys.executable, "-m", "tests.benchmarks.monitoring", "--measure", str(rows)]
        found.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    print(page(found))
    if chosen.write:
        text = PAGE.read_text()
        before, after = text.split(BEGIN)[0], text.split(END)[1]
        PAGE.write_text(f"{before}{BEGIN}\n{page(found)}\n{END}{after}")
    missed = [each for each in found if each["seconds"] > SECONDS or each["peak"] > GIGABYTES]
    for each in missed:
        told = f"{each['seconds']:.1f} s and {each['peak']:.2f} GB at a load of {each['load']:.1f}"
        print(
            f"missed at {each['rows']:,.0f} rows: {told}; the target is {SECONDS:.0f} s and {GIGABYTES:.0f} GB on two free cores"
        )
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
