"""Where the console looks and through what it acts, and what stands in the place of a part that could not be had."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from models.channel import ReleaseChannel
from models.clock import Clock
from models.errors import PlatformError
from models.governance.ledger import Ledger
from models.governance.packs import Packs
from models.governance.pseudonyms import Keyring
from models.governance.requests import Office
from models.governance.signing import Trust
from models.lake import Lake
from models.scoring import Scorer
from monitoring.alerts.book import AlertBook
from monitoring.alerts.runbook import Runbook
from monitoring.chain import ChainKeys
from monitoring.console.charts.values import Pictures
from monitoring.decisions import DecisionLog
from monitoring.report import ReportStore
from monitoring.rollout.documents import VerdictStore
from monitoring.runs import RunHistory
from monitoring.samples import RowSamples
from monitoring.validations import Validations

T = TypeVar("T")


@dataclass(frozen=True)
class Sources:
    """`trust`, `office` and keys are calls, since keys may be made after the console has started; `office` makes a home's keys
    in the local profile, so it is called only to act, or where something is recorded already."""

    reports: ReportStore
    channel: ReleaseChannel
    trust: Callable[[], Trust]
    ledger: Ledger
    runs: RunHistory
    validations: Validations
    packs: Packs
    verdicts: VerdictStore
    swap_sets: Packs  # reports on two versions, by challenger
    clock: Clock
    office: Callable[[], Office]
    decisions: Callable[[], DecisionLog]  # opened when somebody looks for a decision: opening may make a file
    lake: Callable[[str], Lake]  # by model: its sealed decisions
    samples: Callable[[str], RowSamples]
    accounts: Callable[[], Keyring]  # what hides account ids
    chain_keys: Callable[[], ChainKeys]
    scorer: Callable[[bytes], Scorer]
    pictures: Pictures
    alerts: AlertBook
    runbooks: Callable[[str], Runbook]  # by the kind of the alert
    home: str  # as the person typed it, for messages
    scenario: str = ""  # of a replay; "" for the real thing
    experiments: str = ""  # where MLflow shows its runs; "" if nobody said


@dataclass(frozen=True)
class Trouble:
    """A part of a page that could not be had: the error in words, and what to do."""

    problem: str
    hint: str


def or_trouble(read: Callable[[], T]) -> T | Trouble:
    """A source that fails costs its own part, not the page."""
    try:
        return read()
    except PlatformError as error:
        return Trouble(error.problem, error.hint)
