"""People at the command line against a running service: stop, fall back, go on, roll back, override, verify, forge."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import asdict, replace
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.adapters import account_keys, key_files
from models.adapters.evidence_folder import EvidenceFolder
from models.adapters.file_ledger import FileLedger
from models.adapters.folder_channel import FolderChannel
from models.adapters.pack_folder import PackFolder
from models.bundle import Bundle, canonical, sha256
from models.channel import Move, Pointer
from models.clock import SystemClock
from models.governance import release
from models.governance.ledger import Event
from models.governance.requests import Office
from models.governance.signing import Duty
from models.registry import RunRecord
from monitoring.adapters.sql_decisions import SqlDecisionLog
from pipelines.__main__ import main
from pipelines.promotion import Candidate, Desk, keep, promote, register, request_promotion
from tests.bundles import MODEL, USE_CASE, record
from tests.fakes.registry import FakeRegistry
from tests.office import paper_evidence, paper_evidence_digest
from tests.running import SCORE, Service, until
from tests.samples import ensemble, sealed

pytestmark = pytest.mark.integration

PASSPHRASE = "four words are enough"
POLICY = USE_CASE.policy.model_dump(mode="json")
STRICTER = canonical({**POLICY, "monitoring": {**POLICY["monitoring"], "psi_warn": 0.05}})


@pytest.fixture(scope="module")
def bundles() -> list[Bundle]:
    return [sealed(seed=1), sealed(ensemble(high=2.5), seed=2)]


class Home:
    """A home with a service in it, as a pipeline would have left it, and commands to run in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.service = Service(path)
        self.channel = FolderChannel(path / "channel")
        keys = path / "keys"
        self.office = Office(
            channel=self.channel,
            ledger=FileLedger(path / "ledger.jsonl", lambda: key_files.signer(keys, key_files.WITNESS, Duty.ATTEST)),
            trust=key_files.trust(keys / "trust.json", demonstration=True),
            publisher=key_files.signer(keys, key_files.PUBLISHER, Duty.PUBLISH),
            clock=SystemClock(),
            dossiers=EvidenceFolder(path / "evidence"),
            demonstration=key_files.signer(keys, key_files.DEMONSTRATION_APPROVER, Duty.APPROVE),
        )
        self.desk = Desk(FakeRegistry(), self.office)

    def candidate(self, bundle: Bundle) -> Candidate:
        EvidenceFolder(self.path / "evidence").store(MODEL, bundle.digest, paper_evidence(bundle.digest))
        return Candidate(bundle, RunRecord("train", {}, {}, {}), "pipeline", paper_evidence_digest(bundle.digest))

    def champion(self, bundle: Bundle) -> None:
        before = release.champion(self.office, MODEL)
        request_promotion(self.desk, self.candidate(bundle), compared_with=before, reason="better")
        promote(self.desk, MODEL, bundle.digest)

    def refused(self, bundle: Bundle) -> None:
        made = self.candidate(bundle)
        register(self.desk, made)
        today = SystemClock().now().date()
        keep(self.desk, MODEL, bundle=bundle.digest, as_of=today, actor="pipeline", reason="AUC below the floor")

    def environment(self, **settings: str) -> dict[str, str]:
        own = {"STEWARD_HOME": str(self.path), "STEWARD_PIPELINES_APPROVER_KEYS": str(self.path / "own")}
        return own | {"STEWARD_PIPELINES_APPROVER_PASSPHRASE": PASSPHRASE} | settings

    def run(self, *command: str, ends: int = 0, **settings: str) -> str:
        """A command, here in this process: starting Python is most of its time. What it said."""
        said = StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(said):
            for name, value in self.environment(**settings).items():
                patch.setenv(name, value)
            code = main(command)
        assert code == ends, said.getvalue()
        return said.getvalue()

    def spawn(self, *command: str) -> None:
        """The same as a process of its own, as an on-call engineer runs it."""
        subprocess.run(
            [sys.executable, "-m", "pipelines", *command],
            env=os.environ | self.environment(),
            check=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )

    def approver(self, name: str) -> None:
        self.run("approver", "--name", name)
        self.run("trust", "--name", name, "--by", "admin", "--reason", f"{name} validates credit models")

    def mount_keys(self) -> None:
        """What production asks for and the local profile makes by itself."""
        account_keys.keyring(self.path / "keys", account_keys.ACCOUNTS, local=True)
        account_keys.secret_keys(self.path / "keys", account_keys.LOG, local=True)
        (self.path / "keys" / account_keys.ACCOUNTS / "split.key").write_bytes(b"s" * 32)
        scopes = ("--name", "app", "--models", "all", "--actions", "all", "--days", "1")
        self.run("api-key", *scopes, "--by", "admin", "--reason", "somebody must be able to ask")

    def log(self, decision_id: str) -> Any:
        log = SqlDecisionLog(f"sqlite:///{self.path / 'decisions.db'}")
        found = log.find(decision_id)
        log.close()
        return found


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    made.service.stop(signal.SIGKILL)
    for client in made.service.clients:
        client.close()


