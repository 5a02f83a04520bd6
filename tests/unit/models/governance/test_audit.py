"""What `make verify` finds: each way of tampering is named, and an untouched record has nothing to name."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

import pytest

from models.bundle import MANIFEST, sha256
from models.errors import Integrity
from models.governance import release
from models.governance.approval import DEMONSTRATION_APPROVER
from models.governance.audit import Records, audit
from models.governance.checking import sign_off
from models.governance.facts import _FACTS
from models.governance.ledger import Entry, Event
from models.governance.packs import note_pack
from models.governance.requests import request, requested
from models.governance.signers import signers
from models.governance.signing import Duty
from models.governance.stop import stop
from models.governance.verification import Finding
from tests.office import (
    MODEL,
    Bank,
    PaperDossiers,
    paper_bundle,
    paper_evidence,
    paper_evidence_digest,
    pipeline,
    second,
    signer,
    trust,
    validator,
    witness,
)

FIRST, SECOND = paper_bundle("first").digest, paper_bundle("second").digest


class Case:
    """A life in short: two promotions, a roll-back, a stop; and what can be done to its record."""

    def __init__(self) -> None:
        self.bank = Bank()
        for person in (validator(), second()):
            self.admission(Event.TRUSTED, person.name, person.public())
        release.promote(self.bank.office, MODEL, self.bank.ask("first"))
        sign_off(self.bank.office, second(), MODEL, FIRST, comment="me too")
        release.promote(self.bank.office, MODEL, self.bank.ask("second", "first"))
        release.roll_back(self.bank.office, MODEL, away_from=SECOND, asked_by="on-call", reason="too strict")
        stop(self.bank.office, MODEL, asked_by="on-call", reason="the feed is late")
        self.look_again()
        self.trust = trust()

    def admission(self, event: Event, name: str, key: str) -> None:
        """What `make trust` and `make distrust` write down."""
        facts = {"name": name, "key": key, "reason": "joined or left the bank"}
        self.bank.ledger.append(event, model="", actor="admin", at=self.bank.clock.now(), facts=facts)

    def approvers(self, **keys: str) -> None:
        """The trust file has these, whatever the ledger says."""
        self.trust = replace(self.trust, keys={**self.trust.keys, Duty.APPROVE: keys})

    def look_again(self) -> None:
        self.entries, self.heads = self.bank.ledger.entries(), self.bank.ledger.heads()

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


class Kept(PaperDossiers):
    """What training left of a bundle, and packs by their digest."""

    def __init__(self, packs: dict[str, dict[str, bytes]]) -> None:
        super().__init__()
        self.packs = packs

    def files(self, model: str, bundle: str, evidence: str = "") -> Mapping[str, bytes]:
        return self.packs.get(evidence) or super().files(model, bundle, evidence)


def with_a_pack(case: Case) -> str:
    """The first version is registered and asked for anew, with a pack beside what training left. The pack's digest."""
    pack = paper_evidence(FIRST, fairness="failed")
    digest, office = sha256(pack[MANIFEST]), case.bank.office
    case.bank.register(FIRST, digest, 5)
    request(office, replace(requested(office, MODEL, FIRST), evidence=digest))
    case.bank.dossiers = Kept({digest: pack})
    case.look_again()
    return digest


def test_evidence_that_training_left_is_checked_beside_a_pack_too() -> None:
    case = Case()
    pack = with_a_pack(case)
    assert case.found() == []

    where = evidence_edited(case)
    assert [finding.where for finding in case.found()] == [where]
    case.bank.dossiers = Kept({})
    assert [finding.where for finding in case.found()] == [f"ledger entry {len(case.entries)}"], f"the pack {pack} is gone"


