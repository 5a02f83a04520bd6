"""What people do in the console, over HTTP: each act by its rules, by who may, from a form of ours, and in the ledger."""

import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient

from models.adapters.user_files import UserFiles
from models.governance.access import Person, Role
from models.governance.checking import draft_approval, sign_off
from models.governance.ledger import Event
from models.governance.release import promote
from models.governance.stop import newest, stop
from models.governance.users import make
from models.governance.waivers import waive
from monitoring.adapters.runbook_folder import RunbookFolder
from monitoring.wiring import RUNBOOKS
from tests.alerting import an_alert
from tests.consoles import ADA, TOKEN, client, hidden, looking, send
from tests.office import MODEL, Bank, paper_evidence, second, trust, validator

pytestmark = pytest.mark.integration

OFFERED = re.compile(r'<textarea hidden name="document"[^>]*>(.*?)</textarea>', re.DOTALL)


@pytest.fixture
def bank() -> Bank:
    return Bank()


def served(bank: Bank, tmp_path: Path, person: Person = ADA) -> TestClient:
    sources = looking(office=lambda: bank.office, channel=bank.channel, ledger=bank.ledger, trust=trust, clock=bank.clock)
    return client(tmp_path, person=person, sources=sources)


def in_force(bank: Bank, *contents: str) -> str:
    """Requests, each promoted after the other; the digest of the last."""
    before, digest = "", ""
    for content in contents:
        digest = bank.ask(content, before)
        promote(bank.office, MODEL, digest)
        before = content
    return digest


def page_of(bundle: str) -> str:
    return f"/models/{MODEL}/requests/{bundle[:12]}"


def last(bank: Bank, event: Event) -> tuple[str, dict[str, object]]:
    entry = next(entry for entry in reversed(bank.ledger.entries(MODEL)) if entry.event is event)
    return entry.actor, dict(entry.facts)


def test_what_waits_is_in_the_inbox_with_its_evidence_and_what_was_not_passed(bank: Bank, tmp_path: Path) -> None:
    bundle = bank.ask("first")
    bank.dossiers.replaced[bundle] = paper_evidence(bundle, fairness="failed")
    asked = served(bank, tmp_path)
    inbox, page = asked.get("/approvals").text, asked.get(page_of(bundle)).text
    assert page_of(bundle) in inbox
    assert "0 of 1 signatures" in inbox
    for said in ("first is better", "fairness: failed", "make evidence VERSION=5", "Signatures: 0 of 1"):
        assert said in page


def test_the_demonstration_approver_signs_at_a_person_s_word_and_the_ledger_names_both(bank: Bank, tmp_path: Path) -> None:
    bundle = bank.ask("first")
    asked = served(bank, tmp_path)
    answer = send(asked, page_of(bundle), f"{page_of(bundle)}/approve", comment="read and sound", how="demonstration")
    assert "Your approval is recorded" in answer.text
    signer, facts = last(bank, Event.APPROVED)
    assert (signer, facts["asked_by"], facts["comment"]) == ("validator", "ada", "read and sound")
    assert str(facts["watermark"]).startswith("DEMONSTRATION ONLY")
    send(asked, page_of(bundle), f"{page_of(bundle)}/promote")
    assert last(bank, Event.PROMOTED)[0] == "ada"
    assert bank.served() == bundle
    assert bank.events().count(Event.APPROVED) == 1  # promoting writes it down no second time


def test_what_was_not_tried_first_is_shown_so_and_is_not_brought_into_force(bank: Bank, tmp_path: Path) -> None:
    in_force(bank, "first")
    bundle = bank.ask("second", "first")
    bank.local, bank.canaries = False, True
    sign_off(bank.office, validator(), MODEL, bundle, comment="read it")
    asked = served(bank, tmp_path)
    assert "Before it is promoted: it was not tried as a canary" in asked.get("/approvals").text
    page = asked.get(page_of(bundle)).text
    assert "make canary CHALLENGER=6" in page
    assert f"make waive-canary BUNDLE={bundle[:12]}" in page
    assert "Bring version 6 into force" not in page
    assert send(asked, page_of(bundle), f"{page_of(bundle)}/promote").status_code == 409

    for approver in (validator(), second()):
        waive(bank.office, approver, MODEL, bundle, reason="there is no time for one")
    page = asked.get(page_of(bundle)).text
    assert "Without a canary that passed; for that answer validator: there is no time for one" in page
    assert "Bring version 6 into force" in page
    assert "canary waived" in asked.get("/approvals").text.lower()