def start(home: Home) -> httpx.Client:
    """With the settings that a service has if nobody sets any."""
    return home.service.start(STEWARD_SERVING_POLL_SECONDS="1")


def test_a_stop_acts_at_once_with_a_fallback_too_and_everything_is_recorded(home: Home, bundles: list[Bundle]) -> None:
    for bundle in bundles[:2]:
        home.champion(bundle)
    client = start(home)
    assert client.post(SCORE, json=record()).json()["version"] == 2

    home.spawn("stop", "--by", "on-call", "--reason", "scores jump")
    until(client, "/health/ready", lambda ready: not ready["ready"])
    answer = client.post(SCORE, json=record())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["detail"] == f"{MODEL} is stopped: scores jump"

    fallback = ["--fallback", bundles[0].digest[:10]]
    home.run("stop", "--by", "on-call", "--reason", "scores jump", *fallback)
    until(client, "/health/ready", lambda ready: ready["ready"])
    marked = client.post(SCORE, json=record()).json()
    assert (marked["version"], marked["bundle"], marked["fallback"]) == (1, bundles[0].digest, "scores jump")
    assert home.log(marked["answers"][0]["decision_id"]).fallback == "scores jump"

    home.run("resume", "--by", "on-call", "--reason", "it was the feed")
    until(client, "/v1/models", lambda served: served["models"][0]["version"] == 2)
    plain = client.post(SCORE, json=record()).json()
    assert "fallback" not in plain
    assert home.log(plain["answers"][0]["decision_id"]).fallback == ""
    noted = [entry.event for entry in home.office.ledger.entries(MODEL)][-3:]
    assert noted == [Event.STOPPED, Event.STOPPED, Event.RESUMED]
    assert "hold" in home.run("verify")


def test_a_roll_back_is_served_with_the_earlier_approval_and_reasons(home: Home, bundles: list[Bundle]) -> None:
    for bundle in bundles[:2]:
        home.champion(bundle)
    client = start(home)
    until(client, "/v1/models", lambda served: served["models"][0]["version"] == 2)

    home.spawn("rollback", "--by", "on-call", "--reason", "too many reductions")
    until(client, "/v1/models", lambda served: served["models"][0]["version"] == 1)

    answer = client.post(SCORE, json=record()).json()
    assert answer["bundle"] == bundles[0].digest
    last = home.office.ledger.entries(MODEL)[-1]
    assert (last.event, last.actor, last.facts["reason"]) == (Event.ROLLED_BACK, "on-call", "too many reductions")
    assert bundles[0].files["reasons.json"] == (home.path / "channel/bundles" / bundles[0].digest / "reasons.json").read_bytes()
    assert "hold" in home.run("verify")


