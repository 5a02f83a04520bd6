"""The swap-set report of any two registered versions, from what is stored: bundles, the newest month of the lake, audit table."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle, sha256
from models.clock import Month
from models.contract import REQUEST_ROLES, Columns
from models.errors import Conflict, Held, NoChampion, NotEnoughData, NotFound
from models.governance.doubt.rule import Rule
from models.governance.ledger import Event
from models.lake import SNAPSHOTS, PartitionVersion
from pipelines.dataset import matured_outcomes, read
from pipelines.fairness.step import mix_of
from pipelines.rebuild import run as rebuilding
from pipelines.steps import in_force
from pipelines.stopwatch import Part
from pipelines.swap_set import compare
from pipelines.swap_set.compare import Scored
from pipelines.swap_set.report import PAGE, REPORT, Cost, MixRow, Side, SwapSet
from pipelines.wiring import Platform

NOT_MATURED = "The outcomes of this month are not known: what both would have cost in the end cannot be said."


@dataclass(frozen=True)
class Version:
    """A registered version on the accounts of a month."""

    number: int
    bundle: Bundle
    scored: Scored

    def side(self) -> Side:
        mean = float(self.scored.probability.mean())
        return Side(version=self.number, bundle=self.bundle.digest, actions=self.scored.counts(), mean_probability=mean)


@dataclass(frozen=True)
class Accounts:
    """Whom both versions score: the snapshots of one month, as the lake has them now."""

    month: Month
    part: PartitionVersion
    names: NDArray[np.str_]
    columns: Columns


def swap_set(platform: Platform, challenger: str, against: str = "") -> SwapSet:
    """By number or digest; against the champion by default. Raises `NotFound`, `NoChampion`, `Conflict` for twice the same."""
    one, other = find(platform, challenger), find(platform, against) if against else _in_force(platform)
    if one.digest == other.digest:
        raise Conflict(f"bundle {one.digest[:12]} would be compared with itself", hint="name another version: AGAINST=…")
    accounts = newest(platform)
    with platform.watch.step("score with both", Part.MODEL):
        ours, theirs = (_scored(platform, bundle, accounts) for bundle in (one, other))
    return _reported(platform, accounts, champion=theirs, challenger=ours)


def find(platform: Platform, text: str) -> Bundle:
    """A registered version by its number, or by the beginning of its digest."""
    model = platform.use_case.name
    made = _registered(platform)
    if text in map(str, made):
        return rebuilding.registered(platform, int(text))
    found = [number for number, digest in made.items() if len(text) >= MINIMUM and digest.startswith(text)]
    if not found:
        known = ", ".join(f"{number} ({digest[:12]})" for number, digest in made.items()) or "none"
        raise NotFound(f"{model} has no version {text!r}", hint=f"registered here: {known}")
    return rebuilding.registered(platform, found[-1])


MINIMUM = 6  # characters of a digest


def newest(platform: Platform) -> Accounts:
    with platform.watch.step("read the newest month", Part.DATA):
        lake, contract = platform.lake, platform.use_case.contract
        parts = lake.versions(SNAPSHOTS, known_at=platform.clock.now())
        if not parts:
            raise NotEnoughData(f"the lake has no snapshots of {platform.use_case.name}", hint="run `make ingest`")
        part = max(parts, key=lambda each: each.month)
        columns = lake.read([part], contract.named(*REQUEST_ROLES))
        return Accounts(part.month, part, columns[contract.key], columns)


def keep(platform: Platform, report: SwapSet) -> Path:
    """Store report and page, and name them in the ledger; returns the page. The same report again changes nothing."""
    with platform.watch.step("write and note the report", Part.TRACKING):
        files = {REPORT: report.to_bytes(), PAGE: platform.render_swap_set(report)}
        folder = platform.swap_sets.store(report.model, report.challenger.bundle, report.digest, files)
        facts = {
            "bundle": report.challenger.bundle,
            "against": report.champion.bundle,
            "month": report.month,
            "report": report.digest,
            "page": sha256(files[PAGE]),
        }
        platform.office.note_once(Event.SWAP_SET_SEALED, report.model, platform.trainer, facts)
        return folder / PAGE


def _registered(platform: Platform) -> dict[int, str]:
    """Digests by number."""
    entries = platform.ledger.entries(platform.use_case.name)
    return {int(e.facts["version"]): str(e.facts["bundle"]) for e in entries if e.event is Event.REGISTERED}


def _in_force(platform: Platform) -> Bundle:
    champion = in_force(platform)
    if champion is None:
        raise NoChampion(f"{platform.use_case.name} has no champion", hint="name a version to compare with: AGAINST=…")
    return champion.bundle


def _scored(platform: Platform, bundle: Bundle, accounts: Accounts) -> Version:
    """As in service: by the contract, the graph and the rule that were sealed together."""
    rows = bundle.contract.matrix(accounts.columns)
    probability = bundle.policy.quantise(platform.scorer(bundle.graph).probabilities(rows))
    numbers = [number for number, digest in _registered(platform).items() if digest == bundle.digest]
    return Version(numbers[-1], bundle, Scored(probability, Rule.of(bundle).actions(probability, rows)))


def _reported(platform: Platform, accounts: Accounts, *, champion: Version, challenger: Version) -> SwapSet:
    policy, contract = champion.bundle.policy, champion.bundle.contract
    both, confidence = (champion.scored, challenger.scored), policy.gates.confidence
    direction = compare.direction(*both)
    turned_out, unknown = _realised(platform, accounts, champion, challenger)
    groups, withheld = _mix(platform, accounts, champion, direction)
    other = compare.other_costs(policy.cost, challenger.bundle.policy.cost)
    return SwapSet(
        model=platform.use_case.name,
        title=platform.use_case.title,
        month=str(accounts.month),
        accounts=len(accounts.names),
        sources=(_source(accounts.part),),
        confidence=confidence,
        currency=policy.cost.currency,
        champion=champion.side(),
        challenger=challenger.side(),
        cells=compare.cells(accounts.names, *both),
        costs=(*compare.costs(policy.cost, *both, confidence), *turned_out),
        change=compare.change(*both),
        distinct=compare.distinct({name: accounts.columns[name] for name in contract.inputs}, direction != 0),
        mix=tuple(groups),
        minimum_cell=policy.fairness.minimum_cell if policy.fairness else 0,
        notes=tuple(filter(None, (other, unknown, withheld))),
    )


def _realised(platform: Platform, accounts: Accounts, champion: Version, challenger: Version) -> tuple[Sequence[Cost], str]:
    """Of the accounts whose outcome is known; and a note where none is, or where its coding waits for a person."""
    now = platform.clock.now()
    outcomes = matured_outcomes(platform.use_case, platform.lake, now.date(), now, [accounts.month])
    if not outcomes:
        return (), NOT_MATURED
    try:
        known = read(platform.use_case, platform.lake, [accounts.part, *outcomes])
    except Held as held:
        return (), f"What both would have cost in the end cannot be said: {held.problem}."
    mine = np.isin(accounts.names, known.accounts)
    sides = [Scored(v.scored.probability[mine], v.scored.actions[mine]) for v in (champion, challenger)]
    policy = champion.bundle.policy
    return (compare.realised(policy.cost, sides[0], sides[1], known.bad, policy.gates.confidence),), ""


def _mix(platform: Platform, accounts: Accounts, champion: Version, direction: NDArray[np.int64]) -> tuple[list[MixRow], str]:
    """Through the door of fairness reports; a note where it stays shut."""
    limits = champion.bundle.policy.fairness
    if limits is None:
        return [], "The policy states no fairness limits, so no group is looked at."
    try:
        found = mix_of(platform, limits, accounts.month, accounts.names, direction)
    except NotFound as missing:
        return [], f"Who they are cannot be said: {missing.problem}."
    return [MixRow(**asdict(row)) for row in found], ""


def _source(part: PartitionVersion) -> dict[str, object]:
    return {
        "table": part.table,
        "month": str(part.month),
        "version": part.version,
        "digest": part.digest,
        "rows": part.rows,
    }