def test_where_people_approve_the_page_hands_out_what_is_signed_and_takes_the_signature(bank: Bank, tmp_path: Path) -> None:
    bank.local = False
    bundle, person = bank.ask("first"), Person("validator", frozenset({Role.APPROVER}))
    asked = served(bank, tmp_path, person)
    assert "demonstration" not in asked.get(page_of(bundle)).text
    offered = send(asked, page_of(bundle), f"{page_of(bundle)}/approve", comment="read and sound", how="own").text
    assert "make sign DOCUMENT=approval-" in offered
    document = _offered(offered)
    download = re.search(r'href="data:application/json;charset=utf-8,([^"]+)"', offered)
    assert download
    assert unquote(download[1]) == document
    text = validator().sign(_read(document)).signature
    token = TOKEN.search(offered)
    assert token
    fields = {"token": token[1], "kind": "approval", "approver": "validator", "document": document, "signature": text}
    assert "Your approval is recorded" in asked.post(f"{page_of(bundle)}/signed", data=fields).text
    assert last(bank, Event.APPROVED)[0] == "validator"


def test_nobody_hands_in_a_signature_in_another_name_than_their_own(bank: Bank, tmp_path: Path) -> None:
    """Where people sign in, the field that names the signer is not asked."""
    bank.local = False
    bundle, person = bank.ask("first"), Person("eve", frozenset({Role.APPROVER}))
    sources = looking(office=lambda: bank.office, channel=bank.channel, ledger=bank.ledger, trust=trust, clock=bank.clock)
    asked = client(tmp_path, person=person, sources=sources)
    document = _offered(send(asked, page_of(bundle), f"{page_of(bundle)}/approve", comment="read and sound", how="own").text)
    text = validator().sign(_read(document)).signature
    fields = {"kind": "approval", "document": document, "signature": text}
    answer = send(asked, page_of(bundle), f"{page_of(bundle)}/signed", **fields)
    assert answer.status_code == 409
    assert "not trusted" in answer.text
    assert Event.APPROVED not in bank.events()


def test_who_is_signed_in_hands_in_no_signature_of_somebody_else(bank: Bank, tmp_path: Path) -> None:
    """Not even a good one: the name in the form counts only where nobody signs in."""
    bank.local = False
    bundle = bank.ask("first")
    _, password = make(UserFiles(tmp_path / "keys"), bank.ledger, bank.clock, "eve", ["approver"], by="ben", reason="for a test")
    sources = looking(office=lambda: bank.office, channel=bank.channel, ledger=bank.ledger, trust=trust, clock=bank.clock)
    asked = client(tmp_path, person=None, sources=sources)
    send(asked, "/sign-in", "/sign-in", name="eve", password=password)
    document = draft_approval(bank.office, "validator", MODEL, bundle, comment="read and sound")
    signed = {"kind": "approval", "document": json.dumps(document), "signature": validator().sign(document).signature}
    answer = send(asked, page_of(bundle), f"{page_of(bundle)}/signed", approver="validator", **signed)
    assert answer.status_code == 409
    assert Event.APPROVED not in bank.events()


def test_the_demonstration_approver_does_not_sign_where_only_people_may(bank: Bank, tmp_path: Path) -> None:
    bundle = bank.ask("first")
    asked = served(bank, tmp_path)
    send(asked, page_of(bundle), f"{page_of(bundle)}/reject", reason="the data are stale", how="demonstration")
    actor, facts = last(bank, Event.REJECTED)
    assert (actor, facts["asked_by"], facts["reason"]) == ("validator", "ada", "the data are stale")
    answer = send(asked, page_of(bundle), f"{page_of(bundle)}/approve", comment="all the same", how="demonstration")
    assert answer.status_code == 409
    assert "only people may sign this" in answer.text
    bank.local = False
    answer = send(asked, page_of(bundle), f"{page_of(bundle)}/approve", comment="all the same", how="demonstration")
    assert "people sign with their own keys here" in answer.text


