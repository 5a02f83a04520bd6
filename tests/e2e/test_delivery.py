"""A model on its way from home to home, at the command line: what is unapproved, altered, refused or worse stops."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.bundle import Bundle
from models.channel import head
from models.governance import release
from models.governance.ledger import Event
from models.governance.requests import requested
from tests.bundles import MODEL
from tests.e2e.test_governance import Home
from tests.e2e.test_rollout import EASY, accounts, pairs, score, with_audit_columns, worse
from tests.running import until
from tests.samples import ensemble, sealed

pytestmark = pytest.mark.integration

SIGNED = ("--by", "ana", "--reason", "the delivery of September")
PEOPLE, REHEARSED = {"STEWARD_PROFILE": "production"}, {"STEWARD_PROFILE": "staging"}
FIRST = sealed(seed=1)


class Chain:
    """Three homes on one machine: a laptop's, and two that take what the one before sends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dev, self.staging, self.production = (Home(folder / name) for name in ("dev", "staging", "production"))
        self.own = {"STEWARD_PIPELINES_APPROVER_KEYS": str(folder / "own")}
        self.parcels = 0
        for name, sender, receiver in (("dev", self.dev, self.staging), ("staging", self.staging, self.production)):
            key = sender.run("sender", "--name", name).split()[5]
            receiver.run("admit-sender", "--name", name, "--key", key, *SIGNED)

    def approver(self, name: str) -> None:
        """One person with one key, admitted in staging and in production."""
        self.staging.run("approver", "--name", name, **self.own)
        proposal = Path("keys", "proposed", f"{name}.json")
        (self.production.path / proposal).parent.mkdir(exist_ok=True)
        shutil.copy(self.staging.path / proposal, self.production.path / proposal)
        for home in (self.staging, self.production):
            home.run("trust", "--name", name, "--by", "admin", "--reason", f"{name} validates credit models")

    def sent(self, home: Home, **settings: str) -> Path:
        self.parcels += 1
        folder = self.folder / f"parcel-{self.parcels}"
        home.run("send", "--name", home.path.name, "--to", str(folder), **settings)
        return folder

    def through_staging(self, bundle: Bundle, **settings: str) -> None:
        """Made in dev, promoted in both local homes, and received in production."""
        self.dev.champion(bundle)
        self.staging.run("receive", "--from", str(self.sent(self.dev)), *SIGNED)
        self.staging.run("promote", "--bundle", bundle.digest[:12])
        self.production.run("receive", "--from", str(self.sent(self.staging)), *SIGNED, **settings)


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    made = Chain(tmp_path)
    yield made
    made.production.service.end()


def in_force(home: Home) -> str:
    return release.champion(home.office, MODEL)


def test_people_sign_once_in_staging_and_what_they_signed_counts_in_production(chain: Chain) -> None:
    chain.approver("ana")
    chain.approver("ben")
    chain.dev.champion(FIRST)
    parcel = chain.sent(chain.dev)

    said = chain.staging.run("receive", "--from", str(parcel), *SIGNED, **REHEARSED)
    assert "approvals that count here: none yet" in said
    assert "waiting for approval" in chain.staging.run("promote", "--bundle", FIRST.digest[:12], ends=3, **REHEARSED)
    assert "no champion" in chain.staging.run("send", "--name", "staging", "--to", str(parcel / "x"), ends=1, **REHEARSED)
    assert in_force(chain.staging) == ""

    for name in ("ana", "ben"):
        signs = ("--bundle", FIRST.digest[:12], "--by", name, "--comment", "read all of it", "--accept", "no harm is done by it")
        chain.staging.run("approve", *signs, **REHEARSED, **chain.own)
    chain.staging.run("promote", "--bundle", FIRST.digest[:12], **REHEARSED)

    for name in ("ana", "ben"):
        chain.production.run("distrust", "--name", name, "--by", "admin", "--reason", f"{name} left the bank")
    on = chain.sent(chain.staging, **REHEARSED)
    said = chain.production.run("receive", "--from", str(on), *SIGNED, **PEOPLE)
    assert "not counted, of ben: 'ben' is not trusted to approve" in said
    step = ("advance", "--bundle", FIRST.digest[:12], *SIGNED)
    assert "waiting for approval" in chain.production.run(*step, ends=3, **PEOPLE)

    for name in ("ana", "ben"):
        chain.production.run("trust", "--name", name, "--by", "admin", "--reason", f"{name} is back")
    said = chain.production.run("receive", "--from", str(on), *SIGNED, **PEOPLE)
    assert "approvals that count here: ana, ben" in said
    assert "is in force" in chain.production.run(*step, **PEOPLE)
    for home in (chain.staging, chain.production):
        assert "hold" in home.run("verify", **PEOPLE)


