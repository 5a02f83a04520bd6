"""A canary decides for whom it was drawn, is named where it decided, and falls back to the champion in the same request."""

from dataclasses import replace

import pytest

from models.errors import Integrity, Unavailable
from models.rollout import CANARY, CONTROL, Mode
from serving.answers.prediction import Halt
from tests.bundles import MODEL, NOW
from tests.trying import WEEK, World, limits


@pytest.fixture
def world() -> World:
    return World()


def logged(world: World) -> dict[str, tuple[str, int, int]]:
    """By decision: its arm, its roll-out, and the version that decided."""
    return {identity: (row.arm, row.rollout, row.version) for identity, row in world.log.decisions.items()}


def test_an_account_is_decided_by_the_bundle_that_it_was_drawn_to_and_that_is_named(world: World) -> None:
    begun = world.approved()
    (control,), (canary,) = (world.drawn(begun, arm, 1) for arm in (CONTROL, CANARY))

    by_champion, by_challenger = world.score(control), world.score(canary)

    assert (by_champion["version"], by_champion["bundle"]) == (1, world.champion.digest)
    assert (by_challenger["version"], by_challenger["bundle"]) == (2, world.challenger.digest)
    assert [said["answers"][0]["probability"] for said in (by_champion, by_challenger)] == [0.1, 0.35]
    assert not {"version", "bundle"} & (by_champion["answers"][0].keys() | by_challenger["answers"][0].keys())
    assert logged(world) == {"id1-0": (CONTROL, 1, 1), "id2-0": (CANARY, 1, 2)}
    assert [row.bundle for row in world.log.decisions.values()] == [world.champion.digest, world.challenger.digest]


def test_a_request_of_several_accounts_follows_each_of_them_and_names_what_decided_where_it_is_another(world: World) -> None:
    begun = world.approved()
    control, canary = (world.drawn(begun, arm, 2) for arm in (CONTROL, CANARY))

    said = world.score(canary[0], control[0], canary[1], control[1])

    assert (said["version"], said["bundle"]) == (1, world.champion.digest)
    named = [(each["probability"], each.get("version"), each.get("bundle")) for each in said["answers"]]
    other = (0.35, 2, world.challenger.digest)
    assert named == [other, (0.1, None, None), other, (0.1, None, None)]
    assert [arm for arm, _, _ in logged(world).values()] == [CANARY, CONTROL, CANARY, CONTROL]
    assert [each["decision_id"] for each in said["answers"]] == ["id1-0", "id1-1", "id1-2", "id1-3"]


def test_the_same_account_gets_the_same_version_every_time(world: World) -> None:
    world.approved(share=0.3)
    accounts = [f"A{number}" for number in range(60)]
    first = {account: world.score(account)["version"] for account in accounts}
    world.restart()
    world.watcher.look()

    assert {account: world.score(account)["version"] for account in accounts} == first
    assert set(first.values()) == {1, 2}


def test_where_the_challenger_fails_the_champion_answers_in_the_same_request(world: World) -> None:
    begun = world.approved()
    control, canary = (world.drawn(begun, arm, 2) for arm in (CONTROL, CANARY))
    world.break_challenger()

    said = world.score(*canary, *control)

    assert (said["version"], [each["probability"] for each in said["answers"]]) == (1, [0.1] * 4)
    assert not any("version" in each for each in said["answers"])
    assert list(logged(world).values()) == [(CANARY, 1, 1)] * 2 + [(CONTROL, 1, 1)] * 2
    assert world.trial
    assert world.trial.failures == 1


def test_what_the_challenger_gives_that_is_no_probability_is_a_failure(world: World) -> None:
    begun = world.approved()
    (canary,) = world.drawn(begun, CANARY, 1)
    world.break_challenger(broken=False, over=666.0)

    assert world.score(canary, bill_0=666.0)["version"] == 1
    assert world.score(canary, bill_0=667.0)["version"] == 2


