"""Off the hot path: the other bundle scores what was answered; kept, counted, dropped when there is no room, never waited for."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from models.errors import PlatformError, Unavailable
from models.rollout import CANARY, CONTROL, Mode
from monitoring.trials import Shadow
from serving.answers.answer import Answer, Ask
from serving.answers.desk import Desk
from serving.durability.recording import Recorder
from serving.rollout import scoring
from serving.rollout.counting import rolled_out
from serving.rollout.scoring import TIMED, TIMED_AT_FIRST, shadows
from serving.rollout.shadowing import Shadowing
from serving.telemetry.metering import Meter
from tests.bundles import MODEL, NOW, record
from tests.fakes.threads import no_more_threads
from tests.fakes.trials import InMemoryTrials
from tests.trying import World, limits


@pytest.fixture
def world() -> World:
    return World()


class Held(InMemoryTrials):
    """Takes nothing until it is let go on."""

    def __init__(self, world: World) -> None:
        super().__init__(world.log)
        self.go_on, self.reached = threading.Event(), threading.Event()

    def keep(self, shadows: Sequence[Shadow]) -> None:
        self.reached.set()
        assert self.go_on.wait(10)
        super().keep(shadows)


def trials(world: World, down: PlatformError | None = None) -> InMemoryTrials:
    made = InMemoryTrials(world.log)
    made.down = down
    return made


def offered(world: World, store: InMemoryTrials, *batches: int, room: int = 1_000) -> Shadowing:
    """After so many accounts in each of several requests were answered and what came of it is kept."""
    made = Shadowing(store, world.clock, room=room, pause=0)
    for accounts in batches:
        before = [*world.log.decisions]
        world.score(*(f"A{number:03d}" for number in range(accounts)))
        made.offer(world.predictor.trials, [row for name, row in world.log.decisions.items() if name not in before])
    return made


def test_the_challenger_of_a_shadow_scores_what_the_champion_answered(world: World) -> None:
    begun = world.begin(mode=Mode.SHADOW)
    store = trials(world)
    offered(world, store, 3, 1).close()

    assert [each.decision_id for each in store.shadows] == list(world.log.decisions)
    assert {(each.bundle, each.version, each.probability, each.rollout) for each in store.shadows} == {
        (world.challenger.digest, 2, 0.35, begun.number)
    }
    (pair, *_) = store.pairs(MODEL, 1)
    assert (pair.decided_by, pair.decided, pair.scored_by, pair.scored) == (
        world.champion.digest,
        "review",
        world.challenger.digest,
        "reduce",
    )
    assert all(each.decided_in and each.scored_in for each in store.shadows)


def test_of_a_canary_the_champion_scores_what_the_challenger_decided(world: World) -> None:
    begun = world.approved()
    store = trials(world)
    offered(world, store, 40).close()

    decided = [name for name, row in world.log.decisions.items() if row.arm == CANARY]
    assert 0 < len(decided) < 40
    assert [each.decision_id for each in store.shadows] == decided
    assert {(each.bundle, each.probability) for each in store.shadows} == {(world.champion.digest, 0.1)}
    assert Counter(each.arm for each in store.decided(MODEL, begun.number, begun.challenger))[CONTROL] == 40 - len(decided)


def test_what_the_challenger_fails_at_is_kept_as_failed_and_the_others_of_the_batch_are_not(world: World) -> None:
    world.begin(mode=Mode.SHADOW)
    world.break_challenger(broken=False, over=666.0)
    store = trials(world)
    made = Shadowing(store, world.clock, pause=0)
    world.score("A1", bill_0=666.0)
    world.score("A2")
    made.offer(world.predictor.trials, list(world.log.decisions.values()))
    made.close()

    assert [(each.action, each.probability, each.scored_in is None) for each in store.shadows] == [
        ("", None, True),
        ("reduce", 0.35, False),
    ]
    assert made.counted == {(MODEL, 2, "scored"): 1, (MODEL, 2, "failed"): 1}


def test_of_large_batches_many_are_timed_until_the_guardrail_has_enough_and_then_a_few(world: World) -> None:
    """1,000 accounts in four batches of 250, of which 150 must be timed: as large files come in."""
    begun = world.document(mode=Mode.SHADOW)
    world.begin(limits(begun, smallest_requests=150))
    for start in range(0, 250, 50):
        world.score(*(f"A{number:03d}" for number in range(start, start + 50)))
    assert world.trial
    batch = list(world.log.decisions.values())
    timed = [[each.scored_in is not None for each in shadows(world.trial, batch, NOW)] for _ in range(4)]

    assert [sum(each) for each in timed] == [TIMED_AT_FIRST, TIMED_AT_FIRST, TIMED, TIMED]
    assert all(any(each[start : start + 50]) for each in timed for start in range(0, 250, 50))
    assert world.trial.timed == 2 * TIMED_AT_FIRST + 2 * TIMED


def test_what_the_challenger_fails_at_is_no_time(world: World) -> None:
    world.begin(mode=Mode.SHADOW)
    world.score(*(f"A{number:03d}" for number in range(20)))
    world.break_challenger()
    assert world.trial
    shadows(world.trial, list(world.log.decisions.values()), NOW)
    assert world.trial.timed == 0


def test_the_time_of_each_bundle_is_told_under_its_own_name_whoever_comes_first(world: World) -> None:
    world.begin(mode=Mode.SHADOW)
    world.score("A1", "A2")
    world.break_challenger()
    assert world.trial
    found = shadows(world.trial, list(world.log.decisions.values()), NOW)
    assert [(each.decided_in is None, each.scored_in is None) for each in found] == [(False, True)] * 2


def timed(world: World, monkeypatch: pytest.MonkeyPatch, *runs: tuple[float, float]) -> float | None:
    """`runs`: what the processor computed in each, and what the clock says that it took."""
    world.begin(mode=Mode.SHADOW)
    world.score("A1")
    assert world.trial
    (decision,) = world.log.decisions.values()
    computed, taken = (iter([instant for run in runs for instant in (0.0, run[which])]) for which in (0, 1))
    monkeypatch.setattr(scoring, "thread_time", lambda: next(computed))
    monkeypatch.setattr(scoring, "perf_counter", lambda: next(taken))
    return scoring._seconds(world.trial.challenger, decision)


def test_who_waits_in_every_run_is_as_slow_as_the_clock_says(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert timed(world, monkeypatch, (0.1, 0.9), (0.1, 0.7), (0.1, 0.8)) == 0.7


def test_who_was_only_interrupted_is_as_fast_as_in_the_run_that_was_not(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert timed(world, monkeypatch, (0.1, 0.9), (0.1, 0.11)) == 0.11


def test_what_is_computed_is_not_less_for_a_second_run_that_was_faster(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert timed(world, monkeypatch, (0.5, 0.9), (0.1, 0.11)) == 0.5


def test_what_finds_no_room_is_dropped_and_counted_at_once(world: World) -> None:
    world.begin(mode=Mode.SHADOW)
    store = Held(world)
    made = offered(world, store, 1)
    assert store.reached.wait(10)
    world.score(*(f"B{number}" for number in range(30)))
    answered = list(world.log.decisions.values())
    small = Shadowing(store, world.clock, room=10, pause=0)
    for _ in range(3):
        small.offer(world.predictor.trials, answered[1:])  # the first has room, however many it is

    assert small.counted[MODEL, 2, "dropped"] >= 30
    store.go_on.set()
    made.close()
    small.close()
    assert small.counted[MODEL, 2, "scored"] + small.counted[MODEL, 2, "dropped"] == 90


def test_what_finds_no_thread_is_dropped_and_the_next_is_scored(world: World) -> None:
    world.begin(mode=Mode.SHADOW)
    store = trials(world)
    made = Shadowing(store, world.clock, pause=0)
    world.score("A1", "A2")
    with no_more_threads():
        made.offer(world.predictor.trials, [*world.log.decisions.values()])
    made.offer(world.predictor.trials, [*world.log.decisions.values()])
    made.close()
    assert dict(made.counted) == {(MODEL, 2, "dropped"): 2, (MODEL, 2, "failed"): 0, (MODEL, 2, "scored"): 2}
    assert len(store.shadows) == 2


def test_what_the_database_does_not_take_is_dropped_and_the_next_is_kept(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.begin(mode=Mode.SHADOW)
    store = trials(world, Unavailable("the decision log does not answer"))
    made = offered(world, store, 2)
    wait_for(lambda: made.counted[MODEL, 2, "dropped"] == 2)
    store.down = None
    made.offer(world.predictor.trials, list(world.log.decisions.values()))
    made.close()

    assert len(store.shadows) == 2
    assert "not kept: the decision log does not answer" in caplog.text


def test_what_was_answered_by_another_bundle_or_for_another_model_is_not_scored(world: World) -> None:
    world.begin(mode=Mode.SHADOW)
    store = trials(world)
    made = Shadowing(store, world.clock, pause=0)
    world.score("A1")
    (row,) = world.log.decisions.values()
    others = [replace(row, bundle="d" * 64), replace(row, model="another"), replace(row, fallback="a drill")]
    made.offer(world.predictor.trials, others)
    made.close()
    assert store.shadows == []


@pytest.mark.parametrize("applies", [True, False])
def test_an_answer_leaves_before_its_decisions_are_offered_and_nothing_is_offered_without_a_rollout(
    world: World, *, applies: bool
) -> None:
    if applies:
        world.begin(mode=Mode.SHADOW)
    seen: list[str] = []

    async def asked() -> Answer:
        recorder = Recorder(world.log)
        desk = Desk(world.predictor, recorder, Meter(), lambda *_: seen.append("offered"))
        try:
            answer = await desk.answer(Ask(MODEL, json.dumps(record()).encode(), "r"))
            seen.append("answered")
            await asyncio.sleep(0)
            return answer
        finally:
            await asyncio.to_thread(recorder.close)

    asyncio.run(asked())
    assert seen == ["answered", "offered"][: 1 + applies]


def test_arms_shares_failures_and_shadows_are_told_in_numbers(world: World) -> None:
    begun = world.approved(share=0.25)
    (canary,), (control,) = world.drawn(begun, CANARY, 1), world.drawn(begun, CONTROL, 1)
    world.score(control, canary)
    world.break_challenger()
    world.score(canary)
    told = {each.name: each.samples for each in rolled_out(world.predictor.trials.values(), {(MODEL, 2, "scored"): 7})}

    def of(arm: str, version: str) -> tuple[tuple[str, str], ...]:
        return ("model", MODEL), ("mode", "canary"), ("arm", arm), ("version", version)

    assert told["steward_rollout"] == {of(CONTROL, "1"): 0.75, of(CANARY, "2"): 0.25}
    assert told["steward_rollout_decisions"] == {of(CONTROL, "1"): 1, of(CANARY, "2"): 2}
    assert told["steward_rollout_failures"] == {of(CANARY, "2"): 1}
    assert told["steward_rollout_shadows"] == {(("model", MODEL), ("version", "2"), ("outcome", "scored")): 7}
    for _ in range(begun.guardrails.failures_in_a_row):
        world.score(canary)
    given_up = {each.name: each.samples for each in rolled_out(world.predictor.trials.values(), {})}
    assert given_up["steward_rollout"] == {of(CONTROL, "1"): 1, of(CANARY, "2"): 0}


def wait_for(holds: Callable[[], bool]) -> None:
    done = threading.Event()
    for _ in range(1_000):
        if holds():
            return
        done.wait(0.01)
    raise AssertionError("it never came to that")
