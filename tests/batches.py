"""Batch scoring with small bundles: files of records, and the desk that scores them."""

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from models.adapters.places import Place
from models.bundle import Bundle
from models.clock import FixedClock
from models.governance.stop import Stop
from monitoring.decisions import DecisionLog
from pipelines.adapters.batch_folder import BatchFolder
from pipelines.adapters.local_engine import LocalEngine
from pipelines.adapters.parquet_tables import files
from pipelines.scoring.parts import Engine, Plan
from pipelines.scoring.run import Desk, Summary, planned, score
from tests.bundles import MODEL, NOW, Office, fake_bundle, record
from tests.fakes.channel import FakeChannel
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.ledger import FakeLedger
from tests.fakes.scorer import FakeScorer
from tests.rings import ACCOUNTS

PART_ROWS = 10


class Deadly:
    """Kills this process when it is called for the nth time."""

    def __init__(self, moment: int) -> None:
        self._left = moment

    def __call__(self) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


def accounts(count: int, first: int = 0) -> list[dict[str, Any]]:
    """Sound records of different accounts; every fifth one is behind."""
    return [record(account_id=f"A{n}", status_0=2 if n % 5 == 0 else 0, bill_0=float(n)) for n in range(first, first + count)]


def written(path: Path, records: Sequence[Mapping[str, Any]], schema: pa.Schema | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([dict(each) for each in records], schema=schema), path, row_group_size=7)
    return path


@dataclass
class Batches:
    """One home: its channel, its log, its runs."""

    home: Path
    log: DecisionLog = field(default_factory=InMemoryDecisionLog)
    channel: FakeChannel = field(default_factory=FakeChannel)
    office: Office = field(default_factory=Office)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    engine: Engine | None = None
    make_scorer: Any = FakeScorer
    bucket: str = ""  # where the answers go, if not into the home

    @property
    def source(self) -> Path:
        return self.home / "in"

    @property
    def output(self) -> str:
        return self.bucket or str(self.home / "out")

    def promote(self, bundle: Bundle | None = None, version: int = 1) -> Bundle:
        bundle = bundle or fake_bundle()
        self.office.promote(self.channel, bundle, version=version)
        return bundle

    def stop(self, number: int, *, stopped: bool = True, fallback: str = "") -> None:
        said = Stop(MODEL, number, stopped, "a jump in scores", "on-call", NOW.isoformat(), fallback, 1 if fallback else 0)
        self.channel.add_stop(MODEL, number, self.office.publisher.sign(vars(said)))

    @property
    def desk(self) -> Desk:
        return Desk(
            channel=self.channel,
            trust=lambda: self.office.trust,
            entries=self.ledger.entries,
            log=self.log,
            clock=self.clock,
            hide=ACCOUNTS.lifted,
            engine=self.engine or LocalEngine(2, self.home / "spill"),
            runs=BatchFolder(self.home / "scoring", self.home / "quarantine"),
            make_scorer=self.make_scorer,
        )

    def plan(self, desk: Desk | None = None, label: str = "", part_rows: int = PART_ROWS) -> Plan:
        found = files(str(self.source))
        return planned(desk or self.desk, MODEL, str(self.source), self.output, found, part_rows=part_rows, label=label)

    def run(self, desk: Desk | None = None, label: str = "", part_rows: int = PART_ROWS) -> Summary:
        desk = desk or self.desk
        return score(desk, self.plan(desk, label, part_rows), lambda _done, _total: None)

    def answers(self) -> list[dict[str, Any]]:
        """Everything at the output, by row."""
        place, found = Place.at(self.output), list[dict[str, Any]]()
        for stored in place.files():
            with place.opened(stored.name) as file:
                found += pq.read_table(file).to_pylist()
        return sorted(found, key=lambda row: int(row["decision_id"].rpartition("-")[2]))

    def refused(self) -> list[dict[str, Any]]:
        return [row for path in sorted((self.home / "quarantine").rglob("*.parquet")) for row in pq.read_table(path).to_pylist()]
