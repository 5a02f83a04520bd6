"""What a checker signs, refuses and answers for; and what no signature can bring into force."""

from datetime import timedelta

import pytest

from models.bundle import MANIFEST, canonical, sha256
from models.channel import approvers_needed, verified
from models.credit_default import USE_CASE
from models.errors import Conflict, Held, Integrity, NotApproved, NotFound
from models.governance import release
from models.governance.checking import ensure_approved, override, reject, sign_off
from models.governance.inbox import waiting
from models.governance.inventory import OVERSIGHT, Inventory, PurposeClass
from models.governance.ledger import Event
from models.governance.requests import Request, request, requested
from models.governance.signing import Duty
from pipelines.promotion import keep, register
from tests.fakes.channel import FakeChannel
from tests.office import MODEL, NOON, Bank, candidate, paper_bundle, paper_evidence, second, signer, validator

STRICTER = b'{"cut_off":0.1}'
GRAVEST = canonical(
    Inventory(**USE_CASE.inventory.model_dump() | {"purpose_class": PurposeClass.REPORTING}).model_dump(mode="json")
)


def people() -> Bank:
    """No demonstration: only people approve."""
    return Bank(local=False)


def refused_by_the_gate(bank: Bank, content: str, **changes: bytes) -> str:
    """A registered candidate that the gate turned down."""
    made = candidate(content, **changes)
    register(bank.desk, made)
    keep(bank.desk, MODEL, bundle=made.bundle.digest, as_of=NOON.date(), actor="trainer", reason="AUC below the floor")
    return made.bundle.digest


def approved(bank: Bank, digest: str) -> str:
    sign_off(bank.office, validator(), MODEL, digest, comment="I read the evidence")
    return digest


# the evidence


@pytest.mark.parametrize("when", ["before the approval", "after it"])
@pytest.mark.parametrize("what", ["changed", "removed", "added", "resealed"])
def test_one_byte_of_the_evidence_voids_what_was_approved(what: str, when: str) -> None:
    bank = people()
    digest = bank.ask("first")
    files = paper_evidence(digest)
    changed = {
        "changed": files | {"assessment.json": files["assessment.json"] + b" "},
        "removed": {name: data for name, data in files.items() if name != "recipe.json"},
        "added": files | {"more.json": b"{}"},
        "resealed": resealed(digest, files | {"assessment.json": b"better figures"}),
    }[what]

    if when == "before the approval":
        bank.dossiers.replaced[digest] = changed
        with pytest.raises(NotApproved, match="evidence"):
            approved(bank, digest)
        assert bank.channel.approvals(digest) == ()
    else:
        approved(bank, digest)
        bank.dossiers.replaced[digest] = changed
    with pytest.raises(NotApproved, match="evidence"):
        release.promote(bank.office, MODEL, digest)
    assert release.champion(bank.office, MODEL) == ""


def resealed(bundle: str, files: dict[str, bytes]) -> dict[str, bytes]:
    contents = {name: data for name, data in files.items() if name != MANIFEST}
    digests = {name: sha256(data) for name, data in contents.items()}
    return contents | {MANIFEST: canonical({"bundle": bundle, "files": digests})}


def test_no_evidence_is_no_approval_even_in_the_local_profile() -> None:
    bank = Bank()
    digest = bank.ask("first")
    bank.dossiers.replaced[digest] = {}

    with pytest.raises(NotApproved, match="no sealed evidence"):
        release.promote(bank.office, MODEL, digest)


def test_evidence_that_lacks_what_the_tier_demands_is_not_enough() -> None:
    bank = people()
    bundle = paper_bundle("first")
    bank.channel.add_bundle(bundle.digest, bundle.files)
    files = resealed(bundle.digest, {"recipe.json": b"{}"})
    bank.dossiers.replaced[bundle.digest] = files
    request(bank.office, Request(MODEL, 1, bundle.digest, sha256(files[MANIFEST]), "trainer", "", "better"))

    with pytest.raises(NotApproved, match=r"lacks assessment\.json"):
        approved(bank, bundle.digest)


