"""Which verdicts on roll-outs count: those that the ledger names. Whoever can write in their folder can write whole ones."""

from collections.abc import Iterator, Sequence

from models.governance.ledger import Entry, Event
from models.governance.verification import Finding
from monitoring.rollout.documents import VerdictDocument, VerdictStore

_EVENTS = {Event.ROLLOUT_JUDGED: "verdict", Event.ROLLOUT_ENDED: "evidence"}
"""What names a verdict, and in which of its facts."""


def named(entries: Sequence[Entry], model: str, number: int) -> dict[str, Entry]:
    """By digest: the entry that names a verdict on this roll-out, the oldest first."""
    about = [e for e in entries if e.event in _EVENTS and e.model == model and e.facts["rollout"] == number]
    return {digest: entry for entry in about if (digest := entry.facts[_EVENTS[entry.event]])}


def kept(verdicts: VerdictStore, entries: Sequence[Entry], model: str, number: int) -> list[VerdictDocument]:
    """Those that the ledger names and that are as they were written, the newest first."""
    known = named(entries, model, number)
    return [found for _, found in verdicts.found(model, number) if found and found.digest in known]


def newest(verdicts: VerdictStore, entries: Sequence[Entry], model: str, number: int) -> VerdictDocument | None:
    """The one that the ledger named last; None if there was none, or it is gone."""
    last = next(reversed(named(entries, model, number)), "")
    return next((found for found in kept(verdicts, entries, model, number) if found.digest == last), None)


def check_verdicts(verdicts: VerdictStore, entries: Sequence[Entry]) -> Iterator[Finding]:
    """Every verdict that the ledger names is kept as it was written, and there is no other: the check for `make verify`."""
    about = {(entry.model, entry.facts["rollout"]) for entry in entries if entry.event in _EVENTS}
    lying = {(model, number) for model in verdicts.models() for number in verdicts.rollouts(model)}
    for model, number in sorted(about | lying):
        known, there = named(entries, model, number), verdicts.found(model, number)
        for place, found in there:
            if found is None:
                yield Finding(place, "was edited, or is no verdict", "put it back from a backup; what nobody kept, take away")
            elif found.digest not in known or (found.model, found.number) != (model, number):
                hint = "find out who writes there, and take it away: a verdict counts when the ledger names it"
                yield Finding(place, f"a verdict on roll-out {number} of {model} that no record names", hint)
        for digest in known.keys() - {found.digest for _, found in there if found}:
            yield Finding(
                f"ledger entry {known[digest].number}",
                f"the verdict {digest[:12]} on roll-out {number} of {model} is gone, or another",
                "put the verdicts back from their backup",
            )
