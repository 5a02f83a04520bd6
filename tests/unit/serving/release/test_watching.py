"""What serving does when the release channel changes, lies or goes away."""

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from models.bundle import Bundle
from models.clock import FixedClock
from models.errors import Integrity, Misconfigured, NoChampion, NotApproved, NotFound, PlatformError, Unavailable
from models.governance.approval import approve
from models.governance.signing import Duty, Signed, Trust
from serving.answers.answer import Ask
from serving.answers.loaded import LoadedModel
from serving.release.watching import Watcher
from tests.answering import Answering
from tests.bundles import MODEL, NOW, Office, fake_bundle, record
from tests.fakes.channel import FakeChannel
from tests.fakes.copies import FakeCopies
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.scorer import FakeScorer
from tests.rings import ACCOUNTS

VERIFY_EVERY = 3


class SwitchedChannel(FakeChannel):
    """A channel that can go away, or be put back to an older state."""

    def __init__(self) -> None:
        super().__init__()
        self.down: PlatformError | None = None
        self.hidden = 0
        self.spoilt: Mapping[str, bytes] | None = None
        self.forged: Signed | None = None
        self.gone = False

    def models(self) -> list[str]:
        if self.down:
            raise self.down
        return super().models()

    def approvals(self, bundle: str) -> tuple[Signed, ...]:
        if self.down:
            raise self.down
        return super().approvals(bundle)

    def pointers(self, model: str) -> int:
        return super().pointers(model) - self.hidden

    def pointer(self, model: str, sequence: int) -> Signed:
        return self.forged or super().pointer(model, sequence)

    def bundle(self, digest: str) -> Mapping[str, bytes]:
        if self.gone:
            raise NotFound(f"the channel has no bundle {digest[:12]}")
        return self.spoilt or super().bundle(digest)


class World:
    """A service with fakes for everything outside."""

    def __init__(self) -> None:
        self.office = Office()
        self.channel = SwitchedChannel()
        self.clock = FixedClock(NOW)
        self.log = InMemoryDecisionLog()
        self.predictor = Answering(self.log, self.clock, ACCOUNTS.pseudonym)
        self.trust: Trust | PlatformError = self.office.trust
        self.watcher = Watcher(
            self.channel,
            self.trusted,
            self.clock,
            self.log,
            self.predictor,
            lambda release: LoadedModel.load(release, FakeScorer, 10),
            FakeCopies(),
            VERIFY_EVERY,
        )

    def trusted(self) -> Trust:
        if isinstance(self.trust, PlatformError):
            raise self.trust
        return self.trust

    def promote(self, base: float, version: int, **changes: object) -> Bundle:
        bundle = fake_bundle(base, **changes)
        self.office.promote(self.channel, bundle, version=version)
        return bundle

    def approve(self, bundle: Bundle) -> None:
        """A new approval, signed now."""
        approval = approve(
            self.office.approver,
            model=MODEL,
            bundle=bundle.digest,
            evidence="e" * 64,
            trainer="pipeline",
            now=self.clock.now(),
            comment="checked again",
        )
        self.channel.add_approval(bundle.digest, approval)

    def ask(self) -> bytes:
        return self.predictor.answer(Ask(MODEL, json.dumps(record()).encode(), "r1")).response

    def version(self) -> int | None:
        """What is served after a look."""
        self.watcher.look()
        served = self.predictor.models.get(MODEL)
        return served.pointer.version if served else None


@pytest.fixture
def world() -> World:
    return World()


def test_an_empty_channel_is_no_champion_with_the_command_to_run(world: World) -> None:
    world.trust = Misconfigured("there is no trust file")
    assert world.version() is None
    assert isinstance(world.watcher.obstacle(), NoChampion)
    assert "make train" in str(world.watcher.obstacle())


def test_a_champion_is_picked_up_when_it_is_promoted_and_replaced_by_the_next(world: World) -> None:
    world.watcher.look()
    world.promote(0.1, version=1)
    assert world.version() == 1
    assert world.watcher.obstacle() is None
    world.promote(0.2, version=2)
    assert world.version() == 2
    assert world.watcher.seen.named() == {}