def test_commands_in_an_empty_home_make_nothing(tmp_path: Path, home: Home) -> None:
    empty = tmp_path / "empty"
    said = ["--by", "me", "--reason", "three plain words"]
    decisions = ["retain"], ["decisions", "--id", "A1"], ["rotate-keys", *said], ["monitor"]
    for command in (["rollback", *said], ["stop", *said], ["requests"], ["holds"], ["versions"], ["verify"], *decisions):
        told = home.run(*command, ends=1, STEWARD_HOME=str(empty))
        assert "there is no home" in told
        assert "make train" in told
    home.run("inventory", STEWARD_HOME=str(empty))
    assert not empty.exists()


def test_a_decision_that_loses_its_seal_is_found_before_any_report(home: Home, bundles: list[Bundle]) -> None:
    request_promotion(home.desk, home.candidate(bundles[0]), compared_with="", reason="first")
    home.run("promote", "--bundle", bundles[0].digest[:10])
    events = [entry.event for entry in home.office.ledger.entries()]
    assert events.index(Event.DECISIONS_SEALED) < events.index(Event.PROMOTED)
    [answer] = start(home).post(SCORE, json=record()).json()["answers"]
    assert "hold" in home.run("verify")
    with closing(sqlite3.connect(home.path / "decisions.db")) as log, log:
        log.execute("UPDATE decisions SET account_id = 'p1_00', lane = '', place = 0, chain = '', inputs_seal = ''")
    assert "it has no seal: none of our processes wrote it" in home.run("verify", ends=1)
    assert "it has no seal" in home.run("replay-decision", "--id", answer["decision_id"], ends=1)


def test_two_people_bring_what_the_gate_refused_into_force_and_it_stays_visible(home: Home, bundles: list[Bundle]) -> None:
    home.champion(bundles[0])
    home.refused(bundles[1])
    which = ["--bundle", bundles[1].digest[:10]]
    home.approver("ana")
    home.approver("ben")

    assert "nobody asked" in home.run("approve", *which, "--by", "ana", "--comment", "fine", ends=1)
    home.run("override", *which, "--by", "ben", "--reason", "the floor is for another portfolio", ends=3)
    waiting = home.run("requests", ends=3)
    assert "people only: ben asked to override the gate" in waiting
    assert str(home.path / "evidence" / MODEL / bundles[1].digest[:12]) in waiting
    assert "cannot approve it" in home.run("approve", *which, "--by", "ben", "--comment", "mine", ends=1)
    assert "waiting for approval" in home.run("promote", *which, ends=3)
    home.run("approve", *which, "--by", "ana", "--comment", "agreed", "--conditions", "look again in a month")

    said = home.run("promote", *which)
    assert "condition by ana: look again in a month" in said
    assert "by override of the gate; 1 so far" in said
    assert "overrides of the gate: 1" in home.run("inventory")
    assert "hold" in home.run("verify")

    client = start(home)
    assert client.get("/v1/models").json()["models"][0]["bundle"] == bundles[1].digest
    home.run("distrust", "--name", "ana", "--by", "admin", "--reason", "left the bank today")
    until(client, "/health/ready", lambda ready: not ready["ready"])
    assert client.post(SCORE, json=record()).status_code == 503
    assert "hold" in home.run("verify")


def test_outside_the_local_profile_the_demonstration_counts_for_nothing(home: Home, bundles: list[Bundle]) -> None:
    home.champion(bundles[0])
    home.mount_keys()

    client = home.service.start(STEWARD_PROFILE="production")
    ready = client.get("/health/ready")
    assert ready.status_code == 503
    assert "local profile only" in ready.json()["reason"]