def test_what_the_gate_refused_does_not_leave_the_home_also_not_by_an_override(chain: Chain) -> None:
    chain.dev.champion(FIRST)
    refused = sealed(ensemble(high=2.5), seed=2)
    chain.dev.refused(refused)

    assert (chain.sent(chain.dev) / "bundle").is_dir()
    held = chain.staging.run("receive", "--from", str(chain.folder / "parcel-1"), *SIGNED)
    assert f"bundle {FIRST.digest[:12]} from dev" in held

    for name in ("ana", "ben"):
        chain.dev.run("approver", "--name", name, **chain.own)
        chain.dev.run("trust", "--name", name, "--by", "admin", "--reason", f"{name} validates credit models")
    asks = ("--bundle", refused.digest[:12])
    chain.dev.run("override", *asks, "--by", "ana", "--reason", "the floor is too high for it", ends=3, **chain.own)
    chain.dev.run("approve", *asks, "--by", "ben", "--comment", "read it", "--accept", "no harm is done", **chain.own)
    chain.dev.run("promote", *asks)
    assert in_force(chain.dev) == refused.digest
    told = chain.dev.run("send", "--name", "dev", "--to", str(chain.folder / "no"), ends=1)
    assert "an override stays in the home where it was answered for" in told


@pytest.mark.parametrize(
    ("altered", "problem"),
    [
        ("bundle/model.onnx", "model.onnx does not match its digest"),
        ("evidence/figures.json", "was changed after sealing"),
        ("statement.json", "does not match"),
    ],
)
def test_a_parcel_that_was_altered_on_its_way_leaves_nothing_behind(altered: str, problem: str, chain: Chain) -> None:
    chain.dev.champion(FIRST)
    parcel = chain.sent(chain.dev)
    path = parcel / altered
    before = (chain.staging.path / "ledger.jsonl").read_bytes()
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"version":1', b'"version":2') if altered == "statement.json" else data + b" ")

    assert problem in chain.staging.run("receive", "--from", str(parcel), *SIGNED, ends=1)

    assert (chain.staging.path / "ledger.jsonl").read_bytes() == before
    assert chain.staging.channel.bundles() == []


def test_a_home_that_nobody_admitted_delivers_nothing(chain: Chain) -> None:
    chain.dev.champion(FIRST)
    parcel = chain.sent(chain.dev)
    assert "'dev' is not trusted to deliver" in chain.production.run("receive", "--from", str(parcel), *SIGNED, ends=1)
    chain.staging.run("dismiss-sender", "--name", "dev", "--by", "admin", "--reason", "that machine was stolen")
    assert "'dev' is not trusted to deliver" in chain.staging.run("receive", "--from", str(parcel), *SIGNED, ends=1)
    assert "hold" in chain.staging.run("verify")


