"""A gate that the evidence did not pass blocks a promotion until everybody who signs accepts it by name, in writing."""

from functools import partial

import pytest

from models.bundle import MANIFEST, canonical, sha256
from models.credit_default import USE_CASE
from models.errors import Held, NotApproved
from models.governance import release
from models.governance.acceptance import FOR_DEMONSTRATION
from models.governance.approval import WATERMARK, Approval, approve
from models.governance.checking import sign_off
from models.governance.dossier import FIGURES, open_gates
from models.governance.inbox import waiting
from models.governance.inventory import OVERSIGHT, Inventory, PurposeClass
from models.governance.ledger import Event
from models.governance.requests import Request, request
from tests.office import MODEL, NOON, Bank, paper_bundle, paper_evidence, paper_figures, second, validator

FAILED = {"fairness": "failed", "fairness.impact_ratio": "failed", "fairness.proxy_auc": "insufficient", "auc": "passed"}
GATES = ("fairness: failed", "fairness.impact_ratio: failed", "fairness.proxy_auc: insufficient")
WHY = "the line is raised again after a review by a person"
SUPPORT = canonical(
    Inventory(**USE_CASE.inventory.model_dump() | {"purpose_class": PurposeClass.SUPPORT}).model_dump(mode="json")
)


def asked(bank: Bank, files: dict[str, bytes] | None = None, **changes: bytes) -> str:
    """A requested bundle with this evidence; with the failed gates above if nothing is said."""
    bundle = paper_bundle("first", **changes)
    found = paper_evidence(bundle.digest, **FAILED) if files is None else resealed(bundle.digest, files)
    evidence = sha256(found[MANIFEST])
    bank.dossiers.replaced[bundle.digest] = found
    bank.channel.add_bundle(bundle.digest, bundle.files)
    bank.register(bundle.digest, evidence)
    request(bank.office, Request(MODEL, 1, bundle.digest, evidence, "trainer", "", "better"))
    return bundle.digest


def resealed(bundle: str, files: dict[str, bytes]) -> dict[str, bytes]:
    digests = {name: sha256(data) for name, data in files.items()}
    return files | {MANIFEST: canonical({"bundle": bundle, "files": digests})}


def people() -> Bank:
    return Bank(local=False)


@pytest.mark.parametrize("acceptance", ["", "  ", "trust me"])
def test_a_failed_gate_is_not_approved_without_a_written_acceptance(acceptance: str) -> None:
    bank = people()
    digest = asked(bank)

    with pytest.raises(NotApproved, match=", ".join(GATES)) as refused:
        sign_off(bank.office, validator(), MODEL, digest, comment="I read all of it", acceptance=acceptance)

    assert "ACCEPT" in refused.value.hint
    assert bank.channel.approvals(digest) == ()
    with pytest.raises(Held, match=r"must be accepted in writing: fairness: failed, fairness\.impact_ratio: failed"):
        release.promote(bank.office, MODEL, digest)


def test_the_signed_document_names_the_gates_and_the_reason_and_so_does_the_ledger() -> None:
    bank = people()
    digest = asked(bank)

    sign_off(bank.office, validator(), MODEL, digest, comment="read", acceptance=WHY)
    release.promote(bank.office, MODEL, digest)

    (signed,) = bank.channel.approvals(digest)
    (entry,) = bank.office.noted(Event.APPROVED, MODEL, digest)
    for said in (signed.document, entry.facts):
        assert (said["accepted"], said["acceptance"]) == (list(GATES), WHY)
    assert bank.served() == digest


