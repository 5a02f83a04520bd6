"""What a service does that starts while the release channel is away, and what it keeps for that day."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import timedelta

import pytest

from models.bundle import Bundle
from models.channel import Release
from models.clock import FixedClock
from models.errors import Integrity, NoChampion, NotApproved, PlatformError, Unavailable
from models.governance.approval import approve
from models.governance.signing import Duty, Signed, Trust
from models.governance.stop import Stop, Stopped
from serving.answers.answer import Ask
from serving.answers.loaded import LoadedModel
from serving.release.copies import Copy
from serving.release.memory import InProcess
from serving.release.watching import Watcher
from tests.answering import Answering
from tests.bundles import MODEL, NOW, Office, fake_bundle, record
from tests.fakes.channel import FakeChannel
from tests.fakes.copies import FakeCopies
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.scorer import FakeScorer
from tests.rings import ACCOUNTS

VERIFY_EVERY = 3


class FarChannel(FakeChannel):
    """It can go away in two ways, and a bundle on it can be spoilt."""

    down = False
    unmounted = False
    spoilt = ""
    no_stops = False

    def _answer(self) -> None:
        if self.down:
            raise Unavailable("the release channel does not answer")

    def models(self) -> list[str]:
        self._answer()
        return [] if self.unmounted else super().models()

    def pointers(self, model: str) -> int:
        self._answer()
        return 0 if self.unmounted else super().pointers(model)

    def approvals(self, bundle: str) -> tuple[Signed, ...]:
        self._answer()
        return () if self.unmounted else super().approvals(bundle)

    def stops(self, model: str) -> int:
        self._answer()
        return 0 if self.unmounted or self.no_stops else super().stops(model)

    def bundle(self, digest: str) -> Mapping[str, bytes]:
        files = super().bundle(digest)
        return {**files, "model.onnx": b"0.9"} if digest == self.spoilt else files


class World:
    """One home: copies and memory outlive a service. `base` of the champion in force is its version's tenth."""

    def __init__(self) -> None:
        self.office, self.channel, self.clock, self.log = Office(), FarChannel(), FixedClock(NOW), InMemoryDecisionLog()
        self.copies, self.memory, self.trust = FakeCopies(), InProcess(), self.office.trust
        self.bundles: dict[int, Bundle] = {}
        self.promote(1)
        self.promote(2)
        self.start()

    def promote(self, version: int) -> None:
        self.bundles[version] = fake_bundle(version / 10)
        self.office.promote(self.channel, self.bundles[version], version=version, now=self.clock.now())

    def start(self) -> None:
        self.predictor = Answering(self.log, self.clock, ACCOUNTS.pseudonym)
        self.watcher = Watcher(
            self.channel,
            lambda: self.trust,
            self.clock,
            self.log,
            self.predictor,
            load,
            self.copies,
            VERIFY_EVERY,
            memory=self.memory,
        )
        self.watcher.look()

    def say(self, *, stopped: bool, fallback: str = "") -> None:
        number = FakeChannel.stops(self.channel, MODEL) + 1
        said = Stop(MODEL, number, stopped, "scores jump", "on-call", NOW.isoformat(), fallback, 1 if fallback else 0)
        self.channel.add_stop(MODEL, number, self.office.publisher.sign(asdict(said)))
        self.watcher.look()

    def approve(self, version: int) -> None:
        bundle = self.bundles[version].digest
        said = approve(
            self.office.approver,
            model=MODEL,
            bundle=bundle,
            evidence="e" * 64,
            trainer="pipeline",
            now=self.clock.now(),
            comment="again",
        )
        self.channel.add_approval(bundle, said)

    def answered(self) -> int:
        body = self.predictor.answer(Ask(MODEL, json.dumps(record()).encode(), "r")).response
        return int(json.loads(body)["version"])

    def change(self, **changes: object) -> None:
        """Edit the copy."""
        self.copies.kept[MODEL] = replace(self.copies.kept[MODEL], **changes)  # type: ignore[arg-type]


def load(release: Release) -> LoadedModel:
    return LoadedModel.load(release, FakeScorer, 10)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(params=["down", "unmounted"])
def away(request: pytest.FixtureRequest, world: World) -> Callable[[], None]:
    """A new start, with a channel that does not answer or one whose folder is empty."""

    def start() -> None:
        setattr(world.channel, request.param, True)
        world.start()

    return start


def test_the_last_verified_release_answers_marked_stale_until_the_channel_is_back(world: World, away: Callable[[], None]) -> None:
    assert world.watcher.seen.stale == frozenset()
    away()
    assert world.answered() == 2
    assert world.watcher.obstacle() is None
    assert world.watcher.seen.stale == {MODEL}
    assert world.watcher.seen.named()

    world.channel.down = world.channel.unmounted = False
    world.watcher.look()
    assert world.watcher.seen.stale == frozenset()
    assert world.watcher.seen.named() == {}
    assert world.answered() == 2