def test_where_people_approve_they_must_have_been_able_to_read_the_evidence_pack() -> None:
    bank = people()
    bundle = paper_bundle("first")
    bank.channel.add_bundle(bundle.digest, bundle.files)
    trained = {name: data for name, data in paper_evidence(bundle.digest).items() if name not in OVERSIGHT[2].pack}
    files = resealed(bundle.digest, trained)
    bank.dossiers.replaced[bundle.digest] = files
    bank.register(bundle.digest, sha256(files[MANIFEST]))
    request(bank.office, Request(MODEL, 1, bundle.digest, sha256(files[MANIFEST]), "trainer", "", "better"))

    with pytest.raises(Held, match="waits for its evidence pack"):
        release.promote(bank.office, MODEL, bundle.digest)
    with pytest.raises(NotApproved, match=r"lacks .*index\.html") as unbuilt:
        approved(bank, bundle.digest)
    assert "make evidence VERSION=1;" in str(unbuilt.value.hint)

    bank.dossiers.replaced[bundle.digest] = {name: data for name, data in files.items() if name != "assessment.json"}
    with pytest.raises(NotApproved, match=r"lacks assessment\.json\n") as gone:
        approved(bank, bundle.digest)
    assert "restore the folder" in str(gone.value.hint)


def test_evidence_of_another_bundle_is_none() -> None:
    bank = people()
    digest = bank.ask("first")
    bank.dossiers.replaced[digest] = paper_evidence(paper_bundle("second").digest)

    with pytest.raises(NotApproved, match="is of bundle"):
        approved(bank, digest)


# how many sign


def test_a_model_of_the_first_tier_waits_for_two_people() -> None:
    bank = people()
    digest = approved(bank, bank.ask("first", inventory=GRAVEST))

    with pytest.raises(Held, match="version 5: 1 more approver"):
        release.promote(bank.office, MODEL, digest)
    sign_off(bank.office, second(), MODEL, digest, comment="so did I")
    release.promote(bank.office, MODEL, digest)

    assert bank.served() == digest


def test_in_the_local_profile_the_demonstration_is_one_signature_and_not_two() -> None:
    bank = Bank()

    with pytest.raises(Held, match="1 more approver"):
        release.promote(bank.office, MODEL, bank.ask("first", inventory=GRAVEST))


def test_an_incomplete_inventory_is_neither_approved_nor_promoted() -> None:
    bank = Bank()
    nobody = canonical({**USE_CASE.inventory.model_dump(mode="json"), "owner": ""})

    with pytest.raises(NotApproved, match="leaves out: owner"):
        release.promote(bank.office, MODEL, bank.ask("first", inventory=nobody))


# a policy edited after results were seen


def test_an_edited_threshold_is_recorded_field_by_field_and_needs_two_people() -> None:
    bank = Bank()
    release.promote(bank.office, MODEL, bank.ask("first"))
    digest = bank.ask("second", "first", policy=STRICTER)

    with pytest.raises(Held, match="2 more approvers, because the policy was edited after results were seen: cut_off"):
        release.promote(bank.office, MODEL, digest)
    changed = bank.office.noted(Event.POLICY_CHANGED, MODEL, digest)[-1]
    assert changed.facts["changes"] == {"cut_off": [0.2, 0.1]}
    assert changed.facts["before"] == paper_bundle("first").digest

    approved(bank, digest)
    with pytest.raises(Held, match="1 more approver"):
        release.promote(bank.office, MODEL, digest)
    sign_off(bank.office, second(), MODEL, digest, comment="the costs have changed, I saw the sheet")
    release.promote(bank.office, MODEL, digest)
    assert bank.served() == digest


def test_without_a_champion_the_policy_of_a_candidate_that_was_refused_is_the_measure() -> None:
    """Nobody lowers a floor until the candidate passes without a second person seeing it."""
    bank = Bank()
    refused_by_the_gate(bank, "first")
    lenient = candidate("second", policy=STRICTER)
    register(bank.desk, lenient)
    request(bank.office, Request(MODEL, 2, lenient.bundle.digest, lenient.evidence, "trainer", "", "passes now"))

    with pytest.raises(Held, match="the policy was edited"):
        release.promote(bank.office, MODEL, lenient.bundle.digest)
    approval = sign_off(bank.office, validator(), MODEL, lenient.bundle.digest, comment="seen")
    assert approval.needed == 2


def asked(bank: Bank, content: str, version: int, **changes: bytes) -> str:
    """Registered and asked for, with no champion to compare with."""
    made = candidate(content, **changes)
    register(bank.desk, made)
    request(bank.office, Request(MODEL, version, made.bundle.digest, made.evidence, "trainer", "", "passes now"))
    return made.bundle.digest


