"""Is the decision log as it was written? What the ledger notes of it from time to time, and the check that compares.

The chain (`chain.py`) shows what was edited, put in or taken out between two records. That the end of a lane, a whole lane
or a sealed month was taken away shows against what the ledger noted: `note` runs whenever months are sealed and inputs expire.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from models.channel import ReleaseChannel
from models.governance.ledger import Entry, Event, Ledger
from models.governance.verification import Finding
from models.lake import Lake, PartitionVersion
from monitoring.chain import UNSEALED, ChainKeys, Link, Mac, chained, mac
from monitoring.decisions import DecisionLog, Unmigrated, stamp
from monitoring.sealing import DECISIONS

_BACKUP = "restore the log from its backup, and find out who wrote to its database"
_NO_SEAL = "it has no seal: none of our processes wrote it"
_SHOWN = 20  # findings of one lane: who wrote over a table touched every row, and says so with the first


def begin(ledger: Ledger, channel: ReleaseChannel, *, actor: str, at: datetime) -> None:
    """Before anything is in force nothing was answered: write that down, so that a row without a seal is a finding ever after.

    Once in a home. Where something is in force already, there may be rows of before there were seals: see `note`.
    """
    if not channel.models() and not _noted(ledger.entries()):
        ledger.append(Event.DECISIONS_SEALED, model="", actor=actor, at=at, facts={"lanes": {}, "sealed": [], "adopted": 0})


def note(log: DecisionLog, lake: Lake, ledger: Ledger, model: str, *, actor: str, at: datetime) -> None:
    """Write into the ledger where every lane ends and what every sealed month holds, of what it does not say yet.

    In a home that was not begun so, the first time seals the records of before there were seals as they are.
    """
    entries = ledger.entries()
    adopted = 0 if _noted(entries) else log.adopt()
    known, months = _heads(entries), _months(entries, model)
    heads = {lane: [seal.place, seal.chain] for lane, seal in sorted(log.heads().items()) if seal.place not in known[lane]}
    sealed = [
        {"month": str(part.month), "version": part.version, "digest": part.digest}
        for part in lake.versions(DECISIONS)
        if months.get(str(part.month)) != part.digest
    ]
    if heads or sealed:
        facts = {"lanes": heads, "sealed": sealed, "adopted": adopted}
        ledger.append(Event.DECISIONS_SEALED, model=model, actor=actor, at=at, facts=facts)


def logged(links: Iterable[Link], entries: Sequence[Entry], keys: Callable[[], ChainKeys]) -> Iterator[Finding]:
    """What is not as it was written in a log whose records come by lane and place: the check for `make verify`.

    `keys` are asked for once there is something sealed. Raises `Unmigrated` for a log that cannot be looked at, once the
    ledger says that it is sealed: a former release's has no seals.
    """
    try:
        yield from _logged(links, entries, keys)
    except Unmigrated:
        if _noted(entries):
            raise


def _logged(links: Iterable[Link], entries: Sequence[Entry], keys: Callable[[], ChainKeys]) -> Iterator[Finding]:
    heads, expired, noted = _heads(entries), _expired(entries), bool(_noted(entries))
    seen: set[str] = set()
    for lane, found in groupby(links, key=lambda link: link.seal.lane):
        if lane:
            seen.add(lane)
            yield from _Lane(keys().of(lane), lane, expired, heads.get(lane, {})).findings(found)
        elif noted:
            yield from _unsealed(found)
    for lane in sorted(heads.keys() - seen):
        place, (_, number) = max(heads[lane].items())
        yield Finding(
            f"decision log, lane {lane}", f"all of its {place} records are gone; ledger entry {number} knew them", _BACKUP
        )


def kept(lake: Lake, entries: Sequence[Entry], model: str) -> Iterator[Finding]:
    """What is not as it was noted among a model's sealed months. Their files' own digests are the lake's affair."""
    noted, found = _months(entries, model), {str(part.month): part for part in lake.versions(DECISIONS)}
    begun = any(entry.model == model for entry in _noted(entries))  # before, months were sealed that nobody noted
    for month in sorted(noted.keys() | found.keys()):
        where = f"sealed decisions of {model}, {month}"
        if month not in found:
            yield Finding(where, "gone; the ledger knew them", "seal the month again: make report")
        elif month not in noted and begun:
            yield Finding(where, "not in the ledger: nobody here sealed them", "make report notes what the log itself gives")
        elif month in noted and found[month].digest != noted[month]:
            yield Finding(
                where, f"version {found[month].version} is not what the ledger noted last", "make report seals them again"
            )