def test_people_sign_a_demonstrated_champion_again_before_production_serves_it(home: Home, bundles: list[Bundle]) -> None:
    bundle = bundles[0]
    evidence = paper_evidence(bundle.digest, fairness="failed", **{"fairness.impact_ratio": "failed"})
    EvidenceFolder(home.path / "evidence").store(MODEL, bundle.digest, evidence)
    made = replace(home.candidate(bundle), evidence=sha256(evidence["manifest.json"]))
    EvidenceFolder(home.path / "evidence").store(MODEL, bundle.digest, evidence)
    request_promotion(home.desk, made, compared_with="", reason="better")
    which = ["--bundle", bundle.digest[:10]]

    assert "accepted for demonstration only: failed (fairness, fairness.impact_ratio)" in home.run("promote", *which)
    for command in ("inventory", "verify"):
        assert "promoted, not approved for production" in home.run(command)
    assert "gates      fairness not judged: make evidence" in home.run("inventory")
    PackFolder(home.path / "packs").store(MODEL, bundle.digest, made.evidence, evidence)
    assert f"{made.evidence[:12]}: failed (fairness, fairness.impact_ratio)" in home.run("inventory")
    nicer = paper_evidence(bundle.digest, fairness="passed")
    PackFolder(home.path / "packs").store(MODEL, bundle.digest, sha256(nicer["manifest.json"]), nicer)
    assert f"{made.evidence[:12]}: failed (fairness, fairness.impact_ratio)" in home.run("inventory")
    assert "no entry of the ledger names this pack" in home.run("verify", ends=1)
    shutil.rmtree(home.path / "packs")
    assert "0 wait for approval" in home.run("requests")

    home.mount_keys()
    there = partial(home.run, STEWARD_PROFILE="production")
    client = home.service.start(STEWARD_PROFILE="production", STEWARD_SERVING_POLL_SECONDS="1")
    assert client.get("/health/ready").status_code == 503
    waiting = there("requests", ends=3)
    assert "promoted, not approved for production" in waiting
    assert "to be accepted in writing: fairness.impact_ratio: failed" in waiting
    assert f"promoted   bundle {bundle.digest[:12]}" in there("inventory")
    assert "local profile only" in there("promote", *which, ends=1)

    home.approver("ana")
    signed = ["approve", *which, "--by", "ana", "--comment", "I read it"]
    assert "did not pass fairness: failed, fairness.impact_ratio: failed" in there(*signed, ends=1)
    said = there(*signed, "--accept", "no decision about people is made with it")
    assert "It was promoted before" in said
    assert "approved by ana" in there("promote", *which)
    until(client, "/health/ready", lambda ready: ready["ready"])
    assert "0 wait for approval" in there("requests")
    for command in ("inventory", "verify"):
        assert 'accepted in writing by ana, "no decision about people is made with it"' in there(command)
    assert [e.event for e in home.office.ledger.entries(MODEL)].count(Event.REPROMOTED) == 1


def forged(home: Home, bundle: Bundle) -> None:
    """Signed with the publisher's own key, past every rule."""
    home.channel.add_bundle(bundle.digest, bundle.files)
    last = home.channel.pointers(MODEL)
    before = home.channel.pointer(MODEL, last).document["bundle"]
    at = SystemClock().now().isoformat()
    pointer = Pointer(MODEL, last + 1, 9, bundle.digest, before, at, "because I can", Move.PROMOTE, "pipeline")
    home.channel.add_pointer(MODEL, last + 1, home.office.publisher.sign(asdict(pointer)))


def never_approved(home: Home, bundle: Bundle) -> str:
    forged(home, bundle)
    return "nobody approved"


def approved_as_another(home: Home, bundle: Bundle) -> str:
    (approval,) = home.channel.approvals(release.champion(home.office, MODEL))
    home.channel.add_approval(bundle.digest, approval)
    forged(home, bundle)
    return "the approval is for"


def signed_by_the_publisher(home: Home, bundle: Bundle) -> str:
    (approval,) = home.channel.approvals(release.champion(home.office, MODEL))
    document = {**approval.document, "bundle": bundle.digest, "approver": "pipeline"}
    home.channel.add_approval(bundle.digest, home.office.publisher.sign(document))
    forged(home, bundle)
    return "not trusted to approve"


