"""A run of batch scoring: decided, recorded, handed out, part by part, so that a killed run goes on and no row is decided twice.

A part goes through three states, each of them durable. *Staged*: the verdicts lie in the run's own folder; nobody has seen them.
*Recorded*: all of its decisions are in the decision log, in one commit, under ids that follow from run and row. *Done*: its
answers lie at the output, what was refused in quarantine, and a note says so. Going on from any state leads to the same end.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from models.channel import ReleaseReader
from models.clock import Clock, Month
from models.contract import Array, Columns
from models.errors import InputRefused, Integrity, NotFound
from models.governance.ledger import Entry as LedgerEntry
from models.governance.signing import Trust
from models.scoring import Scorer
from monitoring.decisions import DecisionLog, Entry, LoggedDecision, read_reasons
from pipelines.scoring.deciding import BY, REFUSED, ROW, VERDICT, Decide, counted
from pipelines.scoring.parts import Engine, File, Part, Plan
from pipelines.scoring.screening import check_columns
from pipelines.scoring.standing import Standing, in_force

MOST_REPEATED = 100_000
"""Accounts that may stand in the input more than once; with more it is two deliveries in one."""
_TOGETHER = 10_000  # decisions of one entry: the entries of a part are committed together


@dataclass(frozen=True)
class Note:
    """A part that is done: which version decided it, and how many rows by action and refused."""

    version: int
    counts: Mapping[str, int]


class Runs(Protocol):
    """The folder of runs, and the places that they write to."""

    def claimed(self, plan: Plan) -> AbstractContextManager[Plan]:
        """The plan to go on with: parts that are staged or done stay as they were cut, however the rest is cut now.

        One process at a time works on a run, and an output takes one run's answers. Raises `Conflict`.
        """
        ...

    def notes(self, plan: Plan) -> Mapping[int, Note]:
        """Of the parts that are done, by number."""
        ...

    def stage(self, plan: Plan, part: Part) -> Path:
        """Where an engine puts its verdicts."""
        ...

    def staged(self, plan: Plan, part: Part) -> Columns | None:
        """In the order of the rows; None if it is not staged."""
        ...

    def drop(self, plan: Plan, part: Part) -> None:
        """Forget what was staged."""
        ...

    def hand_out(self, plan: Plan, part: Part, answers: Columns, refused: Columns) -> None:
        """Answers to the output, what was refused to quarantine. The same again changes nothing."""
        ...

    def finish(self, plan: Plan, part: Part, note: Note) -> None:
        """The part is done, and what was staged is forgotten."""
        ...

    def quarantine(self, plan: Plan) -> Path:
        """Where the run's refused rows are."""
        ...


@dataclass(frozen=True)
class Desk:
    """Everything outside that batch scoring needs. `hide` turns account ids into pseudonyms: no id is recorded."""

    channel: ReleaseReader
    trust: Callable[[], Trust]
    entries: Callable[[str], Sequence[LedgerEntry]]
    log: DecisionLog
    clock: Clock
    hide: Callable[[Array], Array]
    engine: Engine
    runs: Runs
    make_scorer: Callable[[bytes], Scorer]

    def standing(self, model: str) -> Standing:
        return in_force(self.channel, self.trust(), self.entries(model), model, self.clock.now())


@dataclass(frozen=True)
class Summary:
    """`counts` are rows by action and refused, `versions` parts by the version that decided. `now`: parts done by this call."""

    plan: Plan
    counts: Mapping[str, int]
    versions: Mapping[int, int]
    now: int
    quarantine: Path

    @property
    def refused(self) -> int:
        return self.counts["refused"]


def planned(desk: Desk, model: str, source: str, output: str, files: Sequence[File], *, part_rows: int, label: str) -> Plan:
    """Raises `InputRefused` for columns that no model may be asked with, and whatever `in_force` raises."""
    check_columns(desk.standing(model).release.bundle.contract, files)
    return Plan.of(model, source, output, files, part_rows, label)


def score(desk: Desk, plan: Plan, progress: Callable[[int, int], None]) -> Summary:
    """Whatever of the plan is not done yet. `progress` hears of rows. Raises what `in_force` raises, before any part.

    What is in force is asked again before each part is recorded: after a stop, an expiry or a roll-back nothing more is.
    """
    with desk.runs.claimed(plan) as plan:
        before = desk.runs.notes(plan)
        left = [part for part in plan.parts if part.number not in before]
        done = plan.rows - sum(part.rows for part in left)
        progress(done, plan.rows)
        for part in _settled(desk, plan, left):
            done += part.rows
            progress(done, plan.rows)
        return _summary(desk, plan, len(left))


def _settled(desk: Desk, plan: Plan, left: Sequence[Part]) -> Iterator[Part]:
    """The parts as they are done. What a change of the bundle in force made void is decided again, once a round."""
    while left:
        standing = desk.standing(plan.model)
        waiting, fresh = _sorted_out(desk, plan, left, standing)
        for part in waiting:
            _settle(desk, plan, part)
            yield part
        void: list[Part] = []
        for part in _decided(desk, plan, fresh, standing):
            if _decides(desk.standing(plan.model)) == _decides(standing):
                _settle(desk, plan, part)
                yield part
            else:
                void.append(part)
        left = void