@pytest.mark.parametrize("accepted", [(), GATES[:1], (*GATES[:2], "fairness.proxy_auc: failed")])
def test_a_signature_past_the_rules_that_names_other_gates_counts_for_nothing(accepted: tuple[str, ...]) -> None:
    bank = people()
    digest = asked(bank)
    evidence = sha256(bank.dossiers.files(MODEL, digest)[MANIFEST])
    signed = partial(approve, validator(), model=MODEL, bundle=digest, evidence=evidence, trainer="trainer", now=NOON, comment="")
    bank.channel.add_approval(digest, signed(accepted=accepted, acceptance=WHY))

    with pytest.raises(Held, match="1 more approver"):
        release.promote(bank.office, MODEL, digest)
    bank.channel.add_approval(digest, signed(accepted=GATES))
    with pytest.raises(Held, match="1 more approver"):
        release.promote(bank.office, MODEL, digest)
    bank.channel.add_approval(digest, signed(accepted=GATES, acceptance=WHY))
    release.promote(bank.office, MODEL, digest)


def test_everybody_who_signs_accepts_the_same_gates() -> None:
    bank = people()
    digest = asked(bank)
    sign_off(bank.office, validator(), MODEL, digest, comment="read", acceptance=WHY)
    evidence = sha256(bank.dossiers.files(MODEL, digest)[MANIFEST])
    silent = approve(second(), model=MODEL, bundle=digest, evidence=evidence, trainer="trainer", now=NOON, comment="")
    bank.channel.add_approval(digest, silent)

    (wish,) = waiting(bank.office, MODEL, "")
    assert [approval.approver for approval in wish.approvals] == ["validator"]
    assert wish.gates == GATES


def test_the_demonstration_accepts_for_demonstration_only_and_says_so() -> None:
    bank = Bank()
    digest = asked(bank)
    release.promote(bank.office, MODEL, digest)

    (signed,) = bank.channel.approvals(digest)
    approval = Approval.read(signed.document)
    assert (approval.accepted, approval.acceptance, approval.watermark) == (GATES, FOR_DEMONSTRATION, WATERMARK)


def test_without_a_pack_fairness_was_not_judged_and_that_too_must_be_accepted() -> None:
    bank = Bank()
    trained = dict.fromkeys(OVERSIGHT[2].evidence, b"{}")
    digest = asked(bank, trained)

    release.promote(bank.office, MODEL, digest)
    (signed,) = bank.channel.approvals(digest)
    assert signed.document["accepted"] == ["fairness: not judged"]
    with pytest.raises(NotApproved, match="fairness: not judged"):
        sign_off(bank.office, second(), MODEL, digest, comment="fine")


def test_a_tier_that_asks_for_no_pack_asks_for_no_acceptance_but_an_open_gate_in_one_stays_open() -> None:
    bank = people()
    trained = dict.fromkeys(OVERSIGHT[3].evidence, b"{}")
    digest = asked(bank, trained, inventory=SUPPORT)
    assert sign_off(bank.office, validator(), MODEL, digest, comment="").accepted == ()

    asked(bank, trained | {FIGURES: paper_figures(fairness="failed")}, inventory=SUPPORT)
    with pytest.raises(NotApproved, match="fairness: failed"):
        sign_off(bank.office, validator(), MODEL, digest, comment="")


@pytest.mark.parametrize("verdict", ["failed", "insufficient", "", "a verdict of another release"])
def test_only_a_pass_is_a_pass(verdict: str) -> None:
    assert open_gates({FIGURES: paper_figures(fairness="passed", auc=verdict)}) == (f"auc: {verdict}",)


def test_one_figure_that_failed_keeps_its_gate_open() -> None:
    figures = [{"gate": "fairness", "verdict": verdict} for verdict in ("passed", "failed", "passed", "binding", "reported")]
    assert open_gates({FIGURES: canonical({"figures": figures})}) == ("fairness: failed",)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"figures": [{"gate": "auc"}]}'])
def test_a_list_of_figures_that_cannot_be_read_passes_nothing(data: bytes) -> None:
    with pytest.raises(NotApproved, match="cannot be read"):
        open_gates({FIGURES: data})


def test_what_was_signed_without_gates_to_accept_reads_as_before() -> None:
    signed = approve(validator(), model=MODEL, bundle="b", evidence="e", trainer="trainer", now=NOON, comment="")
    old = {name: value for name, value in signed.document.items() if not name.startswith("accept")}
    assert Approval.read(old) == Approval.read(signed.document)
