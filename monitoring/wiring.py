"""Where the viewer's adapters are picked and its settings are read."""

from collections.abc import Callable
from pathlib import Path

from models.adapters import key_files
from models.adapters.file_ledger import FileLedger
from models.adapters.folder_channel import FolderChannel
from models.adapters.pack_folder import PackFolder
from models.clock import FileClock, SystemClock
from monitoring.adapters.data_docs import DataDocs
from monitoring.adapters.prefect_runs import PrefectRuns
from monitoring.adapters.report_folder import ReportFolder
from monitoring.console.views import Sources
from monitoring.settings import MonitoringSettings

REPLAYS = "replay"


def settings() -> MonitoringSettings:
    return MonitoringSettings()


def sources(chosen: MonitoringSettings) -> Sources:
    return Sources(
        reports=ReportFolder(chosen.reports_folder),
        channel=FolderChannel(chosen.channel_folder),
        trust=lambda: key_files.trust(chosen.trust_path, demonstration=chosen.profile == "local"),
        ledger=FileLedger(chosen.ledger_path),
        runs=PrefectRuns(_prefect(chosen)),
        packs=PackFolder(chosen.home / "packs"),
        validations=DataDocs(chosen.data_docs_folder.parent),
        clock=FileClock(chosen.clock_file) if chosen.clock_file else SystemClock(),
        home=str(chosen.home),
        scenario=chosen.home.name if chosen.home.parent.name == REPLAYS else "",
    )


def _prefect(chosen: MonitoringSettings) -> Callable[[], str]:
    """A local Prefect writes its address below `home` for as long as it runs."""
    address: Path = chosen.home / "prefect" / "server.url"
    return lambda: chosen.prefect_url or (address.read_text().strip() if address.is_file() else "")