def _sorted_out(desk: Desk, plan: Plan, left: Sequence[Part], standing: Standing) -> tuple[list[Part], list[Part]]:
    """What a killed run left staged and may be settled as it is, and what is to be decided.

    Staged by what is in force, or recorded already. Anything else was seen by nobody, and is forgotten.
    """
    waiting = []
    for part in left:
        columns = desk.runs.staged(plan, part)
        if columns is None:
            continue
        by = columns["bundle"][0], columns["fallback"][0]
        if by == _decides(standing) or _recorded(desk, plan, columns):
            waiting.append(part)
        else:
            desk.runs.drop(plan, part)
    return waiting, [part for part in left if part not in waiting]


def _decided(desk: Desk, plan: Plan, parts: Sequence[Part], standing: Standing) -> Iterator[Part]:
    if not parts:
        return
    pointer, contract = standing.release.pointer, standing.release.bundle.contract
    repeated = desk.engine.repeated(plan.source, (contract.key, contract.time), MOST_REPEATED + 1)
    if len(repeated) > MOST_REPEATED:
        raise InputRefused(
            f"more than {MOST_REPEATED:,} accounts stand in {plan.source} twice for one month",
            hint="these are two deliveries: score them one by one, or take one away",
        )
    work = Decide(
        standing.release.bundle,
        pointer.version,
        standing.fallback,
        desk.make_scorer,
        str(Month.of(desk.clock.now().date())),
        frozenset(repeated),
    )
    names = (contract.key, contract.time, *contract.inputs)
    yield from desk.engine.mapped(work, plan.source, parts, names, lambda part: desk.runs.stage(plan, part))


def _settle(desk: Desk, plan: Plan, part: Part) -> None:
    """From staged to done."""
    columns = desk.runs.staged(plan, part)
    if columns is None or len(columns[ROW]) != part.rows:
        raise Integrity(
            f"part {part.number} is not staged whole",
            hint=f"take {desk.runs.stage(plan, part)} away: the same command then decides what is not recorded",
        )
    sound = columns["refused"] == ""
    decided = {name: values[sound] for name, values in columns.items()}
    if sound.any() and not _recorded(desk, plan, decided):
        _record(desk, plan, decided)
    refused = {name: columns[name][~sound] for name in (ROW, *REFUSED)}
    desk.runs.hand_out(plan, part, _answers(plan, decided), refused)
    desk.runs.finish(plan, part, Note(int(columns["version"][0]), counted(columns)))


def _recorded(desk: Desk, plan: Plan, columns: Columns) -> bool:
    """Whether the log has the part: all of it or nothing. Raises `Integrity` if another bundle decided it there."""
    rows = columns[ROW][columns["refused"] == ""]
    if not len(rows):
        return False
    try:
        known = desk.log.find(plan.decision_id(int(rows[0])))
    except NotFound:
        return False
    if known.bundle != columns["bundle"][0]:
        raise Integrity(
            f"rows from {rows[0]:,} on were decided before, by bundle {known.bundle[:12]}, and what it said is no longer staged",
            hint=f"the decision log has them, from {known.decision_id} on; what is left can be another run, with a label",
        )
    return True


def _record(desk: Desk, plan: Plan, columns: Columns) -> None:
    """One commit for all of them, so that a part is in the log whole or not at all."""
    key, time, *inputs = own_names(columns)
    now, months = desk.clock.now(), {text: Month.parse(text) for text in set(columns[time].tolist())}
    listed = {name: values.tolist() for name, values in {**columns, key: desk.hide(columns[key].astype(np.str_))}.items()}
    decisions = [
        LoggedDecision(
            decision_id=plan.decision_id(row[ROW]),
            model=plan.model,
            version=row["version"],
            bundle=row["bundle"],
            account_id=row[key],
            month=months[row[time]],
            inputs={name: row[name] for name in inputs},
            probability=row["probability"],
            action=row["action"],
            recorded_at=now,
            request_id=plan.run,
            no_notice=row["no_notice"],
            reasons=read_reasons(row["reasons"]),
            fallback=row["fallback"],
            out_of_distribution=tuple(filter(None, row["out_of_distribution"].split(","))),
        )
        for row in (dict(zip(listed, values, strict=True)) for values in zip(*listed.values(), strict=True))
    ]
    parts = range(0, len(decisions), _TOGETHER)
    desk.log.append_all([Entry(decisions[at : at + _TOGETHER]) for at in parts])


def own_names(columns: Columns) -> list[str]:
    """Of what is staged: key, time and inputs, in the contract's order."""
    others = {ROW, *VERDICT, *REFUSED, *BY}
    return [name for name in columns if name not in others]


def _answers(plan: Plan, columns: Columns) -> Columns:
    """What goes to the output: whose record, and everything that an answer of the service says."""
    key, time, *_ = own_names(columns)
    ids = np.array([plan.decision_id(row) for row in columns[ROW].tolist()], dtype=object)
    return {"decision_id": ids, **{name: columns[name] for name in (key, time, *VERDICT, *BY)}}


def _decides(standing: Standing) -> tuple[str, str]:
    """By which bundle, and whether it stands in for another."""
    return standing.release.pointer.bundle, standing.fallback


def _summary(desk: Desk, plan: Plan, now: int) -> Summary:
    notes = desk.runs.notes(plan)
    counts: Counter[str] = Counter()
    for note in notes.values():
        counts.update(note.counts)
    return Summary(plan, counts, Counter(note.version for note in notes.values()), now, desk.runs.quarantine(plan))
