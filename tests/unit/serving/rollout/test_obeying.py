"""Which roll-outs a service tries, and what it makes of documents that somebody tampered with."""

import json
from dataclasses import replace

import pytest

from models.channel import Move, publish
from models.rollout import CANARY, End, Mode, Outcome
from tests.bundles import MODEL, NOW, fake_bundle
from tests.office import contract_part
from tests.trying import WEEK, World


@pytest.fixture
def world() -> World:
    return World()


def test_a_canary_is_tried_when_it_is_approved_and_not_before(world: World) -> None:
    world.begin()
    assert world.trial is None
    assert world.problem
    assert "nobody approved" in world.problem.problem

    world.approve()
    world.watcher.look()
    assert world.trial
    assert world.problem is None
    assert world.watcher.obstacle() is None


def test_a_shadow_needs_no_approval(world: World) -> None:
    world.begin(mode=Mode.SHADOW)
    assert world.trial
    assert world.trial.challenger.pointer.version == 2


def test_the_challenger_is_loaded_once_and_let_go_when_the_rollout_ends(world: World) -> None:
    begun = world.approved()
    before = world.loads
    for _ in range(3):
        world.watcher.look()
    assert world.loads == before

    world.end(begun)
    assert world.trial is None
    assert world.problem is None


def test_what_nobody_can_read_ends_the_trial_and_an_end_over_it_ends_it_for_good(world: World) -> None:
    begun = world.approved()
    world.begin(world.document(), by=world.office.approver)
    assert world.trial is None
    assert world.problem
    assert "make end-rollout" in world.problem.hint

    said = End(MODEL, 3, begun.number, Outcome.ENDED, NOW.isoformat(), "ana", "somebody writes there", over=(2,))
    world.channel.add_rollout(MODEL, 3, world.office.publisher.sign(said.to_document()))
    world.channel.remove_rollout(MODEL, 2)
    world.watcher.look()
    assert world.predictor.trials == {}
    assert world.watcher.seen.models == {}


def test_approvals_that_were_withdrawn_end_the_trial_and_new_ones_bring_it_back(world: World) -> None:
    world.approved()
    world.channel.remove_approval(world.challenger.digest)
    world.watcher.look()
    assert world.trial is None
    assert world.problem

    world.approve()
    world.watcher.look()
    assert world.trial


def test_a_renewed_approval_is_taken_over_without_loading_anew(world: World) -> None:
    world.approve(valid_for=WEEK / 2)
    world.begin()
    before = world.loads
    world.approve()
    world.watcher.look()

    assert world.trial
    assert (world.trial.challenger.expires_at, world.loads) == (NOW + 2 * WEEK, before)


def test_it_is_over_when_its_time_is(world: World) -> None:
    begun = world.approved()
    world.clock.set(begun.ends)
    world.watcher.look()
    assert world.trial is None
    assert world.problem is None


def test_a_promotion_and_the_roll_back_from_it_end_it(world: World) -> None:
    world.approved()
    third = fake_bundle(0.2)
    world.office.promote(world.channel, third, version=3)
    world.watcher.look()
    assert world.trial is None

    publish(
        world.channel,
        world.office.publisher,
        world.office.trust,
        model=MODEL,
        version=1,
        bundle=world.champion.digest,
        expected=third.digest,
        now=NOW,
        reason="worse",
        move=Move.ROLL_BACK,
        asked_by="on-call",
    )
    world.watcher.look()
    assert world.predictor.models[MODEL].pointer.version == 1
    assert world.trial is None


def test_a_document_that_nobody_who_may_signed_is_refused_and_the_champion_serves_on(world: World) -> None:
    world.approve()
    world.begin(by=world.office.approver)
    assert world.trial is None
    assert world.problem
    assert world.score("A1")["version"] == 1


def test_an_edited_document_ends_what_was_tried(world: World) -> None:
    begun = world.approved()
    signed = world.channel.rollout(MODEL, begun.number)
    world.channel.remove_rollout(MODEL, begun.number)
    world.channel.add_rollout(MODEL, begun.number, replace(signed, document={**signed.document, "share": 0.01}))
    world.watcher.look()

    assert world.trial is None
    assert world.problem


def test_an_end_that_was_taken_away_does_not_bring_the_challenger_back_not_even_after_a_restart(world: World) -> None:
    begun = world.approved()
    world.end(begun)
    world.channel.remove_rollout(MODEL, 2)
    world.watcher.look()
    assert world.trial is None
    assert world.problem
    assert "taken away" in world.problem.problem
    assert "make end-rollout" in world.problem.hint

    world.restart()
    world.watcher.look()
    assert world.trial is None
    assert world.problem


def test_an_old_document_that_is_played_again_is_refused(world: World) -> None:
    begun = world.approved()
    world.end(begun)
    world.channel.add_rollout(MODEL, 3, world.channel.rollout(MODEL, 1))
    world.watcher.look()
    assert world.trial is None
    assert world.problem
    assert "played again" in str(world.problem)


def test_a_number_that_was_given_to_another_document_is_refused(world: World) -> None:
    begun = world.approved()
    world.channel.remove_rollout(MODEL, begun.number)
    world.begin(replace(begun, share=0.4))
    assert world.trial is None
    assert world.problem
    assert "another document" in world.problem.problem


def test_a_bundle_that_was_tampered_with_is_refused(world: World) -> None:
    world.approve()
    world.channel.remove_bundle(world.challenger.digest)
    world.channel.add_bundle(world.challenger.digest, {**world.challenger.files, "model.onnx": b"0.9"})
    world.begin()
    assert world.trial is None
    assert world.problem


def test_a_challenger_whose_golden_rows_score_otherwise_is_refused() -> None:
    golden = {**json.loads(fake_bundle(0.35).files["golden.json"]), "probabilities": [0.5, 0.5, 0.5]}
    world = World(parts={"golden.json": json.dumps(golden).encode()})
    world.approve()
    world.begin()
    assert world.trial is None
    assert world.problem
    assert "golden" in world.problem.problem


def test_a_contract_that_parts_from_the_champions_is_refused() -> None:
    world = World(parts={"contract.json": contract_part(version=2, most=1_000_000)})
    world.begin(mode=Mode.SHADOW)
    assert world.trial is None
    assert world.problem
    assert "contract differs" in world.problem.problem


def test_a_channel_that_is_away_changes_nothing_and_a_start_without_it_tries_nothing(world: World) -> None:
    begun = world.approved()
    (canary,) = world.drawn(begun, CANARY, 1)
    world.channel.down = True
    world.watcher.look()
    assert world.trial
    assert world.score(canary)["version"] == 2

    world.restart()
    world.watcher.look()
    assert world.trial is None
    world.channel.down = False
    world.watcher.look()
    assert world.trial


def test_a_process_that_starts_asks_again_what_another_had_given_up(world: World) -> None:
    begun = world.approved()
    (canary,) = world.drawn(begun, CANARY, 1)
    world.break_challenger()
    for _ in range(begun.guardrails.failures_in_a_row):
        world.score(canary)
    world.watcher.look()
    assert world.problem

    world.restart()
    world.watcher.look()
    assert world.problem is None
    assert world.score(canary)["version"] == 2
