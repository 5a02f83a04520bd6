"""Did the witness sign the ledger as it is, up to its end? Asked by `make verify`, and before a decision rests on the ledger.

The chain alone proves nothing against who can write the file: it can be made anew without a key. An attestation cannot.
"""

from collections.abc import Callable, Iterator, Sequence

from models.errors import Integrity, PlatformError
from models.governance.facts import unreadable
from models.governance.ledger import Entry, Ledger, head_of
from models.governance.requests import Office
from models.governance.signing import Duty, Signed, Trust
from models.governance.verification import Finding


def ensure_attested(office: Office) -> None:
    """Raises `Integrity` as `attested` does."""
    attested(office.ledger, lambda: office.trust)


def attested(ledger: Ledger, trust: Callable[[], Trust]) -> list[Entry]:
    """All entries, oldest first, of a ledger that may be relied on.

    Raises `Integrity` unless every entry and every head is signed by a trusted witness, none was cut off, and each says what
    its kind must say. The cost is one signature check an entry and head, about a tenth of a millisecond each.
    """
    heads = ledger.heads()  # read first: an entry that is added meanwhile has a head that these entries lack
    entries = ledger.entries()
    for finding in unsound(entries, heads, trust()) if entries or heads else ():
        raise Integrity(
            f"{finding.where}: {finding.problem}",
            hint="nothing is decided on it, and nothing was recorded: restore ledger and head from a backup that agrees with"
            " the anchor, then make verify",
        )
    return entries


def vouched(ledger: Ledger, trust: Callable[[], Trust]) -> list[Entry]:
    """All entries, oldest first, of a ledger that ends as the witness signed it: enough to look, at one signature a head.

    A signed head stands for every entry up to it, since the chain does. Raises `Integrity`; see `attested`.
    """
    heads = ledger.heads()  # read first, as there
    entries = ledger.entries()
    last = max((number for number, _ in (head_of(signed, where) for where, signed in heads)), default=0)
    for finding in (*cut_off(entries, heads, trust()), *unattested(entries[last:], trust())) if entries or heads else ():
        raise Integrity(f"{finding.where}: {finding.problem}", hint="restore ledger and head from a backup, then make verify")
    return entries


def unsound(entries: Sequence[Entry], heads: Sequence[tuple[str, Signed]], trust: Trust) -> list[Finding]:
    """What does not hold of the ledger itself; whatever else is compared with it rests on this.

    What nobody attested is not interpreted.
    """
    return [*unattested(entries, trust), *cut_off(entries, heads, trust)] or list(unreadable(entries))


def unattested(entries: Sequence[Entry], trust: Trust) -> Iterator[Finding]:
    """The first entry that the witness did not sign: who rewrites the chain from there on cannot sign it."""
    for entry in entries:
        if problem := unsigned(trust, entry.signed_head(), Duty.ATTEST):
            yield Finding(f"ledger entry {entry.number}", f"its attestation does not hold: {problem}")
            return


def cut_off(entries: Sequence[Entry], heads: Sequence[tuple[str, Signed]], trust: Trust) -> Iterator[Finding]:
    """What the signed heads know and the ledger does not, each head with where it is kept."""
    if entries and not heads:
        yield Finding("ledger", "there is no signed head beside it, nor an anchor: whether its end was cut off cannot be told")
    for where, signed in heads:
        if problem := unsigned(trust, signed, Duty.ATTEST):
            yield Finding(where, f"a signed head does not hold: {problem}")
            continue
        number, chain = head_of(signed, where)
        last = len(entries)
        if number > last:
            yield Finding(f"ledger entry {last + 1}", f"removed from the end, up to entry {number}: {where} has the signed head")
            return
        if number and entries[number - 1].chain != chain:
            yield Finding(f"ledger entry {number}", f"not the one whose signed head {where} has: it was replaced")
            return


def unsigned(trust: Trust, signed: Signed, duty: Duty) -> str:
    """What is wrong with a signature; "" if nothing is."""
    try:
        trust.verify(signed, duty)
    except PlatformError as error:
        return error.problem
    return ""
