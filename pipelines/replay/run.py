"""`make replay`: a scenario through the real flows, the real service and a clock in a file, in a home of its own."""

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import ModuleType

from models.bundle import Bundle
from models.clock import FileClock, end_of_day
from models.errors import Misconfigured
from models.scoring import Scorer
from monitoring.report import MonthlyReport
from pipelines.definitions import accept_definition
from pipelines.engine import engine
from pipelines.holds import Holds, accept_input
from pipelines.replay.days import replay
from pipelines.replay.ports import Acceptance, Script, Turn
from pipelines.replay.scripts import find
from pipelines.replay.story import EventKind, ReplayResult, headline, shares, subline
from pipelines.steps import Ending, Kind
from pipelines.wiring import Platform, of_own, platform, publish_replay, scoring_service

# Enough to choose a family and sane parameters: a replay shows the loop, not the last point of AUC.
TRIALS, FOLDS = 4, 2
FOLDER = "page"
KINDS: Mapping[Kind, EventKind | None] = {
    Kind.PROMOTED: "promoted",
    Kind.UNCHANGED: "promoted",  # a replay that goes on where a killed one was promoted
    Kind.KEPT: "kept",
    Kind.REFUSED: "refused",
    Kind.HELD: "held",
    Kind.RESTED: None,
    Kind.ASKED: None,
}


class LivePlatform:
    """The real parts. Every flow builds its own platform from the environment, as it would in production."""

    def __init__(self, parts: Platform, clock: FileClock, flows: ModuleType, trials: int) -> None:
        self._parts = parts
        self._clock = clock
        self._flows = flows
        self._trials = trials

    def set_time(self, now: datetime) -> None:
        self._clock.set(now)

    def ingest(self) -> None:
        self._flows.ingest()

    def train(self) -> Turn:
        return _turn(self._flows.train(trials=self._trials))

    def monitor(self) -> list[MonthlyReport]:
        reports: list[MonthlyReport] = self._flows.monitor()
        return reports

    def retrain(self) -> Turn:
        return _turn(self._flows.retrain(trials=self._trials))

    def accept(self, acceptance: Acceptance) -> str:
        parts = self._parts
        accept_definition(
            parts.use_case,
            parts.lake,
            parts.ledger,
            parts.clock,
            version=acceptance.definition,
            by=acceptance.person,
            reason=acceptance.comment,
            progress=parts.progress.say,
        )
        for month, column in acceptance.inputs:
            accept_input(
                Holds(parts.use_case, parts.ledger, parts.clock),
                month=month,
                column=column,
                by=acceptance.person,
                reason=acceptance.comment,
                progress=parts.progress.say,
            )
        rule = parts.use_case.definitions[acceptance.definition].rule
        return f"Definition {acceptance.definition} accepted ({rule}). {acceptance.comment}"

    def bundle(self, digest: str) -> Bundle:
        return self._parts.released_bundle(digest)

    def scorer(self, bundle: Bundle) -> Scorer:
        return self._parts.scorer(bundle.graph)


def run(name: str, *, trials: int = TRIALS) -> ReplayResult:
    """Live through a scenario in a clean home, `replay/<name>` below the usual one, and write its page there."""
    begun = time.perf_counter()
    script = find(name)
    home = _clean_home(platform().settings.home / "replay" / name)
    clock = FileClock(home / "clock")
    clock.set(end_of_day(script.days[0].on))
    environment = _environment(script, home)
    with _set(environment):
        parts = platform(use_case=script.use_case.name)
        with engine(parts) as flows:
            live, service = LivePlatform(parts, clock, flows, trials), scoring_service(parts, environment)
            started = time.perf_counter() - begun
            result = replay(script, live, service, say=lambda text: print(text, flush=True))
    result = result.model_copy(update={"seconds": {**result.seconds, "start up": started}})
    _tell(result, publish_replay(result, home / FOLDER), home)
    return result


def _clean_home(home: Path) -> Path:
    """Empty, and surely a replay's: nothing else is ever deleted. Moved aside first, so that no half of it is left."""
    if home.exists():
        if not (home / "clock").is_file():
            raise Misconfigured(f"{home} exists and is not a replay's home", hint="move it away")
        aside = home.with_name(f".{home.name}.discarded")
        shutil.rmtree(aside, ignore_errors=True)
        home.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)  # what a replay that is still ending holds open goes next time
    home.mkdir(parents=True)
    return home.resolve()


def _environment(script: Script, home: Path) -> dict[str, str]:
    """What every process of the replay is told: the same home, the same clock, the same accounts."""
    told = {
        **of_own(home),
        "STEWARD_CLOCK_FILE": str(home / "clock"),
        "STEWARD_SERVING_POLL_SECONDS": "0.1",
        "STEWARD_PIPELINES_FOLDS": str(FOLDS),
    }
    return told | ({"STEWARD_PIPELINES_SCENARIO": script.simulated} if script.simulated else {})


@contextmanager
def _set(environment: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in environment}
    os.environ |= environment
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _turn(ending: Ending) -> Turn:
    seconds: dict[str, float] = {}
    for step, _, spent in ending.timings:
        seconds[step] = seconds.get(step, 0.0) + spent
    return Turn(KINDS[ending.kind], ending.sentence, ending.version or None, ending.bundle, ending.reports, seconds)


def _tell(result: ReplayResult, page: Path, home: Path) -> None:
    print(f"\n{headline(result)}\n{subline(result)}\n")
    for step, seconds, share in shares(result.seconds):
        print(f"{seconds:7.1f} s  {share:4.0%}  {step}")
    print(f"{sum(result.seconds.values()):7.1f} s  in all\n")
    print(f"page:     {page}")
    print(f"pictures: {page.parent}")
    print(f"Next: open the page, or look at the monthly reports: make monitor SCENARIO={home.name}")
