"""What serving does when a person stops a model, and when somebody tampers with the stop."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import timedelta

import pytest

from models.bundle import canonical, sha256
from models.channel import Move, Release, publish
from models.clock import FixedClock
from models.errors import Integrity, NoChampion, NotApproved, Unavailable
from models.governance.signing import Signed, Signer
from models.governance.stop import Stop, Stopped
from serving.answers.answer import Ask
from serving.answers.loaded import LoadedModel
from serving.answers.prediction import Halt
from serving.release.memory import InProcess, Mark, Memory, mark
from serving.release.watching import Watcher
from tests.answering import Answering
from tests.bundles import MODEL, NOW, Office, fake_bundle, record
from tests.fakes.channel import FakeChannel
from tests.fakes.copies import FakeCopies
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.scorer import FakeScorer
from tests.rings import ACCOUNTS

FIRST, SECOND = 0.1, 0.2


class Tampered(FakeChannel):
    """A channel on which somebody can take stop documents away, or bring it down."""

    down = False
    hidden = 0

    def stops(self, model: str) -> int:
        if self.down:
            raise Unavailable("the release channel does not answer")
        return super().stops(model) - self.hidden

    def take_pointer_away(self) -> Signed:
        """The newest one."""
        return self._pointers[MODEL].pop(self.pointers(MODEL))

    def overwrite(self, number: int, signed: Signed) -> None:
        self._stops[MODEL][number] = signed


class World:
    def __init__(self) -> None:
        self.office, self.channel, self.clock, self.log = Office(), Tampered(), FixedClock(NOW), InMemoryDecisionLog()
        self.memory: Memory = InProcess()
        self.restart()
        self.bundles = [fake_bundle(base) for base in (FIRST, SECOND)]
        for version, bundle in enumerate(self.bundles, start=1):
            self.office.promote(self.channel, bundle, version=version)
        self.watcher.look()

    def restart(self) -> None:
        """A service that knows what is on disk, and nothing else."""
        self.predictor = Answering(self.log, self.clock, ACCOUNTS.pseudonym)
        self.watcher = Watcher(
            self.channel, lambda: self.office.trust, self.clock, self.log, self.predictor, load, FakeCopies(), memory=self.memory
        )

    def say(self, *, stopped: bool, reason: str = "scores jump", fallback: str = "", by: Signer | None = None) -> Stop:
        number = self.channel.stops(MODEL) + 1
        said = Stop(MODEL, number, stopped, reason, "on-call", NOW.isoformat(), fallback, 1 if fallback else 0)
        self.channel.add_stop(MODEL, number, (by or self.office.publisher).sign(asdict(said)))
        self.watcher.look()
        return said

    def ask(self) -> str:
        return self.predictor.answer(Ask(MODEL, json.dumps(record()).encode(), "r")).response.decode()


def load(release: Release) -> LoadedModel:
    return LoadedModel.load(release, FakeScorer, 10)


@pytest.fixture
def world() -> World:
    return World()


def test_a_stopped_model_answers_nobody_and_says_why_until_it_goes_on(world: World) -> None:
    world.say(stopped=True)

    with pytest.raises(Stopped, match="credit_default is stopped: scores jump"):
        world.ask()
    assert isinstance(world.watcher.obstacle(), Stopped)
    assert world.predictor.answering == []
    assert not world.log.decisions

    world.say(stopped=False)
    assert '"version":2' in world.ask()
    assert world.watcher.obstacle() is None
    assert world.watcher.seen.named() == {}


def test_a_stop_that_is_obeyed_is_an_obstacle_before_the_look_that_found_it_is_over(world: World) -> None:
    """The look goes on, through approvals and local copies, before its findings can be read."""
    before = world.watcher.seen
    world.predictor.halt(MODEL, Halt(Stopped("credit_default is stopped: scores jump", "make resume")))

    assert world.watcher.seen is before
    assert isinstance(world.watcher.obstacle(), Stopped)


def test_a_fallback_answers_and_is_marked_in_answer_and_log(world: World) -> None:
    world.say(stopped=True, fallback=world.bundles[0].digest)

    answered = world.ask()
    assert f'"version":1,"bundle":"{world.bundles[0].digest}","fallback":"scores jump"' in answered
    (logged,) = world.log.decisions.values()
    assert (logged.bundle, logged.fallback) == (world.bundles[0].digest, "scores jump")
    assert world.watcher.obstacle() is None
    assert [model.pointer.version for model in world.predictor.answering] == [1]

    world.say(stopped=False)
    assert "fallback" not in world.ask()


def test_a_champion_promoted_during_a_stop_answers_only_after_it(world: World) -> None:
    world.say(stopped=True)
    world.office.promote(world.channel, fake_bundle(0.3), version=3)
    world.watcher.look()

    with pytest.raises(Stopped):
        world.ask()
    world.say(stopped=False)
    assert '"version":3' in world.ask()


def test_a_fallback_whose_approval_ended_does_not_answer(world: World) -> None:
    world.say(stopped=True, fallback=world.bundles[0].digest)
    world.clock.set(NOW + timedelta(days=366))
    with pytest.raises(NotApproved, match="expired"):
        world.ask()

    world.watcher.look()
    with pytest.raises(Stopped, match="its fallback cannot answer: the approval expired"):
        world.ask()


def test_a_fallback_whose_approval_was_taken_away_does_not_answer(world: World) -> None:
    world.channel.remove_approval(world.bundles[0].digest)
    world.say(stopped=True, fallback=world.bundles[0].digest)

    with pytest.raises(Stopped, match="its fallback cannot answer: nobody approved"):
        world.ask()


def test_the_publishers_key_and_an_approval_do_not_make_a_fallback_of_what_was_never_promoted(world: World) -> None:
    """Approved once, then rejected in the ledger, which serving does not read."""
    other, elsewhere = fake_bundle(0.5), FakeChannel()
    world.office.promote(elsewhere, other)
    world.channel.add_bundle(other.digest, other.files)
    world.channel.add_approval(other.digest, elsewhere.approvals(other.digest)[0])
    world.say(stopped=True, fallback=other.digest)

    with pytest.raises(Stopped, match=r"its fallback cannot answer: bundle .* was never in force"):
        world.ask()


def test_what_was_rolled_back_does_not_answer_as_a_fallback(world: World) -> None:
    first, second = (bundle.digest for bundle in world.bundles)
    publish(
        world.channel,
        world.office.publisher,
        world.office.trust,
        model=MODEL,
        version=1,
        bundle=first,
        expected=second,
        now=NOW + timedelta(hours=1),
        reason="too strict",
        move=Move.ROLL_BACK,
        asked_by="on-call",
    )
    world.say(stopped=True, fallback=second)

    with pytest.raises(Stopped, match=r"its fallback cannot answer: bundle .* was rolled back: too strict"):
        world.ask()


def resigned_by_a_stranger(world: World, said: Stop) -> None:
    stranger = Office().publisher
    world.channel.overwrite(1, stranger.sign(asdict(replace(said, stopped=False))))


def edited(world: World, said: Stop) -> None:
    signed = world.channel.stop(MODEL, said.sequence)
    world.channel.overwrite(1, replace(signed, document={**signed.document, "stopped": False}))


def taken_away(world: World, _said: Stop) -> None:
    world.channel.hidden = 1


def an_older_one_played_again(world: World, said: Stop) -> None:
    world.say(stopped=False)
    over = world.channel.stop(MODEL, 2)
    world.say(stopped=True)
    assert said.stopped
    world.channel.overwrite(3, over)


@pytest.mark.parametrize("tamper", [resigned_by_a_stranger, edited, taken_away, an_older_one_played_again])
def test_whoever_tampers_with_a_stop_does_not_lift_it(tamper: Callable[[World, Stop], None], world: World) -> None:
    said = world.say(stopped=True)
    tamper(world, said)
    world.watcher.look()

    with pytest.raises(Stopped, match="cannot be trusted"):
        world.ask()


@pytest.mark.parametrize("tamper", [resigned_by_a_stranger, edited, taken_away, an_older_one_played_again])
def test_nor_does_a_restart_after_it(tamper: Callable[[World, Stop], None], world: World) -> None:
    said = world.say(stopped=True)
    tamper(world, said)
    world.restart()
    world.watcher.look()

    with pytest.raises(Stopped, match="cannot be trusted"):
        world.ask()


def test_a_number_that_was_given_to_another_document_lifts_no_stop(world: World) -> None:
    said = world.say(stopped=True)
    world.channel.overwrite(1, world.office.publisher.sign(asdict(replace(said, stopped=False))))
    for restart in (lambda: None, world.restart):
        restart()
        world.watcher.look()
        with pytest.raises(Stopped, match="number 1 is another document than was seen here"):
            world.ask()


def test_a_champion_that_was_taken_away_is_not_replaced_by_its_predecessor_after_a_restart(world: World) -> None:
    newest = world.channel.take_pointer_away()
    world.restart()
    world.watcher.look()

    with pytest.raises(NoChampion):
        world.ask()
    assert "were taken away from the release channel: 1 is the newest, and 2" in str(world.watcher.obstacle())
    world.channel.add_pointer(MODEL, 2, newest)
    world.watcher.look()
    assert '"version":2' in world.ask()


def test_a_pointer_number_that_was_given_away_again_is_not_served_after_a_restart(world: World) -> None:
    world.channel.take_pointer_away()
    world.office.promote(world.channel, fake_bundle(0.4), version=9)
    world.restart()
    world.watcher.look()

    with pytest.raises(NoChampion):
        world.ask()
    assert "number 2 is another document" in str(world.watcher.obstacle())


class Broken(InProcess):
    """A disk that is full, or a file that cannot be read."""

    def __init__(self, *, read: bool) -> None:
        super().__init__()
        self._read = read

    def marks(self) -> Mapping[str, Mark]:
        if self._read:
            raise Integrity("what was seen last is not known")
        return super().marks()

    def keep(self, marks: Mapping[str, Mark]) -> None:
        raise Unavailable("the disk is full")


def test_who_cannot_remember_obeys_and_says_so(world: World) -> None:
    world.memory = Broken(read=False)
    world.restart()
    world.watcher.look()
    assert '"version":2' in world.ask()
    assert "the disk is full" in str(world.watcher.seen.models[MODEL])
    world.say(stopped=True)
    with pytest.raises(Stopped, match="scores jump"):
        world.ask()


def test_who_does_not_know_what_was_seen_serves_nothing(world: World) -> None:
    world.memory = Broken(read=True)
    world.restart()
    world.watcher.look()
    with pytest.raises(Stopped, match="not known"):
        world.ask()


def test_a_stop_that_nobody_trusted_signed_stops_too(world: World) -> None:
    """Fail-closed: an answer that should not have been given cannot be taken back."""
    world.say(stopped=True, by=Office().publisher)

    with pytest.raises(Stopped, match="cannot be trusted"):
        world.ask()


@pytest.mark.parametrize("stopped", [True, False])
def test_a_channel_that_goes_away_changes_nothing(*, stopped: bool, world: World) -> None:
    world.say(stopped=True)
    world.say(stopped=stopped)
    world.channel.down = True
    world.watcher.look()

    assert (world.predictor.answering == []) is stopped


def test_what_was_seen_of_a_stop_by_the_release_before_is_still_known() -> None:
    said = {"model": MODEL, "sequence": 1, "stopped": True, "reason": "r", "asked_by": "a", "at": "now"}
    before = said | {"fallback": "", "fallback_version": 0}
    assert mark(Stop(MODEL, 1, True, "r", "a", "now")) == (1, sha256(canonical(before)))
