"""What `make verify` finds: each way of tampering is named, and an untouched record has nothing to name."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from models.governance import release
from models.governance.audit import Records, audit
from models.governance.checking import sign_off
from models.governance.ledger import Entry, Event
from models.governance.signing import Duty, Trust
from models.governance.stop import stop
from models.governance.verification import Finding
from tests.office import MODEL, Bank, paper_bundle, paper_evidence, pipeline, second, signer, trust, validator, witness

FIRST, SECOND = paper_bundle("first").digest, paper_bundle("second").digest


class Case:
    """A life in short: two promotions, a roll-back, a stop; and what can be done to its record."""

    def __init__(self) -> None:
        self.bank = Bank()
        release.promote(self.bank.office, MODEL, self.bank.ask("first"))
        sign_off(self.bank.office, second(), MODEL, FIRST, comment="me too")
        release.promote(self.bank.office, MODEL, self.bank.ask("second", "first"))
        release.roll_back(self.bank.office, MODEL, away_from=SECOND, asked_by="on-call", reason="too strict")
        stop(self.bank.office, MODEL, asked_by="on-call", reason="the feed is late")
        self.entries = self.bank.ledger.entries()
        self.heads = self.bank.ledger.heads()
        self.trust = trust()

    def found(self) -> list[Finding]:
        return audit(Records(self.entries, self.heads, self.bank.channel, self.trust, self.bank.dossiers))

    def channel(self, kind: str) -> Any:
        return getattr(self.bank.channel, f"_{kind}")

    def number(self, event: Event) -> int:
        return next(entry.number for entry in self.entries if entry.event is event)


def rechained(entries: list[Entry]) -> list[Entry]:
    """What somebody with the file and without the witness's key can do: number and chain everything anew."""
    found: list[Entry] = []
    for number, entry in enumerate(entries, start=1):
        found.append(replace(entry, number=number, previous=found[-1].chain if found else "").sealed())
    return found


def test_an_untouched_record_holds() -> None:
    assert Case().found() == []


def rewrite(case: Case) -> str:
    number = case.number(Event.ROLLED_BACK)
    changed = [replace(e, actor="nobody") if e.number == number else e for e in case.entries]
    case.entries = rechained(changed)
    return f"ledger entry {number}"


def remove(case: Case) -> str:
    number = case.number(Event.ROLLED_BACK)
    case.entries = rechained([e for e in case.entries if e.number != number])
    return f"ledger entry {number}"


def cut_off(case: Case) -> str:
    case.entries = case.entries[:-1]
    return f"ledger entry {len(case.entries) + 1}"


def cut_off_with_its_head(case: Case) -> str:
    """The head beside the ledger was put back too; the anchor elsewhere was not."""
    case.heads = [("beside", case.entries[-2].signed_head()), ("elsewhere", case.entries[-1].signed_head())]
    return cut_off(case)


def no_head(case: Case) -> str:
    case.heads = []
    return "ledger"


def unattested(case: Case) -> str:
    case.entries = [*case.entries, replace(case.entries[-1], number=99, attestation="", witness="")]
    return "ledger entry 99"


def strangers_head(case: Case) -> str:
    case.heads = [("beside", case.entries[-1].attested(signer("mallory", Duty.ATTEST)).signed_head())]
    return "beside"


def pointer_removed(case: Case) -> str:
    case.channel("pointers")[MODEL].pop(2)
    return f"pointer 2 of {MODEL}"


def pointer_edited(case: Case) -> str:
    signed = case.channel("pointers")[MODEL][2]
    case.channel("pointers")[MODEL][2] = replace(signed, document={**signed.document, "bundle": FIRST})
    return f"pointer 2 of {MODEL}"


def pointer_resigned(case: Case) -> str:
    document = {**case.channel("pointers")[MODEL][2].document, "bundle": FIRST}
    case.channel("pointers")[MODEL][2] = pipeline().sign(document)
    return f"ledger entry {case.number(Event.ROLLED_BACK) - 1}"