@dataclass
class _Lane:
    """One lane while it is walked. `noted` are its heads in the ledger: place -> (chain value, number of the entry)."""

    key: Mac | None
    name: str
    expired: Mapping[str, str]
    noted: Mapping[int, tuple[str, int]]
    place: int = 0
    chain: str = ""
    broken: bool = False
    told: int = field(default=0)

    def findings(self, links: Iterable[Link]) -> Iterator[Finding]:
        if self.key is None:
            yield Finding(
                f"decision log, lane {self.name}", "there is no key of its generation here", "mount keys/log, all of it"
            )
            return
        for link in links:
            for problem in self.problems(link, self.key):
                self.told += 1
                if self.told <= _SHOWN:
                    yield Finding(_named(link), problem, _BACKUP)
        if self.told > _SHOWN:
            yield Finding(f"decision log, lane {self.name}", f"{self.told - _SHOWN} more records do not hold", _BACKUP)
        if self.noted and (last := max(self.noted)) > self.place:
            gone = f"{last - self.place} records were taken from its end; ledger entry {self.noted[last][1]} knew them"
            yield Finding(f"decision log, lane {self.name}", gone, _BACKUP)

    def problems(self, link: Link, key: Mac) -> Iterator[str]:
        seal, before, after_gap = link.seal, self.chain, False
        if seal.place != self.place + 1:
            after_gap = True
            missing = seal.place - self.place - 1
            yield f"{missing} records before it were taken out" if missing > 0 else "it stands in another record's place"
        elif chained(key, before, link.row, seal.inputs) != seal.chain:
            yield "it was edited, or is not the record that was written here"
        self.place, self.chain = seal.place, seal.chain
        if link.is_decision and not after_gap and (problem := self._inputs(link, key)):
            yield problem
        if seal.place in self.noted and self.noted[seal.place][0] != seal.chain:
            yield f"it is not the one that ledger entry {self.noted[seal.place][1]} noted"

    def _inputs(self, link: Link, key: Mac) -> str:
        """What is wrong with a decision's inputs; "" if nothing is."""
        inputs = link["inputs"]
        if inputs == "":
            return _deleted(link, self.expired)
        return "" if isinstance(inputs, str) and mac(key, inputs) == link.seal.inputs else "its inputs were edited"


def _deleted(link: Link, expired: Mapping[str, str]) -> str:
    """What is wrong with a decision without inputs; "" if retention was to delete them."""
    due = str(link["recorded_at"]) < expired.get(link["model"], "")
    return "" if due else "its inputs were deleted, and the ledger has no retention that did it"


def _unsealed(links: Iterable[Link]) -> Iterator[Finding]:
    for link in links:
        yield Finding(_named(link), _NO_SEAL, _BACKUP)


def _named(link: Link) -> str:
    return f"{'decision' if link.is_decision else 'review of decision'} {link['decision_id']}"


def _noted(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.event is Event.DECISIONS_SEALED]


def _heads(entries: Sequence[Entry]) -> defaultdict[str, dict[int, tuple[str, int]]]:
    """Of every lane: at which place the ledger knows which chain value, and from which entry."""
    found: defaultdict[str, dict[int, tuple[str, int]]] = defaultdict(dict)
    for entry in _noted(entries):
        for lane, (place, chain) in entry.facts["lanes"].items():
            found[lane][place] = chain, entry.number
    return found


def _months(entries: Sequence[Entry], model: str) -> dict[str, str]:
    """The digest of each sealed month as the ledger says it last; retention says what a month becomes."""
    found: dict[str, str] = {}
    for entry in entries:
        if entry.model == model and entry.event is Event.DECISIONS_SEALED:
            found |= {each["month"]: each["digest"] for each in entry.facts["sealed"]}
        elif entry.model == model and entry.event is Event.INPUTS_EXPIRED:
            found |= {each["month"]: each["becomes"] for each in entry.facts["sealed"]}
    return found


def _expired(entries: Sequence[Entry]) -> dict[str, str]:
    """By model: what was recorded before this instant has lost its inputs, as the log spells instants."""
    found: dict[str, str] = {}
    for entry in entries:
        if entry.event is Event.INPUTS_EXPIRED:
            before = stamp(datetime.fromisoformat(entry.facts["before"]))
            found[entry.model] = max(before, found.get(entry.model, ""))
    return found


def record_problem(linked: Sequence[Link], entries: Sequence[Entry], keys: Callable[[], ChainKeys]) -> str:
    """What is wrong with one decision or review, given the one before it in its lane (if any) and itself; "" if nothing is.

    Of one of before there were seals only its inputs can be missed. `keys` are asked for if it has a seal.
    """
    if not linked:
        return ""
    own, expired = linked[-1], _expired(entries)
    if not own.seal.lane:
        emptied = own.is_decision and own["inputs"] == ""
        return _NO_SEAL if _noted(entries) else _deleted(own, expired) if emptied else ""
    before = linked[0].seal if len(linked) > 1 else UNSEALED
    if (key := keys().of(own.seal.lane)) is None:
        return "there is no key of its generation here"
    return next(_Lane(key, own.seal.lane, expired, {}, before.place, before.chain).problems(own, key), "")


def month_problem(part: PartitionVersion, entries: Sequence[Entry]) -> str:
    """What is wrong with a sealed month that a decision is read from; "" if it is the one that the ledger noted.

    Where nothing was ever noted, nothing can be compared.
    """
    noted = _months(entries, part.facts["model"]).get(str(part.month))
    if noted == part.digest or not _noted(entries):
        return ""
    what = "is not what the ledger noted last" if noted else "is not in the ledger: nobody here sealed it"
    return f"the sealed month {part.month} {what}"


def is_missed(entries: Sequence[Entry]) -> bool:
    """Whether a decision that is not in the log was taken out of it: since there are seals, no row ever leaves it."""
    return bool(_noted(entries))