def test_a_roll_back_is_a_new_pointer_to_an_old_bundle(world: World) -> None:
    world.promote(0.1, version=1)
    world.promote(0.2, version=2)
    assert world.version() == 2
    world.promote(0.1, version=1)
    assert world.version() == 1


def refused(world: World, kind: type[PlatformError], said: str) -> None:
    """The newest release is refused and reported, and the first one serves on."""
    assert world.version() == 1
    problem = world.watcher.seen.models[MODEL]
    assert isinstance(problem, kind)
    assert said in str(problem)
    assert world.watcher.obstacle() is None


def test_a_release_whose_golden_rows_differ_is_refused(world: World) -> None:
    world.promote(0.1, version=1)
    world.watcher.look()
    world.promote(0.1, version=2, parts={"golden.json": fake_bundle(0.2).files["golden.json"]})
    refused(world, Integrity, "golden rows")


def test_a_bundle_with_a_changed_byte_is_refused(world: World) -> None:
    world.promote(0.1, version=1)
    world.watcher.look()
    bundle = world.promote(0.2, version=2)
    world.channel.spoilt = {**bundle.files, "model.onnx": b"0.9"}
    refused(world, Integrity, "model.onnx does not match")


def test_a_bundle_that_is_not_the_one_pointed_at_is_refused(world: World) -> None:
    first = world.promote(0.1, version=1)
    world.watcher.look()
    world.promote(0.2, version=2)
    world.channel.spoilt = first.files
    refused(world, Integrity, "digest")


def test_a_pointer_signed_by_nobody_trusted_is_refused(world: World) -> None:
    world.promote(0.1, version=1)
    world.watcher.look()
    mine = Office().publisher
    world.promote(0.2, version=2)
    world.channel.forged = mine.sign(world.channel.pointer(MODEL, 2).document)
    refused(world, NotApproved, "does not match")


def test_a_pointer_edited_after_signing_is_refused(world: World) -> None:
    world.promote(0.1, version=1)
    world.watcher.look()
    world.promote(0.2, version=2)
    signed = world.channel.pointer(MODEL, 2)
    world.channel.forged = replace(signed, document={**signed.document, "bundle": signed.document["previous"]})
    refused(world, NotApproved, "signature")


def test_a_pointer_whose_signature_was_taken_away_is_refused(world: World) -> None:
    world.promote(0.1, version=1)
    world.watcher.look()
    world.promote(0.2, version=2)
    world.channel.forged = replace(world.channel.pointer(MODEL, 2), signature="")
    refused(world, NotApproved, "does not match")


def test_an_old_pointer_under_a_new_number_is_refused(world: World) -> None:
    world.promote(0.1, version=1)
    world.watcher.look()
    world.promote(0.2, version=2)
    world.channel.forged = world.channel.pointer(MODEL, 1)
    refused(world, Integrity, "an old pointer was replayed")


def test_a_graph_that_the_scorer_will_not_run_is_refused(world: World) -> None:
    world.promote(0.1, version=1)
    world.watcher.look()
    world.promote(0.1, version=2, parts={"model.onnx": b"a loop that reads files"})
    refused(world, Integrity, "graph cannot be loaded")


def test_an_approval_of_another_bundle_does_not_count(world: World) -> None:
    first = world.promote(0.1, version=1)
    world.watcher.look()
    second = world.promote(0.2, version=2)
    world.channel.add_approval(second.digest, world.channel.approvals(first.digest)[0])
    refused(world, NotApproved, "not for")


def test_an_old_state_of_the_channel_is_not_served_again(world: World) -> None:
    world.promote(0.1, version=1)
    world.promote(0.2, version=2)
    assert world.version() == 2
    world.channel.hidden = 1
    assert world.version() == 2
    assert "were taken away" in str(world.watcher.seen.models[MODEL])


def test_a_pointer_in_a_form_of_tomorrow_is_refused_in_words(world: World) -> None:
    world.promote(0.1, version=1)
    world.watcher.look()
    world.promote(0.2, version=2)
    document = {**world.channel.pointer(MODEL, 2).document, "canary": 0.1}
    world.channel.forged = world.office.publisher.sign(document)
    refused(world, Integrity, "another release of the platform")


