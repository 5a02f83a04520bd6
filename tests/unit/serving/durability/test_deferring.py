"""Models that are answered before their decisions are recorded, and what that may cost."""

import asyncio
import logging
from dataclasses import replace

import pytest

from models.errors import Unavailable
from monitoring.decisions import Entry
from serving.durability.deferring import Deferring, Window
from tests.bundles import MODEL
from tests.fakes.decisions import InMemoryDecisionLog
from tests.unit.serving.durability.test_recording import SlowLog, entry

WINDOW = Window(most=10, longest=60.0)


def other(identity: str) -> Entry:
    return Entry([replace(each, model="other") for each in entry(identity).decisions])


class Ticking:
    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


async def closed(recorder: Deferring) -> None:
    await asyncio.to_thread(recorder.close)


def test_the_answer_leaves_while_the_commit_still_runs_and_the_decision_follows() -> None:
    log = SlowLog()

    async def requests() -> None:
        recorder = Deferring(log, [MODEL], WINDOW)
        for number in range(5):
            await recorder.record(entry(f"d{number}"))
        assert await asyncio.to_thread(log.entered.wait, 30)
        assert log.decisions == {}
        assert recorder.waiting
        log.let_go.set()
        await closed(recorder)
        assert not recorder.waiting

    asyncio.run(requests())
    assert [*log.decisions] == [f"d{number}" for number in range(5)]


@pytest.mark.parametrize("kept", [other("d1"), entry("d1", key="k"), entry(*(f"d{number}" for number in range(1, 12)))])
def test_other_models_requests_with_a_key_and_batches_beyond_the_window_are_recorded_first(kept: Entry) -> None:
    log = InMemoryDecisionLog()

    async def request() -> None:
        recorder = Deferring(log, [MODEL], WINDOW)
        await recorder.record(kept)
        assert "d1" in log.decisions
        await closed(recorder)

    asyncio.run(request())


def test_beyond_what_may_be_lost_requests_are_turned_away_and_none_of_the_others_is_dropped() -> None:
    log = SlowLog()

    async def requests() -> None:
        recorder = Deferring(log, [MODEL], WINDOW)
        for number in range(10):
            await recorder.record(entry(f"d{number}"))
        with pytest.raises(Unavailable, match="10 decisions were answered and are not recorded yet"):
            await recorder.record(entry("refused"))
        log.let_go.set()
        await recorder._written()
        await recorder.record(entry("later"))
        await closed(recorder)

    asyncio.run(requests())
    assert [*log.decisions] == [*(f"d{number}" for number in range(10)), "later"]


def test_when_the_oldest_waits_too_long_requests_are_turned_away_until_it_is_recorded() -> None:
    log, clock = SlowLog(), Ticking()

    async def requests() -> None:
        recorder = Deferring(log, [MODEL], Window(most=10, longest=2.0), now=clock)
        await recorder.record(entry("d1"))
        clock.seconds += 1.5
        await recorder.record(entry("d2"))
        clock.seconds += 1.0
        with pytest.raises(Unavailable, match="2 decisions"):
            await recorder.record(entry("refused"))
        log.let_go.set()
        await recorder._written()
        await recorder.record(entry("d3"))
        await closed(recorder)

    asyncio.run(requests())
    assert [*log.decisions] == ["d1", "d2", "d3"]


def test_what_the_log_does_not_take_is_tried_until_it_does_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    log = InMemoryDecisionLog()

    async def requests() -> None:
        log.down = Unavailable("the spool is full")
        recorder = Deferring(log, [MODEL], WINDOW, pauses=[0.001])
        await recorder.record(entry("d1"))
        while not caplog.records:
            await asyncio.sleep(0)
        await recorder.record(entry("d2"))
        log.down = None
        await closed(recorder)

    asyncio.run(requests())
    assert [*log.decisions] == ["d1", "d2"]
    assert [each.levelno for each in caplog.records] == [logging.WARNING]


def test_a_stop_writes_what_waits_and_takes_nothing_more() -> None:
    log = SlowLog()

    async def requests() -> None:
        recorder = Deferring(log, [MODEL], WINDOW)
        await recorder.record(entry("d1"))
        closing = asyncio.create_task(closed(recorder))
        await asyncio.to_thread(log.entered.wait, 30)
        while recorder._ends_at is None:
            await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="stopping"):
            await recorder.record(entry("d2"))
        log.let_go.set()
        await closing

    asyncio.run(requests())
    assert [*log.decisions] == ["d1"]


def test_a_stop_without_any_place_to_write_to_says_how_much_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    log = InMemoryDecisionLog()

    async def requests() -> None:
        log.down = Unavailable("the spool is full")
        recorder = Deferring(log, [MODEL], WINDOW, pauses=[0.001], last=-1.0)
        await recorder.record(entry("d1", "d2"))
        await closed(recorder)

    asyncio.run(requests())
    assert "2 decisions that were answered are lost" in caplog.records[-1].message
    assert caplog.records[-1].levelno == logging.CRITICAL
