"""Does the record hold? The ledger against its witness and its anchors, and everything that it names against what is there.

The chain itself is checked whenever the ledger is read (`ledger.verify_chain`). Here are the questions that it cannot answer:
was the end cut off, did the witness sign every entry, and do pointers, approvals, bundles, evidence and stops still say
what was recorded? What this proves, and against whom, is in docs/threat-model.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.channel import Move, ReleaseChannel, pointer_at, verified, walked
from models.errors import PlatformError
from models.governance.approval import DEMONSTRATION_APPROVER
from models.governance.attestation import unsigned, unsound
from models.governance.dossier import Dossiers, evidence_digest
from models.governance.ledger import Entry, Event
from models.governance.signers import check_signers, ever_trusted
from models.governance.signing import Duty, Signed, Trust
from models.governance.stop import passed_over, read, stop_at
from models.governance.verification import Finding

PACK_GONE = "put the folder back from its backup; make evidence VERSION=… builds it again only if nothing has changed since"


@dataclass(frozen=True)
class Records:
    """What is compared with what. `heads` are signed heads of the ledger, each with where it is kept."""

    entries: Sequence[Entry]
    heads: Sequence[tuple[str, Signed]]
    channel: ReleaseChannel
    trust: Trust
    dossiers: Dossiers


def audit(records: Records) -> list[Finding]:
    """Everything that does not hold, in the ledger's order; empty if all of it holds.

    If the ledger itself does not hold, that alone: what nobody attested, or cannot be read, is not interpreted.
    """
    return unsound(records.entries, records.heads, records.trust) or [
        *_releases(records),
        *_stops(records),
        *_approvals(records),
        *_contents(records),
        *_approvers(records),
        *check_signers(records.entries, records.trust),
    ]


def _releases(records: Records) -> Iterator[Finding]:
    """Pointers and the ledger say the same, number by number."""
    for model in _models(records):
        noted = {
            entry.facts["sequence"]: entry
            for entry in records.entries
            if entry.model == model and entry.event in (Event.PROMOTED, Event.ROLLED_BACK)
        }
        for number, last in walked(records.channel.numbers("pointers", model), noted):
            if last > number:
                yield _gap("pointers", number, last, model)
                continue
            where = f"pointer {number} of {model}"
            try:
                pointer = pointer_at(records.channel, records.trust, model, number)
            except PlatformError as error:
                yield Finding(where, error.problem)
                continue
            event = Event.PROMOTED if pointer.move is Move.PROMOTE else Event.ROLLED_BACK
            said = {name: getattr(pointer, name) for name in ("bundle", "previous", "published_at", "reason")}
            entry = noted.get(number)
            if entry is None:
                yield Finding(where, "published, and not in the ledger; the next promotion or roll-back notes it")
            elif (entry.event, {name: entry.facts.get(name) for name in said}) != (event, said):
                yield Finding(f"ledger entry {entry.number}", f"does not say what the signed {where} says")


def _stops(records: Records) -> Iterator[Finding]:
    for model in _models(records):
        noted = {
            entry.facts["sequence"]: entry
            for entry in records.entries
            if entry.model == model and entry.event in (Event.STOPPED, Event.RESUMED)
        }
        excused = passed_over(read(records.channel, records.trust, model)[0]) - noted.keys()
        for number, last in walked(records.channel.numbers("stops", model), noted):
            if number in excused:
                continue
            if last > number:
                yield _gap("stops", number, last, model)
                continue
            where = f"stop {number} of {model}"
            try:
                found = stop_at(records.channel, records.trust, model, number)
            except PlatformError as error:
                yield Finding(where, error.problem)
                continue
            entry = noted.get(number)
            if entry is None:
                yield Finding(where, "published, and not in the ledger; the next stop or resume notes it")
            elif (entry.event is Event.STOPPED, entry.facts["reason"]) != (found.stopped, found.reason):
                yield Finding(f"ledger entry {entry.number}", f"does not say what the signed {where} says")


def _gap(what: str, first: int, last: int, model: str) -> Finding:
    return Finding(f"{what} {first} to {last} of {model}", "the channel has none of them, and something under a higher number")


def _approvals(records: Records) -> Iterator[Finding]:
    """The newest approval of each approver for each bundle is there, signed, as recorded."""
    newest = {(entry.facts["bundle"], entry.actor): entry for entry in records.entries if entry.event is Event.APPROVED}
    trust = ever_trusted(records.entries, records.trust)
    for (bundle, approver), entry in newest.items():
        try:
            found = {signed.signer: signed for signed in records.channel.approvals(bundle)}
        except PlatformError as error:
            yield Finding(f"ledger entry {entry.number}", error.problem)
            continue
        where = f"approval of bundle {bundle[:12]} by {approver}"
        if approver not in found:
            yield Finding(f"ledger entry {entry.number}", f"the {where} is not in the channel")
        elif problem := unsigned(trust, found[approver], Duty.APPROVE):
            yield Finding(f"ledger entry {entry.number}", f"the {where} does not hold: {problem}")
        elif any(found[approver].document.get(name) != entry.facts[name] for name in ("evidence", "approved_at", "expires_at")):
            yield Finding(f"ledger entry {entry.number}", f"the {where} is not the one that was recorded")


def _contents(records: Records) -> Iterator[Finding]:
    """All bundles that were ever registered or asked for, and all evidence of them, byte by byte."""
    named = {entry.facts["bundle"]: entry for entry in sorted(_named(records), key=lambda each: each.event is Event.REQUESTED)}
    for digest, entry in named.items():
        try:
            verified(records.channel, entry.model, digest)
        except PlatformError as error:
            yield Finding(f"ledger entry {entry.number}", error.problem)
    for model, bundle in dict.fromkeys((entry.model, entry.facts["bundle"]) for entry in _named(records)):
        yield from _evidence(records, model, bundle)


def _evidence(records: Records, model: str, bundle: str) -> Iterator[Finding]:
    """Training the same bundle again writes its evidence anew: what was registered later may lie in the place of the earlier.

    Not so a pack: it is never written over, so nothing may lie in its place.
    """
    named: dict[str, Entry] = {}
    for entry in (each for each in _named(records) if (each.model, each.facts["bundle"]) == (model, bundle)):
        digest = entry.facts["pack" if entry.event is Event.PACK_SEALED else "evidence"]
        if digest not in named or named[digest].event is not Event.PACK_SEALED:
            named[digest] = entry
    for place, (digest, entry) in enumerate(named.items()):
        where = f"ledger entry {entry.number}"
        try:
            found = evidence_digest(records.dossiers.files(model, bundle, digest), bundle)
        except PlatformError as error:
            yield Finding(where, error.problem)
            continue
        if found != digest and entry.event is Event.PACK_SEALED:
            yield Finding(where, f"the evidence pack {digest[:12]} of bundle {bundle[:12]} is gone", PACK_GONE)
        elif found not in list(named)[place:]:
            yield Finding(where, f"the evidence of bundle {bundle[:12]} is not the one that was recorded")


def _named(records: Records) -> list[Entry]:
    """Who names evidence."""
    return [entry for entry in records.entries if entry.event in (Event.REGISTERED, Event.REQUESTED, Event.PACK_SEALED)]


def _approvers(records: Records) -> Iterator[Finding]:
    """Who may approve is who was admitted and not dismissed since. The demonstration approver comes with the local profile."""
    noted: dict[str, str] = {}
    for entry in records.entries:
        if entry.event is Event.TRUSTED:
            noted[entry.facts["name"]] = entry.facts["key"]
        elif entry.event is Event.DISTRUSTED:
            noted.pop(entry.facts["name"], None)
    trusted = {name: key for name, key in records.trust.keys.get(Duty.APPROVE, {}).items() if name != DEMONSTRATION_APPROVER}
    for name in sorted(trusted):
        if name not in noted:
            problem = f"{name} may approve, and the ledger does not say who admitted that key"
            yield Finding(
                "trust file", problem, f"find out who wrote it; then make distrust NAME={name}, or make trust NAME={name}"
            )
        elif noted[name] != trusted[name]:
            problem = f"the key of {name} is not the one that was admitted"
            yield Finding(
                "trust file", problem, f"find out who wrote it; then make distrust NAME={name}, and admit the right key"
            )
    for name in sorted(noted.keys() - trusted.keys()):
        hint = f"find out who took it out; make trust NAME={name} puts it back, and make distrust then says why it goes"
        yield Finding("trust file", f"{name} was admitted and is gone, and the ledger does not say who dismissed that key", hint)


def _models(records: Records) -> list[str]:
    named = {entry.model for entry in records.entries if entry.model}  # people and keys are of no model
    return sorted(named.union(records.channel.models()))