def test_a_pack_that_is_gone_is_named_though_training_wrote_newer_evidence_of_the_bundle() -> None:
    case = Case()
    training, pack, anew = (paper_evidence(FIRST, fairness=verdict) for verdict in ("passed", "failed", "insufficient"))
    digest = sha256(pack[MANIFEST])
    named = {"bundle": FIRST, "pack": digest, "training": sha256(training[MANIFEST]), "writer": "release"}
    note_pack(case.bank.office, MODEL, "trainer", **named)
    place = f"ledger entry {len(case.bank.ledger.entries())}"
    with_a_pack(case)
    case.bank.register(FIRST, sha256(anew[MANIFEST]))
    case.bank.dossiers = Kept({digest: pack})
    case.bank.dossiers.replaced[FIRST] = anew
    case.look_again()
    assert case.found() == []

    case.bank.dossiers = Kept({})
    case.bank.dossiers.replaced[FIRST] = anew
    assert [finding.where for finding in case.found()] == [place]


def test_the_evidence_of_a_version_that_nobody_asked_for_is_checked() -> None:
    case = Case()
    refused = paper_bundle("refused")
    case.bank.channel.add_bundle(refused.digest, refused.files)
    case.bank.register(refused.digest, paper_evidence_digest(refused.digest))
    case.look_again()
    assert case.found() == []

    case.bank.dossiers.replaced[refused.digest] = paper_evidence(refused.digest) | {"recipe.json": b"{}"}
    assert [finding.where for finding in case.found()] == [f"ledger entry {len(case.entries)}"]


@pytest.mark.parametrize("tamper", [lambda files: files.pop("model.onnx"), lambda files: files.update({"model.onnx": b"x"})])
def test_the_bundle_of_a_version_that_nobody_asked_for_is_checked_too(tamper: Callable[[dict[str, bytes]], object]) -> None:
    case = Case()
    refused = paper_bundle("refused")
    case.bank.channel.add_bundle(refused.digest, refused.files)
    case.bank.register(refused.digest, paper_evidence_digest(refused.digest))
    case.look_again()

    tamper(case.channel("bundles")[refused.digest])
    assert [finding.where for finding in case.found()] == [f"ledger entry {len(case.entries)}"]
    case.channel("bundles").pop(refused.digest)
    assert [finding.where for finding in case.found()] == [f"ledger entry {len(case.entries)}"]


def test_evidence_that_training_the_same_bundle_again_wrote_anew_holds() -> None:
    case = Case()
    anew = paper_evidence(FIRST, fairness="failed")
    case.bank.dossiers.replaced[FIRST] = anew
    assert case.found() != []

    case.bank.register(FIRST, sha256(anew[MANIFEST]))
    case.look_again()
    assert case.found() == []


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


STRANGE: list[Any] = [{}, {"bundle": ["b"]}, {"bundle": 7, "sequence": "one"}]


@pytest.mark.timeout(20)
def test_a_file_under_a_high_number_is_named_at_once_with_the_gap_before_it() -> None:
    case = Case()
    for kind in ("pointers", "stops"):
        case.channel(kind)[MODEL][90_000_000] = validator().sign({"model": MODEL})
    assert [finding.where for finding in case.found()] == [
        f"pointers 4 to 89999999 of {MODEL}",
        f"pointer 90000000 of {MODEL}",
        f"stops 2 to 89999999 of {MODEL}",
        f"stop 90000000 of {MODEL}",
    ]


@pytest.mark.parametrize("facts", [*STRANGE, []])
@pytest.mark.parametrize("event", sorted(_FACTS))
def test_what_nobody_attested_is_not_interpreted(event: Event, facts: Any) -> None:
    case = Case()
    forged = Entry(99, event, MODEL, "mallory", case.entries[-1].recorded_at, facts, "", witness="ledger", attestation="x")
    case.entries = rechained([*case.entries, forged])

    assert [finding.where for finding in case.found()] == [f"ledger entry {len(case.entries)}"]


@pytest.mark.parametrize("facts", STRANGE)
@pytest.mark.parametrize("event", sorted(_FACTS))
def test_an_attested_entry_that_says_nothing_readable_is_named(event: Event, facts: Any) -> None:
    case = Case()
    case.bank.ledger.append(event, model=MODEL, actor="pipeline", at=case.bank.clock.now(), facts=facts)
    case.look_again()

    (found,) = case.found()
    assert found.where == f"ledger entry {len(case.entries)}"
    assert "cannot be read" in found.problem


