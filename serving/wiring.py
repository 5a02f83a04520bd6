"""Where serving's adapters are picked and its settings are read."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from models.adapters import key_files
from models.adapters.account_keys import ACCOUNTS, LOG, LatestKeyring, secret_keys
from models.adapters.api_key_files import LatestApiKeys
from models.adapters.folder_channel import FolderChannel
from models.adapters.onnx_runtime import OnnxScorer
from models.channel import Release
from models.clock import FileClock, SystemClock
from models.errors import Misconfigured
from monitoring.adapters.exposition import Exposition
from monitoring.adapters.sql_decisions import SqlDecisionLog
from monitoring.adapters.sql_trials import SqlTrials
from monitoring.chain import ChainKeys
from serving.adapters.arrow_streams import ArrowStreams
from serving.adapters.copy_folder import CopyFolder
from serving.adapters.memory_file import MemoryFile
from serving.adapters.meter_files import CrewFile, MeterFiles
from serving.adapters.otlp import OtlpTracer
from serving.adapters.signed_tokens import IssuerKeys, fetching
from serving.adapters.spool_files import FileSpool
from serving.adapters.spool_slots import Slots
from serving.answers.loaded import LoadedModel
from serving.answers.past import PastReasons
from serving.answers.prediction import Predictor
from serving.door.register import Register, ensure_guarded, loopback
from serving.door.tokens import Tokens
from serving.durability.deferring import Deferring, Window
from serving.durability.recording import Recorder
from serving.durability.spooling import Spooling
from serving.protocols.frames import Frames
from serving.protocols.reviews import Reviews
from serving.release.memory import Seen
from serving.release.watching import Watcher
from serving.rollout.obeying import RolloutSwitch
from serving.rollout.shadowing import Shadowing
from serving.settings import ServingSettings
from serving.telemetry.access import AccessLog
from serving.telemetry.sight import Sight
from serving.workers.crew import Why


@dataclass(frozen=True)
class Service:
    """Everything that answers requests, joined; no database is opened before the first look or the first request."""

    predictor: Predictor
    recorder: Recorder
    watcher: Watcher
    reviews: Reviews
    log: SqlDecisionLog
    store: Spooling
    slots: Slots
    register: Register
    sight: Sight
    shadowing: Shadowing
    frames: Frames
    issuer: IssuerKeys | None = None

    def close(self) -> None:
        """Nothing is asked any more."""
        if self.issuer:
            self.issuer.close()
        self.store.close()
        self.log.close()
        self.slots.close()


def settings() -> ServingSettings:
    """Raises `Misconfigured`, also if a home was named that is not there: a slip of the pen would serve nothing, for ever."""
    chosen = ServingSettings.read()
    if "home" in chosen.model_fields_set and not chosen.home.is_dir():
        raise Misconfigured(
            f"STEWARD_HOME is {chosen.home}, and there is no such folder",
            hint="correct it, or make what lies there first: make train; the home of a SCENARIO: make replay",
        )
    return chosen


def service(chosen: ServingSettings, workers: Path | None = None) -> Service:
    clock = FileClock(chosen.clock_file) if chosen.clock_file else SystemClock()
    keys, local = chosen.home / "keys", chosen.profile == "local"

    def seals() -> ChainKeys:
        return ChainKeys(secret_keys(keys, LOG, local=local))

    log = SqlDecisionLog(chosen.database, seals)
    accounts = LatestKeyring(chosen.home, ACCOUNTS, local=local)
    seals()  # what is missing is said now, not with the first decision
    issuer = _issuer(chosen)
    register = Register(clock, chosen.open_to_all, Tokens(chosen.token_rules, issuer) if issuer else None)
    meet_keys = partial(_meet, LatestApiKeys(keys), register)
    try:
        meet_keys()
    except Misconfigured:
        if not register.closed:
            raise  # nobody knows whether there are keys
        # Otherwise the others open, the damaged one opens nothing, and the watcher says so.
    ensure_guarded(local=local, loopback=loopback(chosen.host), keys=register.closed, elsewhere=chosen.guarded_by == "sagemaker")
    room = chosen.spool_megabytes * 2**20
    slots = Slots(chosen.spool_path, lambda folder: FileSpool(folder, seals, room))
    store = Spooling(log, slots.spool, chosen.spool_after_seconds, clock)
    predictor = Predictor(store, clock, accounts.pseudonym)
    channel = FolderChannel(chosen.channel_folder)
    memory = MemoryFile(chosen.home / "serving" / "seen.json")

    def load(release: Release) -> LoadedModel:
        return LoadedModel.load(release, OnnxScorer, chosen.max_records)

    watcher = Watcher(
        channel,
        lambda: key_files.trust(chosen.trust_path, demonstration=chosen.profile == "local"),
        clock,
        store,
        predictor,
        load,
        CopyFolder(chosen.home / "serving" / "copies"),
        chosen.verify_every,
        memory,
        partial(_renew, meet_keys, accounts, log),
        RolloutSwitch(channel, clock, predictor, load, Seen(memory)),
    )
    recorder = _recorder(chosen, store)
    reviews = Reviews(
        log, clock, accounts.known_as, PastReasons(channel, OnnxScorer).explain, lambda: store.waiting or recorder.waiting
    )
    return Service(
        predictor,
        recorder,
        watcher,
        reviews,
        log,
        store,
        slots,
        register,
        _sight(chosen, workers),
        Shadowing(SqlTrials(log), clock),
        ArrowStreams(),
        issuer,
    )


def _issuer(chosen: ServingSettings) -> IssuerKeys | None:
    """Raises `Misconfigured` if tokens are wanted and something that they need is not said."""
    if not chosen.token_issuer:
        return None
    needed = {"TOKEN_AUDIENCE": chosen.token_audience, "TOKEN_KEYS_URL": chosen.token_keys_url, "TOKEN_ROLES": chosen.token_roles}
    if missing := [f"STEWARD_SERVING_{name}" for name, said in needed.items() if not said]:
        raise Misconfigured(
            f"tokens of {chosen.token_issuer} are wanted, and {missing[0]} is not set", hint="see serving/settings.py"
        )
    keys = IssuerKeys(fetching(chosen.token_keys_url), chosen.token_keys_seconds, most=chosen.token_keys_hours * 3_600)
    keys.start()
    return keys


def _sight(chosen: ServingSettings, workers: Path | None) -> Sight:
    """`workers` is the folder in which the workers of one service leave their numbers; None if there is one worker."""
    tracer = OtlpTracer(chosen.traces, share=chosen.traces_share) if chosen.traces else None
    access = AccessLog(to_standard_output) if chosen.access_log else None
    text = Exposition().text
    if workers is None:
        return Sight(text, tracer=tracer, access=access)
    files = MeterFiles(workers)
    return Sight(lambda own: text(files.together(own)), files.keep, tracer, access)


def replaced(workers: Path) -> Callable[[Why], None]:
    """Hears why a worker was replaced; the folder is that of the workers' numbers."""
    return CrewFile(workers).replaced


def to_standard_output(lines: str) -> None:
    """Past the buffer of Python: it would keep a part of what could not be written, and write that with the next."""
    rest = memoryview(lines.encode())
    while rest:
        rest = rest[os.write(sys.stdout.fileno(), rest) :]


def _recorder(chosen: ServingSettings, store: Spooling) -> Recorder:
    if not chosen.answered_first:
        return Recorder(store, chosen.max_queued, store.begin)
    window = Window(chosen.async_decisions, chosen.async_seconds)
    return Deferring(store, chosen.answered_first, window, begin=store.begin)


def _meet(files: LatestApiKeys, register: Register) -> None:
    """Take over what has changed among the API keys. Raises `Misconfigured` for a damaged one, after the others are."""
    try:
        files.look()
    finally:
        register.take_over(files.keys, any_files=files.any)


def _renew(meet_keys: Callable[[], None], accounts: LatestKeyring, log: SqlDecisionLog) -> None:
    """A damaged key of the door does not keep a rotation from being met."""
    try:
        meet_keys()
    finally:
        if accounts.renew():
            log.renew_keys()