def pointer_dated_anew(case: Case) -> str:
    document = {**case.channel("pointers")[MODEL][3].document, "published_at": "2005-09-02T12:00:00+00:00"}
    case.channel("pointers")[MODEL][3] = pipeline().sign(document)
    return f"ledger entry {case.number(Event.ROLLED_BACK)}"


def pointer_for_another_reason(case: Case) -> str:
    document = {**case.channel("pointers")[MODEL][3].document, "reason": "a rehearsal"}
    case.channel("pointers")[MODEL][3] = pipeline().sign(document)
    return f"ledger entry {case.number(Event.ROLLED_BACK)}"


def pointer_not_noted(case: Case) -> str:
    document = {**case.channel("pointers")[MODEL][3].document, "sequence": 4}
    case.channel("pointers")[MODEL][4] = pipeline().sign(document)
    return f"pointer 4 of {MODEL}"


def stop_removed(case: Case) -> str:
    case.channel("stops")[MODEL].pop(1)
    return f"stop 1 of {MODEL}"


def stop_resigned(case: Case) -> str:
    document = {**case.channel("stops")[MODEL][1].document, "stopped": False}
    case.channel("stops")[MODEL][1] = pipeline().sign(document)
    return f"ledger entry {case.number(Event.STOPPED)}"


def approval_removed(case: Case) -> str:
    case.channel("approvals")[FIRST].pop("validator")
    return f"ledger entry {case.number(Event.APPROVED)}"


def approval_edited(case: Case) -> str:
    signed = case.channel("approvals")[FIRST]["validator"]
    case.channel("approvals")[FIRST]["validator"] = replace(signed, document={**signed.document, "comment": "x"})
    return f"ledger entry {case.number(Event.APPROVED)}"


def approval_resigned(case: Case) -> str:
    document = {**case.channel("approvals")[FIRST]["validator"].document, "expires_at": "2099-01-01T00:00:00+00:00"}
    case.channel("approvals")[FIRST]["validator"] = validator().sign(document)
    return f"ledger entry {case.number(Event.APPROVED)}"


def bundle_edited(case: Case) -> str:
    case.channel("bundles")[FIRST]["model.onnx"] = b"another graph"
    return f"ledger entry {case.number(Event.REQUESTED)}"


def evidence_edited(case: Case) -> str:
    case.bank.dossiers.replaced[FIRST] = paper_evidence(FIRST) | {"recipe.json": b"{}"}
    return f"ledger entry {case.number(Event.REQUESTED)}"


@pytest.mark.parametrize(
    "tamper",
    [
        rewrite,
        remove,
        cut_off,
        cut_off_with_its_head,
        no_head,
        unattested,
        strangers_head,
        pointer_removed,
        pointer_edited,
        pointer_resigned,
        pointer_dated_anew,
        pointer_for_another_reason,
        pointer_not_noted,
        stop_removed,
        stop_resigned,
        approval_removed,
        approval_edited,
        approval_resigned,
        bundle_edited,
        evidence_edited,
    ],
)
def test_what_was_done_to_the_record_is_named_first(tamper: Callable[[Case], str]) -> None:
    case = Case()
    where = tamper(case)

    assert case.found()[0].where == where


def test_the_approvals_of_somebody_who_left_are_checked_with_the_key_that_the_ledger_remembers() -> None:
    case = Case()
    key = case.trust.keys[Duty.APPROVE]["second"]
    at = case.bank.clock.now()
    facts = {"name": "second", "key": key, "reason": "left the bank"}
    case.bank.ledger.append(Event.DISTRUSTED, model="", actor="admin", at=at, facts=facts)
    case.entries, case.heads = case.bank.ledger.entries(), case.bank.ledger.heads()
    staying = {name: key for name, key in case.trust.keys[Duty.APPROVE].items() if name != "second"}
    case.trust = Trust({**case.trust.keys, Duty.APPROVE: staying})

    assert case.found() == []


def test_a_head_of_an_earlier_day_holds_as_long_as_nothing_before_it_changed() -> None:
    case = Case()
    case.heads = [("old", case.entries[1].signed_head())]
    assert case.found() == []
    assert asdict(case.entries[0])["witness"] == witness().name