def test_a_promotion_that_was_missed_is_taken_over_when_the_channel_is_back(world: World, away: Callable[[], None]) -> None:
    away()
    world.channel.down = world.channel.unmounted = False
    world.promote(3)
    world.watcher.look()
    assert world.answered() == 3


def test_a_running_service_whose_channel_goes_away_is_stale_too(world: World) -> None:
    world.channel.down = True
    world.watcher.look()
    assert world.watcher.seen.stale == {MODEL}
    assert world.answered() == 2


def test_a_first_start_without_a_channel_has_nothing_to_answer_with(world: World, away: Callable[[], None]) -> None:
    world.copies.kept.clear()
    away()
    with pytest.raises(NoChampion):
        world.answered()
    assert world.watcher.obstacle() is world.watcher.seen.channel


def refused(world: World, kind: type[PlatformError], said: str) -> None:
    with pytest.raises(NoChampion):
        world.answered()
    problem = world.watcher.seen.models[f"local copy of {MODEL}"]
    assert isinstance(problem, kind)
    assert "the local copy of credit_default is refused" in str(problem)
    assert said in str(problem)
    assert world.watcher.obstacle() is problem


def test_a_flipped_byte_in_the_copy_is_refused(world: World, away: Callable[[], None]) -> None:
    digest = world.bundles[2].digest
    files = {**world.bundles[2].files, "model.onnx": b"0.9"}
    world.change(bundles={**world.copies.kept[MODEL].bundles, digest: files})
    away()
    refused(world, Integrity, "model.onnx does not match its digest")


def test_golden_rows_are_scored_again(world: World, away: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeScorer, "probabilities", lambda _self, rows: rows[:, 0] * 0 + 0.7)
    away()
    refused(world, Integrity, "golden rows score differently")


def test_an_approval_that_expired_meanwhile_is_refused(world: World, away: Callable[[], None]) -> None:
    world.clock.set(NOW + timedelta(days=366))
    away()
    refused(world, NotApproved, "expired")


def test_a_copy_without_its_approval_is_refused(world: World, away: Callable[[], None]) -> None:
    world.change(approvals={})
    away()
    refused(world, NotApproved, "nobody approved")


def test_a_copy_signed_with_a_wrong_key_is_refused(world: World, away: Callable[[], None]) -> None:
    forged = Office().publisher.sign(world.copies.kept[MODEL].pointers[2].document)
    world.change(pointers={**world.copies.kept[MODEL].pointers, 2: forged})
    away()
    refused(world, NotApproved, "the signature of 'pipeline' does not match")


def test_a_key_that_was_withdrawn_meanwhile_is_refused(world: World, away: Callable[[], None]) -> None:
    world.trust = Trust({Duty.PUBLISH: world.office.trust.keys[Duty.PUBLISH]})
    away()
    refused(world, NotApproved, "not trusted to approve")


def test_the_predecessor_is_part_of_the_copy_for_an_edited_policy_asks_for_two(world: World, away: Callable[[], None]) -> None:
    assert set(world.copies.kept[MODEL].bundles) == {world.bundles[1].digest, world.bundles[2].digest}
    world.change(bundles={world.bundles[2].digest: world.bundles[2].files})
    away()
    refused(world, Integrity, f"has no bundle {world.bundles[1].digest[:12]}")


def test_a_copy_of_before_the_newest_champion_is_refused(world: World, away: Callable[[], None]) -> None:
    before = world.copies.kept[MODEL]
    world.promote(3)
    world.watcher.look()
    world.copies.kept[MODEL] = before
    away()
    refused(world, Integrity, "2 is the newest, and 3 was seen here")


def test_a_stop_that_was_obeyed_holds_while_the_channel_is_away(world: World, away: Callable[[], None]) -> None:
    world.say(stopped=True)
    away()
    with pytest.raises(Stopped, match="scores jump"):
        world.answered()

    world.channel.down = world.channel.unmounted = False
    world.say(stopped=False)
    assert world.answered() == 2


def test_a_stop_that_is_missing_from_the_copy_is_remembered(world: World, away: Callable[[], None]) -> None:
    world.say(stopped=True)
    world.change(stops={})
    away()
    with pytest.raises(Stopped, match="cannot be trusted"):
        world.answered()


def test_the_fallback_of_a_stop_answers_from_the_copy_too(world: World, away: Callable[[], None]) -> None:
    world.say(stopped=True, fallback=world.bundles[1].digest)
    away()
    assert world.answered() == 1


def test_a_model_that_was_let_go_on_answers_from_the_copy(world: World, away: Callable[[], None]) -> None:
    world.say(stopped=True)
    world.say(stopped=False)
    away()
    assert world.answered() == 2


