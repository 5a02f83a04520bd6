"""A bank in miniature for ingest tests: a source and everything around it, on one clock."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from models.adapters.lifted_lake import LiftedLake
from models.clock import FixedClock, Month, end_of_day
from models.credit_default import USE_CASE
from models.governance.ledger import Event, Hold, open_holds
from models.governance.pseudonyms import Keyring
from models.lake import PartitionVersion
from pipelines.definitions import accept_definition
from pipelines.holds import Holds, accept_input
from pipelines.ingest import IngestReport, Intake, ingest
from tests.fakes.expectations import FakeExpectations
from tests.fakes.lake import InMemoryLake
from tests.fakes.ledger import FakeLedger
from tests.fakes.quarantine import FakeQuarantine
from tests.fakes.source import SomeAccounts
from tests.rings import ACCOUNTS, AUDIT_KEYS


def quiet(_: str) -> None: ...


@dataclass
class Bank:
    """Its months arrive with `ingest`; `accept` and `accept_input` are a person's decisions."""

    source: SomeAccounts = field(default_factory=SomeAccounts)
    lake: InMemoryLake = field(default_factory=InMemoryLake)
    restricted: InMemoryLake = field(default_factory=InMemoryLake)
    expectations: FakeExpectations = field(default_factory=FakeExpectations)
    quarantine: FakeQuarantine = field(default_factory=FakeQuarantine)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    recorded: list[PartitionVersion] = field(default_factory=list)  # what a model was made of
    accounts: Keyring = ACCOUNTS
    audit_keys: Keyring = AUDIT_KEYS
    clock: FixedClock = field(default_factory=lambda: FixedClock(datetime(2005, 5, 1, tzinfo=UTC)))

    def ingest(self, as_of: date, progress: Callable[[str], None] = quiet) -> IngestReport:
        self.clock.set(max(end_of_day(as_of), self.clock.now()))
        return ingest(USE_CASE, self.source, self.intake(), as_of=as_of, progress=progress)

    def intake(self) -> Intake:
        return Intake(
            LiftedLake(self.lake, USE_CASE.contract.key, self.accounts),
            self.restricted,
            self.expectations,
            self.quarantine,
            self.ledger,
            self.clock,
            self.accounts,
            self.audit_keys,
            lambda: self.recorded,
        )

    def accept(self, version: int) -> None:
        accept_definition(
            USE_CASE, self.lake, self.ledger, self.clock, version=version, by="Ada", reason="agreed", progress=quiet
        )

    def accept_input(self, month: str, column: str = "") -> list[Hold]:
        holds = Holds(USE_CASE, self.ledger, self.clock)
        return accept_input(holds, month=month, column=column, by="Ada", reason="seen it", progress=quiet)

    def holds(self) -> list[tuple[str, str]]:
        """Month and sentence of every open hold."""
        return [(hold.month, hold.what) for hold in open_holds(self.ledger.entries())]

    def months(self, table: str) -> list[Month]:
        return [part.month for part in self.lake.versions(table)]

    def events(self) -> list[Event]:
        return [entry.event for entry in self.ledger.entries()]