def with_an_approval_backdated_by_hand(home: Home, bundle: Bundle) -> str:
    (approval,) = home.channel.approvals(release.champion(home.office, MODEL))
    home.channel.add_approval(bundle.digest, replace(approval, document={**approval.document, "bundle": bundle.digest}))
    forged(home, bundle)
    return "does not match"


@pytest.mark.parametrize(
    "forge", [never_approved, approved_as_another, signed_by_the_publisher, with_an_approval_backdated_by_hand]
)
def test_a_pointer_with_the_publishers_own_key_brings_nothing_unapproved_into_force(
    forge: Any, home: Home, bundles: list[Bundle]
) -> None:
    home.champion(bundles[0])
    client = start(home)
    assert client.post(SCORE, json=record()).json()["version"] == 1

    said = forge(home, bundles[1])
    ready = until(client, "/health/ready", lambda found: found["problems"])
    assert said in ready["problems"][0]["problem"]
    assert client.post(SCORE, json=record()).json()["bundle"] == bundles[0].digest
    assert "published, and not in the ledger" in home.run("verify", ends=1)


def test_an_edited_threshold_waits_for_two_people_though_a_demonstration_approver_is_there(
    home: Home, bundles: list[Bundle]
) -> None:
    home.champion(bundles[0])
    parts = {name: data for name, data in bundles[0].files.items() if name != "manifest.json"} | {"policy.json": STRICTER}
    stricter = Bundle.seal(MODEL, parts, lineage={})
    request_promotion(home.desk, home.candidate(stricter), compared_with=bundles[0].digest, reason="better")

    which = ["--bundle", stricter.digest[:10]]
    assert "policy was edited after results were seen: monitoring.psi_warn" in home.run("promote", *which, ends=3)
    for name in ("ana", "ben"):
        home.approver(name)
        home.run("approve", *which, "--by", name, "--comment", "the costs have changed")
    home.run("promote", *which)
    (changed,) = [e for e in home.office.ledger.entries(MODEL) if e.event is Event.POLICY_CHANGED]
    assert changed.facts["changes"] == {"monitoring.psi_warn": [USE_CASE.policy.monitoring.psi_warn, 0.05]}
    assert start(home).get("/v1/models").json()["models"][0]["bundle"] == stricter.digest


@pytest.mark.parametrize("how", ["edited", "removed", "cut off"])
def test_verify_names_the_first_entry_that_was_tampered_with_and_the_end_that_was_cut_off(
    how: str, home: Home, bundles: list[Bundle], tmp_path: Path
) -> None:
    home.champion(bundles[0])
    path = home.path / "ledger.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    second = canonical({**json.loads(lines[1]), "actor": "nobody"}) + b"\n"
    changed = {"edited": [lines[0], second, *lines[2:]], "removed": [lines[0], *lines[2:]], "cut off": lines[:-1]}[how]
    path.write_bytes(b"".join(changed))

    said = home.run("verify", ends=1)
    assert f"ledger entry {len(lines) if how == 'cut off' else 2}" in said


def test_a_cut_off_end_shows_against_the_anchor_even_if_the_head_was_put_back(home: Home, bundles: list[Bundle]) -> None:
    home.champion(bundles[0])
    anchor, head, ledger = (home.path / name for name in ("anchor.jsonl", "ledger.head.json", "ledger.jsonl"))
    before = head.read_bytes(), ledger.read_bytes()
    home.run("anchor", "--by", "admin", "--reason", "it is mounted now", STEWARD_LEDGER_ANCHOR=str(anchor))
    home.run("stop", "--by", "on-call", "--reason", "scores jump", STEWARD_LEDGER_ANCHOR=str(anchor))
    head.write_bytes(before[0])
    ledger.write_bytes(before[1])
    (home.path / "channel" / "stops" / MODEL / "00000001.json").unlink()

    assert "hold" in home.run("verify")
    said = home.run("verify", ends=1, STEWARD_LEDGER_ANCHOR=str(anchor))
    assert "removed from the end" in said
    assert str(anchor) in said
