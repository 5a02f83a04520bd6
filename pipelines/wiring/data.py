"""The lake, the restricted lake of the audit columns, and the keys that hide accounts in both."""

from functools import cached_property
from typing import TYPE_CHECKING

from models.adapters import account_keys
from models.adapters.lifted_lake import LiftedLake
from models.adapters.private import private_folder, tightened
from models.governance.pseudonyms import Keyring
from models.lake import Lake, PartitionVersion
from pipelines.fairness.audit import AuditTable, Keyed, LakeAudit
from pipelines.ingest import Intake
from pipelines.recorded import recorded
from pipelines.rotation import rekey
from pipelines.validation import Expectations
from pipelines.wiring.releasing import Releasing

if TYPE_CHECKING:
    from models.adapters.spark_session import Spark


class Data(Releasing):
    """What is taken in, and under which keys."""

    @cached_property
    def stored(self) -> Lake:
        """The lake as it was written, accounts under the keys of then: for what rewrites it."""
        from models.adapters.arrow import lake_schemas
        from models.adapters.parquet_lake import lake_at

        return lake_at(self.settings.lake_of(self.use_case.name), lake_schemas(self.use_case.contract))

    @cached_property
    def lake(self) -> Lake:
        """The lake as everybody reads it: every account under the newest key."""
        return LiftedLake(self.stored, self.use_case.contract.key, self.accounts)

    @cached_property
    def restricted(self) -> Lake:
        """The audit columns' own lake: only ingest and fairness reports are handed it."""
        from models.adapters.arrow import restricted_schemas
        from models.adapters.parquet_lake import ParquetLake

        private = self.settings.home / "restricted"
        if private.is_dir():
            tightened(private)
        return ParquetLake(private / self.use_case.name, restricted_schemas(self.use_case.contract))

    @cached_property
    def spark(self) -> "Spark":
        """Raises `Misconfigured` if Spark or Java is not there."""
        from models.adapters.spark_session import Spark

        return Spark(self.settings.spark_master, self.settings.home / "spill")

    @cached_property
    def expectations(self) -> Expectations:
        """What checks a month's rows, and keeps the record."""
        folder = self.settings.data_docs_folder.parent
        if self.settings.engine == "spark":
            from pipelines.adapters.spark_expectations import SparkExpectations

            return SparkExpectations(folder, self.clock, self.spark, self.settings.home / "spill" / "checked")
        from pipelines.adapters.expectations import GreatExpectations

        return GreatExpectations(folder, self.clock)

    @cached_property
    def intake(self) -> Intake:
        from pipelines.adapters.folder_quarantine import FolderQuarantine

        private = private_folder(self.settings.home / "restricted")
        return Intake(
            lake=self.lake,
            restricted=self.restricted,
            expectations=self.expectations,
            quarantine=FolderQuarantine(private / "quarantine"),
            ledger=self.ledger,
            clock=self.clock,
            accounts=self.accounts,
            audit_keys=self.audit_keys,
            recorded=self.recorded,
        )

    def recorded(self) -> list[PartitionVersion]:
        """What the lake must have: every partition that a registered model was made of."""
        model = self.use_case.name
        return recorded(self.channel, self.ledger.entries(model), model)

    @cached_property
    def audit_table(self) -> AuditTable:
        """The door of fairness reports to the audit columns."""
        join = Keyed(self.accounts, self.audit_keys)
        return LakeAudit(self.restricted, self.use_case.contract, self.clock.now(), join)

    @cached_property
    def accounts(self) -> Keyring:
        """The keys that hide account ids, as they are now: a rotation is met by the next run."""
        return self._ring(account_keys.ACCOUNTS)

    @cached_property
    def audit_keys(self) -> Keyring:
        """The keys that hide accounts once more where audit columns stand: for ingest, fairness reports and rotation alone."""
        return self._ring(account_keys.AUDIT)

    def _ring(self, name: str) -> Keyring:
        return account_keys.keyring_of(self.settings.home, name, local=self.settings.profile == "local")

    def add_keys(self) -> int:
        """A further generation of all keys; that of the accounts'. This platform keeps the keys that it began with."""
        keys, local = self.settings.home / "keys", self.settings.profile == "local"
        account_keys.rotate(keys, account_keys.LOG, local=local)
        account_keys.rotate(keys, account_keys.AUDIT, local=local)
        return account_keys.rotate(keys, account_keys.ACCOUNTS, local=local)

    def rekey_audit(self) -> list[PartitionVersion]:
        """Write the audit columns under the newest keys."""
        now, contract = self.clock.now(), self.use_case.contract
        return rekey(self.stored, self.restricted, contract, self.accounts, self.audit_keys, now)