def test_without_a_comment_or_a_reason_nothing_is_done(bank: Bank, tmp_path: Path) -> None:
    bundle = bank.ask("first")
    asked = served(bank, tmp_path)
    for address, field in (("approve", "comment"), ("reject", "reason")):
        answer = send(asked, page_of(bundle), f"{page_of(bundle)}/{address}", how="demonstration", **{field: "  "})
        assert answer.status_code == 422
    assert bank.events()[-1] is Event.REQUESTED


def test_a_model_is_stopped_and_answers_again_with_reason_and_name(bank: Bank, tmp_path: Path) -> None:
    in_force(bank, "first")
    asked = served(bank, tmp_path)
    said = send(asked, "/approvals", f"/models/{MODEL}/stop", reason="unexplained jump in scores").text
    assert "The model is stopped" in said
    found = newest(bank.channel, trust(), MODEL)
    assert found
    assert (found.stopped, found.asked_by, found.reason) == (True, "ada", "unexplained jump in scores")
    assert last(bank, Event.STOPPED)[0] == "ada"
    assert ">1 September 2005, 12:00 UTC</time>" in said  # among what was decided lately
    assert "Let it answer again" in said
    send(asked, "/approvals", f"/models/{MODEL}/resume", reason="the source was mended")
    assert last(bank, Event.RESUMED)[0] == "ada"
    assert send(asked, "/approvals", f"/models/{MODEL}/resume", reason="once more").status_code == 409


OLD = "the page is older than what is in force; look again"


def test_an_old_page_lifts_no_newer_stop(bank: Bank, tmp_path: Path) -> None:
    in_force(bank, "first")
    asked, address = served(bank, tmp_path), f"/models/{MODEL}/resume"
    send(asked, "/approvals", f"/models/{MODEL}/stop", reason="unexplained jump in scores")
    old = hidden(asked.get("/approvals").text, address)
    stop(bank.office, MODEL, asked_by="ben", reason="the source lies")
    for fields in (old, {"token": old["token"]}, old | {"sequence": "x"}):
        answer = asked.post(address, data=fields | {"reason": "the jump was meant"})
        assert (answer.status_code, OLD in answer.text, "stop 2 is in force" in answer.text) == (409, True, True)
    found = newest(bank.channel, trust(), MODEL)
    assert found
    assert found.stopped
    send(asked, "/approvals", address, reason="both are settled")
    assert last(bank, Event.RESUMED)[1]["reason"] == "both are settled"


def test_an_old_page_rolls_nothing_back_that_it_did_not_show(bank: Bank, tmp_path: Path) -> None:
    in_force(bank, "one", "other")
    asked, address = served(bank, tmp_path), f"/models/{MODEL}/roll-back"
    old = hidden(asked.get("/approvals").text, address)
    newer = bank.ask("another", "other")
    promote(bank.office, MODEL, newer)
    for fields in (old, {"token": old["token"]}):
        answer = asked.post(address, data=fields | {"reason": "worse on new accounts"})
        assert (answer.status_code, OLD in answer.text) == (409, True)
    assert bank.served() == newer


def test_the_version_before_comes_back_and_not_by_chance_twice(bank: Bank, tmp_path: Path) -> None:
    in_force(bank, "one", "other", "another")
    asked = served(bank, tmp_path)
    assert "Roll back to version 5" in asked.get("/approvals").text
    send(asked, "/approvals", f"/models/{MODEL}/roll-back", reason="worse on new accounts")
    actor, facts = last(bank, Event.ROLLED_BACK)
    assert (actor, facts["reason"], facts["version"]) == ("ada", "worse on new accounts", 5)
    again = send(asked, "/approvals", f"/models/{MODEL}/roll-back", reason="worse on new accounts")
    assert again.status_code == 409
    send(asked, "/approvals", f"/models/{MODEL}/roll-back", reason="worse, too", again="yes")
    assert last(bank, Event.ROLLED_BACK)[1]["version"] == 3


def test_a_deadline_is_told_to_the_minute(tmp_path: Path) -> None:
    sources, alert = looking(), an_alert(model=MODEL, deadline="2005-11-02T09:30:00+00:00")
    sources.alerts.revise(MODEL, lambda _: [alert])
    asked = client(tmp_path, sources=sources)
    for page in ("/alerts", f"/alerts/{alert.id}"):
        assert ">2 November 2005, 09:30 UTC</time>" in asked.get(page).text