def test_an_edit_hidden_behind_a_second_refused_candidate_is_seen() -> None:
    bank = Bank()
    refused_by_the_gate(bank, "first")
    refused_by_the_gate(bank, "second", policy=STRICTER)
    asked(bank, "third", 3, policy=STRICTER)

    with pytest.raises(Held, match="2 more approvers, because the policy was edited"):
        release.promote(bank.office, MODEL, candidate("third", policy=STRICTER).bundle.digest)


def deleted(bank: Bank, digest: str) -> None:
    """What somebody with access to the channel's storage can do."""
    assert isinstance(bank.channel, FakeChannel)
    bank.channel.remove_bundle(digest)


def test_deleting_the_bundle_of_a_refused_version_hides_no_edit() -> None:
    bank = Bank()
    deleted(bank, refused_by_the_gate(bank, "first"))
    lenient = candidate("second", policy=STRICTER)
    register(bank.desk, lenient)

    with pytest.raises(Integrity, match="whose results were seen, is not in the release channel"):
        request(bank.office, Request(MODEL, 2, lenient.bundle.digest, lenient.evidence, "trainer", "", "passes now"))


def test_deleting_it_after_the_edit_was_noted_changes_nothing() -> None:
    bank = Bank()
    refused = refused_by_the_gate(bank, "first")
    lenient = asked(bank, "second", 2, policy=STRICTER)
    deleted(bank, refused)

    with pytest.raises((Held, Integrity)):
        release.promote(bank.office, MODEL, lenient)
    assert not bank.channel.pointers(MODEL)


def test_a_noted_edit_counts_although_the_ledger_of_before_noted_no_yardstick_and_the_bundles_agree() -> None:
    bank = Bank()
    lenient = asked(bank, "first", 1, policy=STRICTER)
    facts = {"bundle": lenient, "before": "b" * 64, "changes": {"cut_off": [0.2, 0.1]}}
    bank.office.note(Event.POLICY_CHANGED, MODEL, "trainer", facts)

    with pytest.raises(Held, match="2 more approvers"):
        release.promote(bank.office, MODEL, lenient)


def test_a_refused_version_with_the_same_policy_may_be_gone() -> None:
    bank = Bank()
    deleted(bank, refused_by_the_gate(bank, "first"))

    release.promote(bank.office, MODEL, asked(bank, "second", 2))


def test_a_lowered_exposure_is_recorded_and_needs_two_people() -> None:
    """Less exposure may mean a milder tier: it is as good as an edited threshold."""
    bank = Bank()
    release.promote(bank.office, MODEL, bank.ask("first"))
    small = USE_CASE.inventory.exposure.model_copy(update={"amount": 2e9})
    milder = canonical(USE_CASE.inventory.model_copy(update={"exposure": small}).model_dump(mode="json"))
    digest = bank.ask("second", "first", inventory=milder)

    with pytest.raises(Held, match=r"because the inventory was edited after results were seen: inventory\.exposure\.amount"):
        release.promote(bank.office, MODEL, digest)
    changed = bank.office.noted(Event.POLICY_CHANGED, MODEL, digest)[-1]
    assert changed.facts["changes"] == {"inventory.exposure.amount": [5_024_529_680, 2e9]}
    for who in (validator(), second()):
        sign_off(bank.office, who, MODEL, digest, comment="the book was sold, I saw the papers")
    release.promote(bank.office, MODEL, digest)
    assert approvers_needed(bank.channel, verified(bank.channel, MODEL, digest), paper_bundle("first").digest) == 2


def test_the_same_policy_asks_for_nothing_more() -> None:
    bank = Bank()
    release.promote(bank.office, MODEL, bank.ask("first"))
    release.promote(bank.office, MODEL, bank.ask("second", "first"))

    assert Event.POLICY_CHANGED not in bank.events()


# no, and in spite of the gate


def test_what_a_checker_rejected_is_promoted_only_after_a_later_approval() -> None:
    bank = Bank()
    digest = approved(bank, bank.ask("first"))
    bank.clock.set(NOON + timedelta(hours=1))
    reject(bank.office, second(), MODEL, digest, reason="the segment of young accounts is worse")

    with pytest.raises(Held, match="the bundle was rejected: the segment of young accounts is worse"):
        release.promote(bank.office, MODEL, digest)
    bank.clock.set(NOON + timedelta(hours=2))
    approved(bank, digest)
    release.promote(bank.office, MODEL, digest)
    assert bank.served() == digest