def stopped(world: World, said: str) -> None:
    """Nothing is answered after a look: readiness and every request say why."""
    assert world.version() is None
    obstacle = world.watcher.obstacle()
    assert isinstance(obstacle, NotApproved)
    assert said in str(obstacle)
    with pytest.raises(NotApproved, match=said):
        world.ask()


def test_an_approval_that_expires_stops_its_model_and_a_new_one_starts_it_again(world: World) -> None:
    bundle = world.promote(0.1, version=1)
    assert world.version() == 1
    world.clock.set(NOW + timedelta(days=364))
    assert world.version() == 1
    world.clock.set(NOW + timedelta(days=366))
    stopped(world, "expired")
    world.approve(bundle)
    assert world.version() == 1
    assert world.watcher.seen.named() == {}
    world.ask()


def test_an_approval_that_expires_between_two_looks_stops_the_very_next_request(world: World) -> None:
    world.promote(0.1, version=1)
    world.watcher.look()
    world.ask()
    world.clock.set(NOW + timedelta(days=366))
    with pytest.raises(NotApproved, match="expired"):
        world.ask()


def test_an_approval_that_is_renewed_in_time_is_taken_over(world: World) -> None:
    bundle = world.promote(0.1, version=1)
    world.watcher.look()
    world.clock.set(NOW + timedelta(days=200))
    world.approve(bundle)
    world.watcher.look()
    world.clock.set(NOW + timedelta(days=400))
    world.ask()
    assert world.version() == 1


def test_an_approval_that_is_deleted_stops_its_model_until_there_is_one_again(world: World) -> None:
    bundle = world.promote(0.1, version=1)
    world.watcher.look()
    world.channel.remove_approval(bundle.digest)
    stopped(world, "withdrawn")
    stopped(world, "nobody approved")
    world.approve(bundle)
    assert world.version() == 1


def test_an_approval_that_is_edited_is_none(world: World) -> None:
    bundle = world.promote(0.1, version=1)
    world.watcher.look()
    signed = world.channel.approvals(bundle.digest)[0]
    world.channel.add_approval(
        bundle.digest, replace(signed, document={**signed.document, "expires_at": "2099-01-01T00:00+00:00"})
    )
    stopped(world, "does not match")


def test_a_release_whose_successor_is_refused_still_needs_its_approval(world: World) -> None:
    first = world.promote(0.1, version=1)
    world.watcher.look()
    world.promote(0.1, version=2, parts={"contract.json": b"{}"})
    assert world.version() == 1
    world.channel.remove_approval(first.digest)
    stopped(world, "withdrawn")


def test_a_stopped_model_is_told_what_is_missing_now(world: World) -> None:
    bundle = world.promote(0.1, version=1)
    world.watcher.look()
    world.channel.remove_approval(bundle.digest)
    stopped(world, "withdrawn")
    world.approve(bundle)
    world.clock.set(NOW + timedelta(days=366))
    stopped(world, "expired")


def test_an_old_state_of_the_channel_does_not_come_back_through_a_stop(world: World) -> None:
    world.promote(0.1, version=1)
    second = world.promote(0.2, version=2)
    assert world.version() == 2
    world.channel.remove_approval(second.digest)
    stopped(world, "withdrawn")
    world.channel.hidden = 1
    assert world.version() is None


def test_a_byte_that_is_flipped_on_the_channel_is_reported_and_the_verified_copy_answers_on(world: World) -> None:
    bundle = world.promote(0.1, version=1)
    world.watcher.look()
    world.channel.spoilt = {**bundle.files, "model.onnx": b"0.9"}
    for _ in range(VERIFY_EVERY - 1):
        assert world.version() == 1
        assert world.watcher.seen.named() == {}
    refused(world, Integrity, "model.onnx does not match")
    refused(world, Integrity, "put back the one from its backup")
    assert b'"probability":0.1' in world.ask()
    world.channel.spoilt = None
    world.watcher.look()
    assert world.watcher.seen.named() == {}