def test_the_runbook_stands_on_the_page_of_its_alert_and_on_one_of_its_own(tmp_path: Path) -> None:
    runbook = RunbookFolder(RUNBOOKS).page("auc_drop")
    sources, alert = looking(runbooks={"auc_drop": runbook}.__getitem__), an_alert(model=MODEL, kind="auc_drop")
    sources.alerts.revise(MODEL, lambda _: [alert])
    asked = client(tmp_path, sources=sources)
    for page in (f"/alerts/{alert.id}", "/runbooks/auc_drop"):
        assert "<h3>What to do</h3>" in asked.get(page).text
    assert f"<h1>{runbook.title}</h1>" in asked.get("/runbooks/auc_drop").text


ACTS = {
    "stop": (f"/models/{MODEL}/stop", {"reason": "because"}, Role.OPERATOR),
    "resume": (f"/models/{MODEL}/resume", {"reason": "because"}, Role.OPERATOR),
    "roll back": (f"/models/{MODEL}/roll-back", {"reason": "because"}, Role.APPROVER),
    "approve": ("approve", {"comment": "read and sound", "how": "demonstration"}, Role.APPROVER),
    "reject": ("reject", {"reason": "the data are stale", "how": "demonstration"}, Role.APPROVER),
    "hand in": ("signed", {"document": "{}", "signature": "x"}, Role.APPROVER),
    "promote": ("promote", {"sure": "yes"}, Role.APPROVER),
    "search": ("/decisions", {"decision": "x"}, Role.OPERATOR),
}


@pytest.mark.parametrize("name", ACTS)
def test_an_act_is_refused_to_who_may_not_and_to_a_form_that_is_not_ours(bank: Bank, tmp_path: Path, name: str) -> None:
    bundle = bank.ask("first")
    address, fields, role = ACTS[name]
    address = address if address.startswith("/") else f"{page_of(bundle)}/{address}"
    before = len(bank.ledger.entries())
    refused = served(bank, tmp_path, Person("viola", frozenset({Role.VIEWER, Role.DEVELOPER})))
    assert refused.post(address, data=fields).status_code == 403
    asked = served(bank, tmp_path, Person("opal", frozenset({role})))
    for token in ({}, {"token": ""}, {"token": "-"}, {"token": "guessed"}):
        asked.cookies.clear()
        answer = asked.post(address, data={**fields, **token})
        assert answer.status_code == 403
        assert "not from a page of your session" in answer.text
    other = served(bank, tmp_path, Person("opal", frozenset({role})))
    stolen = TOKEN.search(other.get("/approvals").text)
    asked.get("/approvals")  # has a session now
    if stolen:  # a form of another session
        assert asked.post(address, data={**fields, "token": stolen[1]}).status_code == 403
    assert asked.get(address, follow_redirects=False).status_code in (200, 404, 405)  # looking acts on nothing
    assert len(bank.ledger.entries()) == before


@pytest.mark.parametrize(
    "address", ["/decisions", "/decisions/any", f"/models/{MODEL}/features/limit/rows?month=2005-09&place=0"]
)
def test_who_may_only_look_sees_no_single_account(bank: Bank, tmp_path: Path, address: str) -> None:
    for role in (Role.VIEWER, Role.DEVELOPER):
        assert served(bank, tmp_path, Person("viola", frozenset({role}))).get(address).status_code == 403
    assert served(bank, tmp_path, Person("opal", frozenset({Role.OPERATOR}))).get(address).status_code != 403


def test_who_may_only_look_is_offered_nothing_to_do(bank: Bank, tmp_path: Path) -> None:
    in_force(bank, "first", "second")
    waiting = bank.ask("third", "second")
    looking_on = served(bank, tmp_path, Person("viola", frozenset({Role.VIEWER})))
    inbox, page = looking_on.get("/approvals").text, looking_on.get(page_of(waiting)).text
    for text in (inbox, page):
        assert "<button" not in text
    assert "Approvers decide about this" in page
    assert looking_on.get("/decisions").status_code == 403
    assert 'href="/decisions"' not in inbox


def _offered(page: str) -> str:
    found = OFFERED.search(page)
    assert found
    return unescape(found[1])


def _read(document: str) -> dict[str, object]:
    found = json.loads(document)
    assert isinstance(found, dict)
    return found
