"""Where serving's adapters are picked and its settings are read."""

from dataclasses import dataclass

from models.adapters import key_files
from models.adapters.account_keys import ACCOUNTS, keyring
from models.adapters.folder_channel import FolderChannel
from models.adapters.onnx_runtime import OnnxScorer
from models.clock import FileClock, SystemClock
from monitoring.adapters.sql_decisions import SqlDecisionLog
from serving.loaded import LoadedModel
from serving.prediction import Predictor
from serving.settings import ServingSettings
from serving.watching import Watcher


@dataclass(frozen=True)
class Service:
    """Everything that answers requests, joined; nothing is opened before the first look or the first request."""

    predictor: Predictor
    watcher: Watcher
    log: SqlDecisionLog


def settings() -> ServingSettings:
    """Raises `Misconfigured`."""
    return ServingSettings.read()


def service(chosen: ServingSettings) -> Service:
    clock = FileClock(chosen.clock_file) if chosen.clock_file else SystemClock()
    log = SqlDecisionLog(chosen.database)
    accounts = keyring(chosen.home / "keys", ACCOUNTS, local=chosen.profile == "local")
    predictor = Predictor(log, clock, accounts.pseudonym)
    watcher = Watcher(
        FolderChannel(chosen.channel_folder),
        lambda: key_files.trust(chosen.trust_path, demonstration=chosen.profile == "local"),
        clock,
        log,
        predictor,
        lambda release: LoadedModel.load(release, OnnxScorer, chosen.max_records),
        chosen.verify_every,
    )
    return Service(predictor, watcher, log)