def test_what_is_in_force_is_not_rejected_but_rolled_back_or_stopped() -> None:
    bank = Bank()
    digest = bank.ask("first")
    release.promote(bank.office, MODEL, digest)

    with pytest.raises(Conflict, match="is in force") as refused:
        reject(bank.office, validator(), MODEL, digest, reason="it is too strict")

    assert all(way in refused.value.hint for way in ("rollback", "stop", "distrust"))
    assert Event.REJECTED not in bank.events()


def test_what_the_gate_refused_comes_into_force_by_two_approvers_and_a_written_reason() -> None:
    bank = Bank()
    digest = refused_by_the_gate(bank, "first")
    why = "the floor was set for another portfolio"

    override(bank.office, validator(), MODEL, digest, compared_with="", reason=why)
    with pytest.raises(Held, match=f"validator asked to override the gate: {why}"):
        release.promote(bank.office, MODEL, digest)
    with pytest.raises(NotApproved, match="asked for this override"):
        approved(bank, digest)
    sign_off(bank.office, second(), MODEL, digest, comment="agreed")
    pointer = release.promote(bank.office, MODEL, digest)

    assert bank.served() == digest
    assert why in pointer.reason
    assert [entry.facts["reason"] for entry in bank.office.noted(Event.OVERRIDE_REQUESTED, MODEL, digest)] == [why]


def test_without_an_override_a_refused_candidate_cannot_even_be_approved() -> None:
    bank = people()
    digest = refused_by_the_gate(bank, "first")

    with pytest.raises(NotFound, match="nobody asked"):
        approved(bank, digest)
    with pytest.raises(NotFound, match="nobody asked"):
        release.promote(bank.office, MODEL, digest)


@pytest.mark.parametrize("reason", ["", "  ", "trust me"])
def test_an_override_without_a_written_reason_is_none(reason: str) -> None:
    bank = people()

    with pytest.raises(NotApproved, match="is no reason"):
        override(bank.office, validator(), MODEL, refused_by_the_gate(bank, "first"), compared_with="", reason=reason)


def test_an_override_is_for_what_the_gate_refused_by_somebody_trusted_who_did_not_train_it() -> None:
    bank = people()
    passed = bank.ask("passed")
    digest, why = refused_by_the_gate(bank, "refused"), "the floor does not fit here"

    with pytest.raises(Conflict, match="did not refuse"):
        override(bank.office, validator(), MODEL, passed, compared_with="", reason=why)
    for name, said in (("trainer", "trained this model"), ("mallory", "not trusted")):
        with pytest.raises(NotApproved, match=said):
            override(bank.office, signer(name, Duty.APPROVE), MODEL, digest, compared_with="", reason=why)
    assert bank.office.noted(Event.OVERRIDE_REQUESTED, MODEL, digest) == []


def test_an_override_that_its_requester_never_signed_is_refused() -> None:
    bank = people()
    digest = refused_by_the_gate(bank, "first")
    evidence = candidate("first").evidence
    forged = Request(MODEL, 1, digest, evidence, "trainer", "", "better", override="says who", requester="validator")
    request(bank.office, forged)
    sign_off(bank.office, second(), MODEL, digest, comment="fine")

    with pytest.raises(NotApproved, match="nobody signed the override"):
        ensure_approved(bank.office, requested(bank.office, MODEL, digest))


# the inbox


def test_the_inbox_shows_what_waits_with_conditions_and_what_is_stale() -> None:
    bank = people()
    first = bank.ask("first")
    sign_off(bank.office, validator(), MODEL, first, comment="fine", conditions="report on young accounts every month")
    bank.ask("late")
    (wish, _) = waiting(bank.office, MODEL, release.champion(bank.office, MODEL))

    assert (wish.needed, wish.approvals[0].conditions) == (1, "report on young accounts every month")
    assert wish.place.endswith(first[:12])
    release.promote(bank.office, MODEL, first)
    (late,) = waiting(bank.office, MODEL, release.champion(bank.office, MODEL))
    assert late.stale
    reject(bank.office, validator(), MODEL, late.wanted.bundle, reason="compared with an older champion")
    assert waiting(bank.office, MODEL, first) == []