def test_a_bundle_that_is_gone_from_the_channel_is_reported_before_a_restart_needs_it(world: World) -> None:
    world.promote(0.1, version=1)
    world.watcher.look()
    world.channel.gone = True
    for _ in range(VERIFY_EVERY):
        world.watcher.look()
    refused(world, Integrity, "has no bundle")


def test_a_pointer_that_is_replaced_under_its_number_is_reported(world: World) -> None:
    world.promote(0.1, version=1)
    world.watcher.look()
    document = {**world.channel.pointer(MODEL, 1).document, "version": 9}
    world.channel.forged = world.office.publisher.sign(document)
    refused(world, Integrity, "pointer 1 of credit_default was replaced")


def test_an_expired_approval_at_start_serves_nothing(world: World) -> None:
    world.promote(0.1, version=1)
    world.clock.set(NOW + timedelta(days=400))
    assert world.version() is None
    assert "expired" in str(world.watcher.obstacle())


def test_a_validators_key_that_is_withdrawn_stops_what_it_approved(world: World) -> None:
    world.promote(0.1, version=1)
    world.watcher.look()
    world.trust = Trust({Duty.PUBLISH: world.office.trust.keys[Duty.PUBLISH]})
    stopped(world, "not trusted to approve")


def test_a_publishers_key_that_is_withdrawn_is_reported(world: World) -> None:
    world.promote(0.1, version=1)
    world.watcher.look()
    world.trust = Trust({Duty.APPROVE: world.office.trust.keys[Duty.APPROVE]})
    refused(world, NotApproved, "not trusted to publish")


def test_a_trust_file_that_is_away_leaves_the_keys_known_before(world: World) -> None:
    world.promote(0.1, version=1)
    world.watcher.look()
    world.trust = Misconfigured("there is no trust file")
    assert world.version() == 1
    assert "trust file" in str(world.watcher.seen.named()["release channel"])


def test_a_channel_that_goes_away_does_not_stop_the_answers(world: World) -> None:
    world.promote(0.1, version=1)
    world.watcher.look()
    world.channel.down = Unavailable("the release channel does not answer")
    assert world.version() == 1
    assert world.watcher.obstacle() is None
    assert "release channel" in world.watcher.seen.named()
    world.channel.down = None
    world.promote(0.2, version=2)
    assert world.version() == 2
    assert world.watcher.seen.named() == {}


def test_a_channel_whose_folder_is_not_mounted_withdraws_nothing(world: World) -> None:
    world.promote(0.1, version=1)
    world.watcher.look()
    full, world.watcher._channel = world.channel, FakeChannel()
    refused(world, Unavailable, "mounted")
    world.ask()
    world.watcher._channel = full
    world.watcher.look()
    assert world.watcher.seen.named() == {}


def test_an_approval_expires_by_the_clock_also_while_the_channel_is_away(world: World) -> None:
    world.promote(0.1, version=1)
    world.watcher.look()
    world.channel.down = Unavailable("the release channel does not answer")
    assert world.version() == 1
    world.clock.set(NOW + timedelta(days=366))
    stopped(world, "expired")


def test_a_decision_log_that_goes_away_stops_the_answers_until_it_is_back(world: World) -> None:
    world.promote(0.1, version=1)
    world.log.down = Unavailable("the decision log does not answer")
    world.watcher.look()
    assert world.watcher.obstacle() is world.log.down
    world.log.down = None
    world.watcher.look()
    assert world.watcher.obstacle() is None


def test_one_refused_model_does_not_stop_the_other(world: World) -> None:
    world.office.promote(world.channel, fake_bundle(0.1, model="other", parts={"policy.json": b"{}"}))
    world.promote(0.1, version=1)
    assert world.version() == 1
    assert list(world.watcher.seen.models) == ["other"]
    assert world.watcher.obstacle() is None


def test_what_stays_wrong_is_logged_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "steward.serving"):
        for _ in range(3):
            world.watcher.look()
        world.promote(0.1, version=1)
        for _ in range(3):
            world.watcher.look()
    assert [(entry.levelname, entry.message.splitlines()[0]) for entry in caplog.records] == [
        ("WARNING", "release channel: no model has been promoted yet"),
        ("INFO", f"serving {MODEL} version 1, bundle {fake_bundle(0.1).digest[:12]}"),
    ]