def test_a_stop_that_nobody_can_verify_leaves_no_copy_to_start_from(world: World, away: Callable[[], None]) -> None:
    world.channel.add_stop(MODEL, 1, Office().publisher.sign({"model": MODEL}))
    world.watcher.look()
    assert world.copies.kept == {}
    away()
    with pytest.raises(NoChampion):
        world.answered()


def test_a_stop_on_a_channel_that_is_there_counts_whatever_the_copy_says(world: World) -> None:
    world.say(stopped=True)
    world.say(stopped=False)
    world.channel.spoilt = world.bundles[2].digest
    said = Stop(MODEL, 3, True, "jumps again", "on-call", NOW.isoformat())
    world.channel.add_stop(MODEL, 3, world.office.publisher.sign(asdict(said)))
    world.start()
    with pytest.raises(Stopped, match="jumps again"):
        world.answered()
    assert MODEL in world.predictor.models


def test_stops_that_were_taken_away_from_a_channel_that_is_there_stop_whatever_the_copy_says(world: World) -> None:
    world.say(stopped=True)
    world.say(stopped=False)
    world.channel.spoilt = world.bundles[2].digest
    world.channel.no_stops = True
    world.start()
    with pytest.raises(Stopped, match="cannot be trusted"):
        world.answered()


def test_a_channel_that_is_unmounted_while_a_fallback_answers_leaves_the_copy(world: World) -> None:
    world.say(stopped=True, fallback=world.bundles[1].digest)
    world.channel.unmounted = True
    world.watcher.look()
    world.start()
    assert world.answered() == 1


def test_what_was_stopped_does_not_answer_again_though_its_copy_cannot_be_removed(world: World) -> None:
    world.copies.down = Unavailable("Read-only file system")
    world.channel.remove_approval(world.bundles[2].digest)
    world.watcher.look()
    world.channel.down = True
    world.watcher.look()
    with pytest.raises(NotApproved, match="withdrawn"):
        world.answered()


def test_what_is_refused_on_the_channel_does_not_keep_the_last_verified_from_starting(world: World) -> None:
    world.promote(3)
    world.channel.spoilt = world.bundles[3].digest
    world.start()
    assert world.answered() == 2
    assert world.watcher.seen.stale == {MODEL}
    assert "model.onnx does not match" in str(world.watcher.seen.models[MODEL])
    world.channel.spoilt = ""
    world.watcher.look()
    assert world.answered() == 3


def test_an_approval_that_is_withdrawn_takes_the_copy_with_it(world: World, away: Callable[[], None]) -> None:
    world.channel.remove_approval(world.bundles[2].digest)
    world.watcher.look()
    assert world.copies.kept == {}
    away()
    with pytest.raises(NoChampion):
        world.answered()


def test_an_approval_that_was_withdrawn_while_no_service_ran_does_not_come_back_with_an_outage(
    world: World, away: Callable[[], None]
) -> None:
    world.channel.remove_approval(world.bundles[2].digest)
    world.start()
    refused(world, NotApproved, "was withdrawn")
    away()
    with pytest.raises(NoChampion):
        world.answered()


def test_an_approval_that_is_renewed_is_copied(world: World, away: Callable[[], None]) -> None:
    world.clock.set(NOW + timedelta(days=200))
    world.approve(2)
    world.watcher.look()
    world.clock.set(NOW + timedelta(days=400))
    away()
    assert world.answered() == 2


def test_a_copy_holds_the_champion_in_force_and_nothing_older(world: World) -> None:
    world.promote(3)
    world.watcher.look()
    copy = world.copies.kept[MODEL]
    assert set(copy.pointers) == {3}
    assert set(copy.bundles) == {world.bundles[2].digest, world.bundles[3].digest}
    assert set(copy.approvals) == {world.bundles[3].digest}


def test_a_copy_is_made_of_what_is_served_though_something_newer_is_refused(world: World, away: Callable[[], None]) -> None:
    world.promote(3)
    world.channel.spoilt = world.bundles[3].digest
    world.say(stopped=True)
    away()
    with pytest.raises(Stopped, match="scores jump"):
        world.answered()
    assert world.predictor.models[MODEL].pointer.version == 2


def test_a_copy_that_cannot_be_kept_is_told_and_tried_again(world: World) -> None:
    world.copies.down = Unavailable("no local copy can be kept: Read-only file system")
    world.promote(3)
    for _ in range(VERIFY_EVERY):
        world.watcher.look()
        assert world.answered() == 3
        assert world.watcher.seen.models[f"local copy of {MODEL}"] is world.copies.down
        assert world.watcher.obstacle() is None
    world.copies.down = None
    for _ in range(VERIFY_EVERY):
        world.watcher.look()
    assert world.watcher.seen.named() == {}
    assert set(world.copies.kept[MODEL].pointers) == {3}


def test_a_copy_that_was_lost_is_made_anew(world: World) -> None:
    world.copies.kept.clear()
    for _ in range(VERIFY_EVERY + 1):
        world.watcher.look()
    assert isinstance(world.copies.kept[MODEL], Copy)