@pytest.mark.parametrize("document", [{}, {"number": "six", "chain": ""}, {"number": -1, "chain": ""}, {"number": 1, "chain": 5}])
def test_a_signed_document_that_is_no_head_is_refused(document: dict[str, Any]) -> None:
    case = Case()
    case.heads = [("beside", witness().sign(document))]
    with pytest.raises(Integrity, match="beside is no head of a ledger"):
        case.found()


def test_the_approvals_of_somebody_who_left_are_checked_with_the_key_that_the_ledger_remembers() -> None:
    case = Case()
    key = case.trust.keys[Duty.APPROVE]["second"]
    case.admission(Event.DISTRUSTED, "second", key)
    case.look_again()
    case.approvers(validator=validator().public())

    assert case.found() == []


def test_an_approver_whom_only_the_trust_file_knows_is_named() -> None:
    case = Case()
    keys = dict(case.trust.keys[Duty.APPROVE])
    mallory = signer("mallory", Duty.APPROVE).public()
    case.approvers(**keys, mallory=mallory)
    assert ["mallory may approve" in finding.problem for finding in case.found()] == [True]

    case.admission(Event.TRUSTED, "mallory", mallory)
    case.look_again()
    assert case.found() == []


def test_a_renamed_a_replaced_and_a_missing_approver_are_named() -> None:
    case = Case()
    ana = signer("ana", Duty.APPROVE).public()
    case.admission(Event.TRUSTED, "ana", ana)
    case.look_again()
    keys = {"validator": validator().public(), "second": second().public()}

    case.approvers(**keys, eve=ana)
    assert [finding.problem.split()[0] for finding in case.found()] == ["eve", "ana"]
    case.approvers(**keys, ana=signer("mallory", Duty.APPROVE).public())
    assert [finding.problem for finding in case.found()] == ["the key of ana is not the one that was admitted"]
    case.approvers(**keys)
    assert [finding.where for finding in case.found()] == ["trust file"]


def test_a_publisher_or_witness_whom_nobody_noted_is_named_until_a_person_answers_for_it() -> None:
    case = Case()
    mallory, own = signer("mallory", Duty.PUBLISH).public(), case.trust.keys[Duty.PUBLISH]
    for keys, said in (
        ({**own, "mallory": mallory}, "'mallory' may publish, and nobody noted that key"),
        ({"pipeline": mallory}, "the key of 'pipeline', who may publish, is not the one that was noted"),
        ({}, "'pipeline' was noted to publish and is gone"),
    ):
        case.trust = replace(trust(), keys={**trust().keys, Duty.PUBLISH: keys})
        assert said in [finding.problem for finding in case.found()]
    case.trust = replace(trust(), keys={**trust().keys, Duty.ATTEST: {**trust().keys[Duty.ATTEST], "eve": mallory}})
    assert [finding.problem for finding in case.found()] == ["'eve' may attest, and nobody noted that key"]
    case.trust = replace(trust(), keys={**trust().keys, Duty.DELIVER: {"elsewhere": mallory}})
    assert [finding.problem for finding in case.found()] == ["'elsewhere' may deliver, and nobody noted that key"]

    case.bank.register(FIRST, paper_evidence_digest(FIRST), 9)
    case.look_again()
    assert [finding.where for finding in case.found()] == ["trust file"], "a training notes nothing anew"
    case.bank.office.note(Event.SIGNERS_NOTED, "", "admin", signers(case.trust))
    case.look_again()
    assert case.found() == []


def test_the_demonstration_approver_needs_no_admission() -> None:
    case = Case()
    case.approvers(**case.trust.keys[Duty.APPROVE], **{DEMONSTRATION_APPROVER: signer("demo", Duty.APPROVE).public()})
    assert case.found() == []


def test_a_head_of_an_earlier_day_holds_as_long_as_nothing_before_it_changed() -> None:
    case = Case()
    case.heads = [("old", case.entries[1].signed_head())]
    assert case.found() == []
    assert asdict(case.entries[0])["witness"] == witness().name
