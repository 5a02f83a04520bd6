"""Where serving's adapters are picked and its settings are read."""

from dataclasses import dataclass

from models.adapters import key_files
from models.adapters.account_keys import ACCOUNTS, LOG, keyring, secret_keys
from models.adapters.folder_channel import FolderChannel
from models.adapters.onnx_runtime import OnnxScorer
from models.clock import FileClock, SystemClock
from monitoring.adapters.sql_decisions import SqlDecisionLog
from monitoring.chain import ChainKeys
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
    keys, local = chosen.home / "keys", chosen.profile == "local"
    log = SqlDecisionLog(chosen.database, lambda: ChainKeys(secret_keys(keys, LOG, local=local)))
    accounts = keyring(keys, ACCOUNTS, local=local)
    secret_keys(keys, LOG, local=local)  # what is missing is said now, not with the first decision
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