def test_after_so_many_failures_in_a_row_the_process_asks_the_challenger_no_more_and_says_so(world: World) -> None:
    world.approve()
    begun = world.begin(limits(world.document(), failures_in_a_row=3))
    (canary,) = world.drawn(begun, CANARY, 1)
    world.break_challenger()
    for _ in range(3):
        assert world.score(canary)["version"] == 1
    world.break_challenger(broken=False)

    assert world.score(canary)["version"] == 1
    assert list(logged(world).values()) == [(CANARY, 1, 1)] * 4
    world.watcher.look()
    assert world.problem
    assert "version 2 failed 3 times in a row, and is asked no more: RuntimeError" in world.problem.problem
    assert "A1" not in str(world.problem)


def test_failures_with_answers_between_them_are_left_to_the_judge(world: World) -> None:
    world.approve()
    begun = world.begin(limits(world.document(), failures_in_a_row=2))
    (canary,) = world.drawn(begun, CANARY, 1)
    for _ in range(3):
        world.break_challenger()
        world.score(canary)
        world.break_challenger(broken=False)
        assert world.score(canary)["version"] == 2
    world.watcher.look()
    assert world.problem is None


def test_a_challenger_whose_approval_ends_between_two_looks_decides_nothing(world: World) -> None:
    world.approve(valid_for=WEEK / 2)
    begun = world.begin()
    (canary,) = world.drawn(begun, CANARY, 1)
    assert world.score(canary)["version"] == 2

    world.clock.set(NOW + WEEK / 2)
    assert world.score(canary)["version"] == 1
    assert list(logged(world).values())[-1] == (CANARY, 1, 1)


def test_at_its_last_instant_a_rollout_is_over_also_between_two_looks(world: World) -> None:
    begun = world.approved()
    (canary,) = world.drawn(begun, CANARY, 1)
    world.clock.set(begun.ends)

    assert world.score(canary)["version"] == 1
    assert list(logged(world).values()) == [("", 0, 1)]


def test_what_was_swapped_in_since_is_tried_with_nothing_also_before_the_next_look(world: World) -> None:
    begun = world.approved()
    (canary,) = world.drawn(begun, CANARY, 1)
    served = world.predictor.models[MODEL]
    world.predictor.swap(replace(served, release=replace(served.release, pointer=replace(served.pointer, sequence=2))))

    assert world.trial
    assert world.score(canary)["version"] == 1
    assert list(logged(world).values()) == [("", 0, 1)]


def test_what_stands_in_for_a_stopped_champion_is_tried_with_nothing(world: World) -> None:
    begun = world.approved()
    (canary,) = world.drawn(begun, CANARY, 1)
    served = world.predictor.models[MODEL]
    stand_in = replace(served.release, pointer=replace(served.pointer, sequence=0))
    world.predictor.halt(MODEL, Halt(Unavailable("stopped"), replace(served, release=stand_in, fallback="a drill")))

    assert world.score(canary)["fallback"] == "a drill"
    assert list(logged(world).values()) == [("", 0, 1)]


def test_a_shadow_decides_nothing(world: World) -> None:
    world.begin(mode=Mode.SHADOW)
    assert world.trial
    said = world.score(*(f"A{number}" for number in range(20)))

    assert (said["version"], {each["probability"] for each in said["answers"]}) == (1, {0.1})
    assert set(logged(world).values()) == {("", 0, 1)}


def test_a_champion_that_fails_refuses_as_ever(world: World) -> None:
    begun = world.approved()
    (control,) = world.drawn(begun, CONTROL, 1)
    champion = world.predictor.models[MODEL].scorer
    champion.over = 666.0  # type: ignore[attr-defined]

    with pytest.raises(Integrity):
        world.score(control, bill_0=666.0)
    assert world.log.decisions == {}


def test_an_idempotency_key_keeps_the_answer_of_the_arm(world: World) -> None:
    begun = world.approved()
    (canary,) = world.drawn(begun, CANARY, 1)
    first = world.score(canary, key="k")
    world.end(begun)

    assert world.score(canary, key="k") == first
    assert first["version"] == 2
