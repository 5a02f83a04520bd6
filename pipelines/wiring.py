"""The one place that chooses adapters for the pipelines. What is heavy is imported when it is first wanted."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from functools import cached_property
from pathlib import Path

import pipelines
from models.adapters import account_keys
from models.adapters.approver_keys import ApproverKeys
from models.adapters.file_ledger import FileLedger
from models.adapters.folder_channel import FolderChannel
from models.adapters.key_files import DEMONSTRATION_APPROVER, PUBLISHER, WITNESS, make_local_keys, signer, trust
from models.adapters.lifted_lake import LiftedLake
from models.adapters.pack_folder import PackFolder
from models.bundle import Bundle, canonical
from models.catalog import find
from models.channel import ReleaseChannel
from models.clock import Clock, FileClock, SystemClock
from models.errors import InputRefused
from models.estimator import Family
from models.governance.fairness.report import FairnessReport
from models.governance.ledger import Ledger
from models.governance.pseudonyms import Keyring
from models.governance.requests import Office
from models.governance.signing import Duty, Signer, Trust
from models.lake import Lake, PartitionVersion
from models.registry import ModelRegistry
from models.scoring import Scorer
from models.usecase import Source, UseCase
from monitoring import monitor
from monitoring.decisions import DecisionLog
from monitoring.report import ReportStore
from monitoring.retention import Archive
from pipelines.adapters.checkout import origin
from pipelines.adapters.environment import installed, licence_policy
from pipelines.adapters.evidence_folder import EvidenceFolder
from pipelines.adapters.prefect_server import Api, prefect_api
from pipelines.assessment import Assessment, Cohorts, Workshop
from pipelines.development import Development
from pipelines.fairness.audit import AuditTable, Keyed, LakeAudit
from pipelines.fairness.table import lines
from pipelines.ingest import Intake
from pipelines.pack.artefacts import Artefacts
from pipelines.pack.prose import Document
from pipelines.progress import Progress
from pipelines.promotion import Desk
from pipelines.proofs import Anatomy
from pipelines.replay.ports import Service
from pipelines.replay.story import ReplayResult
from pipelines.rotation import rekey
from pipelines.search import Optimiser
from pipelines.settings import PipelineSettings
from pipelines.stopwatch import Part, Stopwatch
from pipelines.supply import Library, Subject, documents

ROOT = Path(pipelines.__file__).parents[1]


class Platform:
    """Every port that a flow may need, for one use case, built from settings on first use."""

    def __init__(self, settings: PipelineSettings, source: Source | None = None) -> None:
        self.settings = settings
        self.progress = Progress()
        self.watch = Stopwatch()
        self._source = source

    def day(self, as_of: date | None) -> date:
        """The day given, or today by the platform's clock."""
        return as_of or self.clock.now().date()

    def instant(self, known_at: datetime | None) -> datetime:
        """The instant given, or now by the platform's clock. Raises `InputRefused` for one that has not come."""
        now = self.clock.now()
        if known_at and known_at > now:
            raise InputRefused(f"{known_at:%Y-%m-%d %H:%M} has not come yet", hint="nobody knows what will be known then")
        return known_at or now

    @property
    def trainer(self) -> str:
        """Who answers for what is trained here."""
        return self.settings.trainer

    @cached_property
    def use_case(self) -> UseCase:
        return find(self.settings.use_case)

    @cached_property
    def source(self) -> Source:
        if self._source or not self.settings.scenario:
            return self._source or self.use_case.source()
        from pipelines.simulation.credit_cards import simulator

        return simulator(self.settings.scenario)

    @cached_property
    def clock(self) -> Clock:
        return FileClock(self.settings.clock_file) if self.settings.clock_file else SystemClock()

    @cached_property
    def accounts(self) -> Keyring:
        """The keys that hide account ids, as they are now: a rotation is met by the next run."""
        return self._ring(account_keys.ACCOUNTS)

    @cached_property
    def audit_keys(self) -> Keyring:
        """The keys that hide accounts once more where audit columns stand: for ingest, fairness reports and rotation alone."""
        return self._ring(account_keys.AUDIT)

    def _ring(self, name: str) -> Keyring:
        return account_keys.keyring(self.settings.home / "keys", name, local=self.settings.profile == "local")

    def add_keys(self) -> int:
        """A further generation of both rings; its number. This platform keeps the keys that it began with."""
        keys, local = self.settings.home / "keys", self.settings.profile == "local"
        account_keys.rotate(keys, account_keys.AUDIT, local=local)
        return account_keys.rotate(keys, account_keys.ACCOUNTS, local=local)

    def rekey_audit(self) -> list[PartitionVersion]:
        """Write the audit columns under the newest keys."""
        now, contract = self.clock.now(), self.use_case.contract
        return rekey(self.stored, self.restricted, contract, self.accounts, self.audit_keys, now)

    @property
    def archive(self) -> Archive:
        return Archive(self.decisions, self.stored, self.ledger, self.clock)

    @cached_property
    def stored(self) -> Lake:
        """The lake as it was written, accounts under the keys of then: for what rewrites it."""
        from models.adapters.arrow import lake_schemas
        from models.adapters.parquet_lake import ParquetLake

        return ParquetLake(self.settings.home / "lake" / self.use_case.name, lake_schemas(self.use_case.contract))

    @cached_property
    def lake(self) -> Lake:
        """The lake as everybody reads it: every account under the newest key."""
        return LiftedLake(self.stored, self.use_case.contract.key, self.accounts)

    @cached_property
    def restricted(self) -> Lake:
        """The audit columns' own lake: only ingest and fairness reports are handed it."""
        from models.adapters.arrow import restricted_schemas
        from models.adapters.parquet_lake import ParquetLake

        return ParquetLake(self.settings.home / "restricted" / self.use_case.name, restricted_schemas(self.use_case.contract))

    def warm(self) -> None:
        """Import what a training run will need: it takes seconds, which the flow engine's API needs to start anyway."""
        with self.watch.step("import the model's tools", Part.MODEL):
            _ = self.families, self.optimiser, self.workshop
        with self.watch.step("import the validation", Part.VALIDATION):
            from pipelines.adapters.expectations import GreatExpectations

            GreatExpectations(self.settings.data_docs_folder.parent, self.clock).prepare()
        with self.watch.step("import the tracking", Part.TRACKING):
            _ = self.registry

    @cached_property
    def intake(self) -> Intake:
        from pipelines.adapters.expectations import GreatExpectations
        from pipelines.adapters.folder_quarantine import FolderQuarantine

        private = self.settings.home / "restricted"
        private.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Intake(
            lake=self.lake,
            restricted=self.restricted,
            expectations=GreatExpectations(self.settings.data_docs_folder.parent, self.clock),
            quarantine=FolderQuarantine(private / "quarantine"),
            ledger=self.ledger,
            clock=self.clock,
            accounts=self.accounts,
            audit_keys=self.audit_keys,
        )

    @cached_property
    def ledger(self) -> Ledger:
        return FileLedger(self.settings.ledger_path, self._witness, self.settings.ledger_anchor)

    def _witness(self) -> Signer:
        """The key that attests the ledger; asked for when something is appended."""
        return self._job(WITNESS, Duty.ATTEST)

    def _job(self, name: str, duty: Duty) -> Signer:
        """A job's signer. The local profile makes its keys on first use."""
        keys = self.settings.home / "keys"
        if self.settings.profile == "local":
            make_local_keys(keys, self.settings.trust_path)
        return signer(keys, name, duty)

    @cached_property
    def channel(self) -> ReleaseChannel:
        return FolderChannel(self.settings.channel_folder)

    @cached_property
    def office(self) -> Office:
        """Who may publish here. Only the local profile has the demonstration approver."""
        publisher = self._job(PUBLISHER, Duty.PUBLISH)
        return Office(
            channel=self.channel,
            ledger=self.ledger,
            trust=self.trust(),
            publisher=publisher,
            clock=self.clock,
            dossiers=self.evidence,
            demonstration=self._job(DEMONSTRATION_APPROVER, Duty.APPROVE) if self.settings.profile == "local" else None,
        )

    def trust(self) -> Trust:
        """Whose signatures count now. Raises `Misconfigured` if there is no trust file: reading makes none."""
        return trust(self.settings.trust_path, demonstration=self.settings.profile == "local")

    @cached_property
    def approvers(self) -> ApproverKeys:
        settings = self.settings
        return ApproverKeys(settings.approver_keys, settings.home / "keys" / "proposed", settings.trust_path)

    @cached_property
    def registry(self) -> ModelRegistry:
        from pipelines.adapters.mlflow_registry import MlflowRegistry

        url = self.settings.mlflow_url
        return MlflowRegistry(url, self.clock) if url else MlflowRegistry.below(self.settings.home, self.clock)

    @property
    def desk(self) -> Desk:
        return Desk(self.registry, self.office)

    @cached_property
    def families(self) -> tuple[Family, ...]:
        from models.adapters.gradient_boosting import GradientBoosting
        from models.adapters.scorecard import Scorecard

        return Scorecard(), GradientBoosting()

    @cached_property
    def optimiser(self) -> Optimiser:
        from pipelines.adapters.optuna_search import OptunaOptimiser

        return OptunaOptimiser(self.settings.home / "studies", self.settings.workers)

    @cached_property
    def workshop(self) -> Workshop:
        from models.adapters.graph_trees import from_trees_on, trees
        from models.adapters.onnx_graph import export

        return Workshop(self.families, export, self.scorer, origin(ROOT), Anatomy(trees, from_trees_on))

    def draw(self, cohorts: Cohorts, development: Development, assessment: Assessment) -> dict[str, bytes]:
        """The pictures of a training run."""
        from pipelines.adapters.pictures import draw

        return draw(cohorts, development, assessment)

    @cached_property
    def audit_table(self) -> AuditTable:
        """The door of fairness reports to the audit columns."""
        join = Keyed(self.accounts, self.audit_keys)
        return LakeAudit(self.restricted, self.use_case.contract, self.clock.now(), join)

    def fairness_files(self, report: FairnessReport) -> dict[str, bytes]:
        """A fairness report as files by name: figures, text, pictures."""
        from pipelines.adapters.fairness_charts import draw

        pictures = {f"{name}.png": picture for name, picture in draw(report).items()}
        return {"fairness.json": canonical(report.to_dict()), "fairness.txt": "\n".join(lines(report)).encode(), **pictures}

    def keep_fairness(self, report: FairnessReport) -> dict[str, Path]:
        """Draw and store a fairness report; returns where each file is."""
        folder = EvidenceFolder(self.settings.home / "fairness")
        return folder.store(report.model, report.bundle, self.fairness_files(report))

    @cached_property
    def libraries(self) -> tuple[Library, ...]:
        """What is installed here."""
        return installed(ROOT)

    def supply(self, subject: Subject) -> dict[str, bytes]:
        """The bill of materials and the licences of this environment, as files."""
        return documents(self.libraries, licence_policy(ROOT), subject)

    def keep_bill(self) -> list[Path]:
        """Write the bill of this environment, about no version."""
        from models.adapters import durable

        files = self.supply(Subject.environment(origin(ROOT).lock_sha256))
        folder = self.settings.home / "sbom"
        for name, data in files.items():
            durable.replace(folder / name, data)
        return [folder / name for name in files]

    def refused_licences(self) -> list[str]:
        return licence_policy(ROOT).refusals(self.libraries)

    @cached_property
    def evidence(self) -> EvidenceFolder:
        return EvidenceFolder(self.settings.home / "evidence")

    @cached_property
    def packs(self) -> PackFolder:
        return PackFolder(self.settings.home / "packs")

    def render_pack(self, documents: Sequence[Document], artefacts: Artefacts) -> bytes:
        """The page of an evidence pack."""
        from pipelines.adapters.pack_page import render

        return render(documents, artefacts)

    @cached_property
    def decisions(self) -> DecisionLog:
        from monitoring.adapters.sql_decisions import SqlDecisionLog

        return SqlDecisionLog(self.settings.database)

    @cached_property
    def reports(self) -> ReportStore:
        from monitoring.adapters.report_folder import ReportFolder

        return ReportFolder(self.settings.reports_folder)

    @cached_property
    def monitoring_desk(self) -> monitor.Desk:
        from monitoring.adapters.duckdb_statistics import DuckdbStatistics
        from monitoring.adapters.evidently_reports import EvidentlyRenderer

        return monitor.Desk(
            lake=self.lake,
            statistics=DuckdbStatistics(self.lake),
            ledger=self.ledger,
            reports=self.reports,
            renderer=EvidentlyRenderer(),
            bundle=self.released_bundle,
            scorer=self.scorer,
            clock=self.clock,
        )

    def released_bundle(self, digest: str) -> Bundle:
        return Bundle.verified(self.channel.bundle(digest), digest)

    def scorer(self, graph: bytes) -> Scorer:
        from models.adapters.onnx_runtime import OnnxScorer

        return OnnxScorer(graph)


def platform(**overrides: object) -> Platform:
    """The platform that the environment describes; `overrides` are settings by name, None and "" left alone."""
    return Platform(PipelineSettings.read(**{name: value for name, value in overrides.items() if value not in (None, "")}))


def orchestrator(settings: PipelineSettings, *, ui: bool = False) -> AbstractContextManager[Api]:
    """Prefect's API for this home; enter it before the flows are imported."""
    return prefect_api(settings.home, port=settings.prefect_port if ui else 0, ui=ui)


def scoring_service(parts: Platform, environment: Mapping[str, str]) -> Service:
    """The real service, as a process of its own that reads this home's channel."""
    from pipelines.adapters.service_process import ServiceProcess

    return ServiceProcess(parts.use_case.name, environment, parts.settings.home / "serving.log")


def publish_replay(result: ReplayResult, folder: Path) -> Path:
    """Write the replay's page with its pictures and figures; returns the page."""
    from models.adapters import durable
    from pipelines.adapters.replay_page import PAGE, files

    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files(result).items():
        durable.replace(folder / name, data)
    return folder / PAGE
