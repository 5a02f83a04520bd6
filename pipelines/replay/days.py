"""Living through months that are over: the real parts, on an injected clock, one day after the other.

On the last day of a month the batch is taken in, the accounts are scored through the running service, and retraining is
considered: monitoring, verdict, and training if the verdict asks for it. A model promoted on that day scores from the
next month on. What it comes to is a `ReplayResult`; nothing here knows how the parts work or where they keep things.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.clock import Month, end_of_day
from models.contract import REQUEST_ROLES, Columns, Contract
from models.errors import Integrity, Unavailable
from monitoring.report import MonthlyReport
from monitoring.verdict import Level
from pipelines.replay.ports import Answer, Day, Platform, Script, Service, Turn
from pipelines.replay.record import Chronicle, Model, Scored
from pipelines.replay.story import Event, ReplayResult

BATCH = 1_000
Say = Callable[[str], None]


@dataclass
class Steps:
    """Wall time by step, in seconds."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - begun)

    def add(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def run(self, run: Callable[[], Turn]) -> Turn:
        """Time a run by its own steps; what they do not account for is orchestration."""
        begun = time.perf_counter()
        turn = run()
        for name, seconds in turn.seconds.items():
            self.add(name, seconds)
        self.add("orchestration", time.perf_counter() - begun - sum(turn.seconds.values()))
        return turn


@dataclass
class _Loop:
    script: Script
    platform: Platform
    service: Service
    say: Say
    chronicle: Chronicle
    steps: Steps = field(default_factory=Steps)


def replay(script: Script, platform: Platform, service: Service, say: Say) -> ReplayResult:
    """Live through the script's days. The service is stopped whatever happens."""
    loop = _Loop(script, platform, service, say, Chronicle(script.use_case, truth=script.truth))
    try:
        for number, day in enumerate(script.days):
            _live(loop, day, first=number == 0)
    finally:
        service.stop()
    return loop.chronicle.result(script.name, script.title, script.data, script.shifted_from, loop.steps.seconds)


def _live(loop: _Loop, day: Day, *, first: bool) -> None:
    loop.platform.set_time(end_of_day(day.on))
    if day.acceptance:
        sentence = loop.platform.accept(day.acceptance)
        _note(loop, day, Event(on=day.on.isoformat(), kind="accepted", sentence=sentence, by=day.acceptance.person))
    else:
        with loop.steps.step("ingest and validate"):
            loop.platform.ingest()
        _learn_outcomes(loop, day)
    if first:
        _begin(loop, day)
    if day.month:
        _score_month(loop, day, day.month)
    if first:
        _watch_first(loop, day)
        return
    _take_turn(loop, day, loop.steps.run(loop.platform.retrain))


def _watch_first(loop: _Loop, day: Day) -> None:
    """On the first day nothing has matured that the champion was not trained on: monitoring alone."""
    with loop.steps.step("monitor"):
        reports = loop.platform.monitor()
    for report in reports:
        _keep_report(loop, day, report)


def _begin(loop: _Loop, day: Day) -> None:
    """The first champion, and the service that answers with it."""
    turn = loop.steps.run(loop.platform.train)
    if turn.kind != "promoted":
        raise Unavailable(f"no first champion came of training as of {day.on}: {turn.sentence}", hint="see the run's gate")
    with loop.steps.step("start the service"):
        loop.service.start()
    loop.chronicle.first = _model(loop, turn)
    _take_turn(loop, day, turn)


def _model(loop: _Loop, turn: Turn) -> Model:
    assert turn.version is not None
    bundle = loop.platform.bundle(turn.bundle)
    return Model(turn.version, bundle, loop.platform.scorer(bundle))


def _take_turn(loop: _Loop, day: Day, turn: Turn) -> None:
    for report in turn.reports:
        _keep_report(loop, day, report)
    if turn.kind is None:
        return
    _note(loop, day, Event(on=day.on.isoformat(), kind=turn.kind, sentence=turn.sentence, version=turn.version))
    if turn.kind == "promoted":
        loop.chronicle.champion = turn.bundle
        loop.chronicle.last = _model(loop, turn)
        with loop.steps.step("await the swap"):
            loop.service.await_bundle(turn.bundle)


def _keep_report(loop: _Loop, day: Day, report: MonthlyReport) -> None:
    loop.chronicle.reports[report.month] = report
    if report.verdict.level in (Level.RED, Level.HELD):
        loop.chronicle.notice(day.on, report.verdict.sentence)


def _note(loop: _Loop, day: Day, event: Event) -> None:
    loop.chronicle.events.append(event)
    if event.kind == "held":
        loop.chronicle.notice(day.on, event.sentence)
    loop.say(f"{event.on}  {event.kind}: {event.sentence}")


def _learn_outcomes(loop: _Loop, day: Day) -> None:
    """The codes of every scored month that the source knows by now; a restatement replaces what was known."""
    for month in loop.chronicle.scored:
        codes = loop.script.source.cohort(month, day.on).outcome_codes
        if codes is not None:
            loop.chronicle.codes[month] = codes


def _score_month(loop: _Loop, day: Day, month: Month) -> None:
    columns = loop.script.source.cohort(month, day.on).columns
    with loop.steps.step("score over HTTP"):
        answers = list(_answers(loop, month, records(loop.script.use_case.contract, columns)))
    if strays := {answer.bundle for answer in answers} - {loop.chronicle.champion}:
        raise Integrity(
            f"{month} was answered by bundle {strays.pop()[:12]}, but {loop.chronicle.champion[:12]} is in force",
            hint="something else serves on this port, or promotes in this home",
        )
    probability = np.array([value for answer in answers for value in answer.probabilities])
    loop.chronicle.scored[month] = Scored(day.on, columns, probability, answers[0].version)
    loop.chronicle.last = None
    loop.say(f"{day.on}  scored {len(probability):,} accounts of {month} with model {answers[0].version}")


def _answers(loop: _Loop, month: Month, rows: Sequence[Mapping[str, Any]]) -> Iterator[Answer]:
    for start in range(0, len(rows), BATCH):
        batch, key = rows[start : start + BATCH], f"replay-{loop.script.name}-{month}-{start}"
        try:
            yield loop.service.score(batch, key)
        except Unavailable:
            # One restart: the key is the same, so a batch that was decided before the crash is not decided again.
            loop.say(f"the service does not answer; starting it again ({month}, batch from {start:,})")
            loop.service.start()
            yield loop.service.score(batch, key)


def records(contract: Contract, columns: Columns) -> list[dict[str, Any]]:
    """Columns to the records of a request: key, time and inputs as plain Python values, nothing else."""
    names = contract.named(*REQUEST_ROLES)
    values = [np.asarray(columns[name]).tolist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