def test_in_production_nothing_takes_the_champions_place_untried_unless_two_people_answer_for_it(chain: Chain) -> None:
    production, challenger = chain.production, sealed(ensemble(high=1.65), seed=2)
    for name in ("ana", "ben"):
        chain.approver(name)
    for bundle in (FIRST, challenger):
        chain.through_staging(bundle, **PEOPLE)
        signs = (
            "--bundle",
            bundle.digest[:12],
            "--by",
            "ana",
            "--comment",
            "read all of it",
            "--accept",
            "no harm is done by it",
        )
        production.run("approve", *signs, **PEOPLE, **chain.own)
        if bundle is FIRST:
            production.run("promote", "--bundle", FIRST.digest[:12], **PEOPLE)

    which = ("--bundle", challenger.digest[:12])
    told = production.run("promote", *which, ends=3, **PEOPLE)
    assert "not tried as a canary beside the champion" in told
    assert "make canary CHALLENGER=2" in told
    assert "not promoted yet: it was not tried" in production.run("requests", ends=3, **PEOPLE)
    few = ("--challenger", "2", "--share", ".5", *EASY, *SIGNED)
    assert "judged on 1,000 accounts at least" in production.run("canary", *few, ends=1, **PEOPLE)
    assert in_force(production) == FIRST.digest

    answers = (*which, "--reason", "the champion reduces half of all accounts")
    assert "1 more approver must" in production.run("waive-canary", *answers, "--by", "ana", ends=3, **PEOPLE, **chain.own)
    production.run("waive-canary", *answers, "--by", "ben", **PEOPLE, **chain.own)
    assert "Without a canary that passed" in production.run("advance", *which, *SIGNED, **PEOPLE)
    assert in_force(production) == challenger.digest
    assert "or people answer for going without" in production.run("verify", **PEOPLE)
    assert "canary" not in production.run("verify")


def test_a_canary_that_is_worse_is_rolled_back_and_goes_no_further(chain: Chain) -> None:
    production, challenger = chain.production, worse()
    chain.through_staging(FIRST)
    assert "nothing is in force that it could be tried beside" in production.run("advance", "--bundle", FIRST.digest[:8], *SIGNED)
    chain.through_staging(challenger)
    client = production.service.start()

    on = ("advance", "--bundle", challenger.digest[:8], *SIGNED, "--share", ".5", *EASY)
    assert "as a canary decides for 0.5 of the accounts" in production.run(*on, ends=3)
    until(client, "/v1/models", lambda served: served["models"][0]["rollout"])
    assert "its canary is open" in production.run(*on, ends=3)
    score(client, accounts(0, 300))

    told = production.run(*on, ends=1)
    assert "The roll-out is over: rolled back by judge of roll-outs" in told
    assert "goes no further: its canary was rolled back" in told
    until(client, "/v1/models", lambda served: served["models"][0]["rollout"] is None)
    assert {version for version, _, _ in score(client, accounts(0, 50)).values()} == {1}
    assert in_force(production) == FIRST.digest
    assert "goes no further" in production.run(*on, ends=1)
    assert "hold" in production.run("verify")


def test_a_canary_that_is_no_different_is_promoted_by_the_next_step_and_can_be_taken_back(chain: Chain) -> None:
    production, challenger = chain.production, sealed(ensemble(high=1.65), seed=2)
    chain.through_staging(FIRST)
    production.run("advance", "--bundle", FIRST.digest[:8], *SIGNED)
    chain.through_staging(challenger)
    client = production.service.start()
    on = ("advance", "--bundle", challenger.digest[:8], *SIGNED, "--share", ".5", *EASY)
    production.run(*on, ends=3)
    until(client, "/v1/models", lambda served: served["models"][0]["rollout"])
    found = score(client, accounts(0, 500))
    pairs(production, 1, sum(version == 2 for version, _, _ in found.values()))
    with_audit_columns(production, accounts(0, 500))

    assert "is in force" in production.run(*on)
    assert "Roll-out 1, a canary of 0.5" in requested(production.office, MODEL, challenger.digest).reason
    until(client, "/v1/models", lambda served: served["models"][0]["version"] == 2)
    assert "it is in force" in production.run(*on)
    production.run("rollback", "--by", "on-call", "--reason", "a drill")
    until(client, "/v1/models", lambda served: served["models"][0]["version"] == 1)
    assert head(production.channel, production.office.trust, MODEL).bundle == FIRST.digest
    events = [entry.event for entry in production.office.ledger.entries(MODEL)]
    assert events.count(Event.RECEIVED) == 2
    assert "hold" in production.run("verify")
