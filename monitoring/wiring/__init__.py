"""Where the console's adapters are picked and its settings are read.

Where it looks is here; through what it acts in `acting`, to whom it opens in `opening`.
"""

from collections.abc import Callable
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from models.adapters import account_keys, key_files
from models.adapters.file_ledger import FileLedger
from models.adapters.folder_channel import FolderChannel
from models.adapters.onnx_runtime import OnnxScorer
from models.adapters.pack_folder import PackFolder
from models.adapters.parquet_lake import lake_at
from models.clock import FileClock, SystemClock
from models.errors import NotFound
from models.lake import OUTCOMES
from models.settings import PlatformSettings
from monitoring.adapters.alert_folder import AlertFolder
from monitoring.adapters.chart_pictures import MatplotlibPictures
from monitoring.adapters.data_docs import DataDocs
from monitoring.adapters.duckdb_samples import DuckdbSamples
from monitoring.adapters.exposition import Exposition
from monitoring.adapters.prefect_runs import PrefectRuns
from monitoring.adapters.prefect_tallies import PrefectTallies
from monitoring.adapters.report_folder import ReportFolder
from monitoring.adapters.runbook_folder import RunbookFolder
from monitoring.adapters.sql_archiving import LogArchive
from monitoring.adapters.sql_decisions import SqlDecisionLog
from monitoring.adapters.sql_freshness import LastDecided
from monitoring.adapters.verdict_folder import VerdictFolder
from monitoring.chain import ChainKeys
from monitoring.console.remembered import RememberedReports
from monitoring.console.sources import Sources
from monitoring.settings import MonitoringSettings
from monitoring.telemetry.build import build
from monitoring.telemetry.door import Counted
from monitoring.telemetry.standing import Places, Standing
from monitoring.wiring.acting import office

if TYPE_CHECKING:
    from monitoring.adapters.otlp import OtlpTracing

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
REPLAYS = "replay"
SCENARIOS = ("2005", "shift")
"""What `make replay` can live through. (Its scripts are above this package.)"""


def settings() -> MonitoringSettings:
    """Raises `NotFound` if a person named a home that is not there: an empty page would hide the slip of the pen."""
    chosen = MonitoringSettings.read()
    if "home" in chosen.model_fields_set and not chosen.home.is_dir():
        raise _no_such_replay(chosen.home) if chosen.home.parent.name == REPLAYS else _no_such_home(chosen.home)
    return chosen


def _no_such_home(home: Path) -> NotFound:
    what = "is a file" if home.exists() else "does not exist"
    return NotFound(f"STEWARD_HOME is {home}, which {what}", hint="set it to a folder, or unset it to see var")


def _no_such_replay(home: Path) -> NotFound:
    made = sorted(path.name for path in home.parent.glob("[!.]*") if path.is_dir()) if home.parent.is_dir() else []
    known = f"there are {', '.join(made)}" if made else "none was lived through yet"
    make = " or ".join(f"make replay SCENARIO={name}" for name in SCENARIOS)
    return NotFound(f"there is no replay {home.name!r} in {home.parent}", hint=f"{known}; to make one: {make}")


def migrate(chosen: MonitoringSettings) -> None:
    """Bring the decision log's schema to this release's. Raises `Unavailable` or `Misconfigured`."""
    from monitoring.adapters import sql_database

    sql_database.migrate(chosen.database)


def sources(chosen: MonitoringSettings) -> Sources:
    channel, local = FolderChannel(chosen.channel_folder), chosen.profile == "local"
    clock = FileClock(chosen.clock_file) if chosen.clock_file else SystemClock()
    return Sources(
        reports=RememberedReports(ReportFolder(chosen.reports_folder)),
        channel=channel,
        trust=lambda: key_files.trust(chosen.trust_path, demonstration=local),
        ledger=FileLedger(chosen.ledger_path, anchor=chosen.ledger_anchor),
        runs=PrefectRuns(_prefect(chosen)),
        packs=PackFolder(chosen.home / "packs"),
        verdicts=VerdictFolder(chosen.home / "rollouts"),
        swap_sets=PackFolder(chosen.home / "swap-sets"),
        validations=DataDocs(chosen.data_docs_folder.parent),
        clock=clock,
        office=lambda: office(chosen, channel, clock),
        decisions=cache(lambda: SqlDecisionLog(chosen.database)),
        lake=lambda model: lake_at(chosen.lake_of(model)),
        samples=lambda model: DuckdbSamples(lake_at(chosen.lake_of(model))),
        accounts=lambda: account_keys.keyring_of(chosen.home, account_keys.ACCOUNTS, local=False),
        chain_keys=lambda: ChainKeys(account_keys.secret_keys(chosen.home / "keys", account_keys.LOG, local=False, noting=False)),
        scorer=OnnxScorer,
        pictures=MatplotlibPictures(),
        alerts=AlertFolder(chosen.home / "alerts"),
        runbooks=RunbookFolder(RUNBOOKS).page,
        home=str(chosen.home),
        scenario=chosen.home.name if chosen.home.parent.name == REPLAYS else "",
        experiments=chosen.mlflow_url,
    )


def places(chosen: PlatformSettings, prefect: Callable[[], str]) -> Places:
    """Where the numbers about the platform come from: the same for console and scheduler."""
    return Places(
        reports=ReportFolder(chosen.reports_folder),
        channel=FolderChannel(chosen.channel_folder),
        trust=lambda: key_files.trust(chosen.trust_path, demonstration=chosen.profile == "local"),
        ledger=FileLedger(chosen.ledger_path),
        alerts=AlertFolder(chosen.home / "alerts"),
        runs=PrefectTallies(prefect),
        decided=LastDecided(chosen.database),
        labelled=partial(_labelled, chosen),
        archived=LogArchive(chosen.database),
        clock=FileClock(chosen.clock_file) if chosen.clock_file else SystemClock(),
    )


def numbers(chosen: MonitoringSettings, counted: Counted) -> Callable[[], bytes]:
    """What `GET /metrics` says."""
    standing, exposition = Standing(places(chosen, _prefect(chosen))), Exposition()
    return lambda: exposition.text([build(), *counted.families(), *standing.families()])


def tracing(chosen: MonitoringSettings) -> "OtlpTracing | None":
    if not chosen.traces:
        return None
    from monitoring.adapters.otlp import OtlpTracing

    return OtlpTracing(chosen.traces, "steward-console", "STEWARD_MONITORING_TRACES")


def _labelled(chosen: PlatformSettings, model: str) -> datetime | None:
    from models.adapters.parquet_lake import lake_at

    return max((found.recorded_at for found in lake_at(chosen.lake_of(model)).versions(OUTCOMES)), default=None)


def _prefect(chosen: MonitoringSettings) -> Callable[[], str]:
    """A local Prefect writes its address below `home` for as long as it runs."""
    address: Path = chosen.home / "prefect" / "server.url"
    return lambda: chosen.prefect_url or (address.read_text().strip() if address.is_file() else "")
