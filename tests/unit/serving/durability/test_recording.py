"""Requests in flight share a commit; each hears of its own."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from models.clock import Month
from models.errors import Conflict, Unavailable
from monitoring.decisions import Answered, Entry, LoggedDecision
from serving.durability.recording import Recorder
from tests.bundles import MODEL, NOW
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.threads import no_more_threads


def decision(identity: str) -> LoggedDecision:
    return LoggedDecision(identity, MODEL, 1, "b" * 64, "account", Month(2005, 9), {"bill_0": 1.0}, 0.1, "keep", NOW, "request")


def entry(*identities: str, key: str = "") -> Entry:
    return Entry([decision(each) for each in identities], Answered(key, "digest", b"{}") if key else None)


class SlowLog(InMemoryDecisionLog):
    """Its first commit waits until it is let go; `commits` are the entries of each."""

    def __init__(self) -> None:
        self.commits: list[int] = []
        self.entered, self.let_go = threading.Event(), threading.Event()
        super().__init__()
        self.commits.clear()

    def append_all(self, entries: Sequence[Entry]) -> None:
        self.commits.append(len(entries))
        if any(entry.decisions for entry in entries):
            self.entered.set()
            self.let_go.wait(30)
        super().append_all(entries)


async def recorded(recorder: Recorder, *entries: Entry) -> list[Any]:
    try:
        return await asyncio.gather(*(recorder.record(each) for each in entries), return_exceptions=True)
    finally:
        await asyncio.to_thread(recorder.close)


def test_what_arrives_during_a_commit_goes_together_with_the_next() -> None:
    log = SlowLog()

    async def requests() -> None:
        recorder = Recorder(log)
        first = asyncio.create_task(recorder.record(entry("d0")))
        await asyncio.to_thread(log.entered.wait, 30)
        others = [asyncio.create_task(recorder.record(entry(f"d{number}"))) for number in range(1, 9)]
        await asyncio.sleep(0)  # all of them have asked
        assert not first.done()
        log.let_go.set()
        await asyncio.gather(first, *others)
        await asyncio.to_thread(recorder.close)

    asyncio.run(requests())
    assert log.commits == [1, 8]
    assert len(log.decisions) == 9


def test_when_it_returns_the_decision_is_in_the_log() -> None:
    log = InMemoryDecisionLog()

    async def request() -> None:
        recorder = Recorder(log)
        await recorder.record(entry("d1"))
        assert log.find("d1").decision_id == "d1"
        await asyncio.to_thread(recorder.close)

    asyncio.run(request())


def test_one_that_is_refused_falls_alone() -> None:
    log = InMemoryDecisionLog()
    log.append_all([entry("before", key="k")])
    entries = [entry("d1"), entry("d2", key="k"), entry("before"), entry("d3", key="own")]
    found = asyncio.run(recorded(Recorder(log), *entries))
    assert [type(each) for each in found] == [type(None), Conflict, Conflict, type(None)]
    assert set(log.decisions) == {"before", "d1", "d3"}


def test_a_log_that_is_away_is_told_to_all_who_wait_and_not_to_later_ones() -> None:
    log = InMemoryDecisionLog()
    log.down = Unavailable("away", hint="later")

    async def requests() -> list[Any]:
        recorder = Recorder(log)
        lost = await asyncio.gather(*(recorder.record(entry(f"d{n}")) for n in range(3)), return_exceptions=True)
        log.down = None
        await recorder.record(entry("d9"))
        await asyncio.to_thread(recorder.close)
        return lost

    assert [type(each) for each in asyncio.run(requests())] == [Unavailable] * 3
    assert set(log.decisions) == {"d9"}


def test_an_error_that_nobody_expected_is_told_too_and_the_writer_goes_on() -> None:
    class Broken(InMemoryDecisionLog):
        broken = False

        def append_all(self, entries: Sequence[Entry]) -> None:
            if self.broken:
                raise ZeroDivisionError
            super().append_all(entries)

    log = Broken()

    async def requests() -> None:
        recorder = Recorder(log)
        log.broken = True
        with pytest.raises(ZeroDivisionError):
            await recorder.record(entry("d1"))
        log.broken = False
        await recorder.record(entry("d2"))
        await asyncio.to_thread(recorder.close)

    asyncio.run(requests())
    assert set(log.decisions) == {"d2"}


def test_beyond_what_may_wait_requests_are_turned_away_and_later_ones_are_not() -> None:
    log = SlowLog()

    async def requests() -> None:
        recorder = Recorder(log, waiting=2)
        first = asyncio.create_task(recorder.record(entry("d1", "d2")))
        await asyncio.to_thread(log.entered.wait, 30)
        with pytest.raises(Unavailable, match="wait for the decision log"):
            await recorder.record(entry("d3"))
        log.let_go.set()
        await first
        await recorder.record(entry("d4"))
        await asyncio.to_thread(recorder.close)

    asyncio.run(requests())
    assert set(log.decisions) == {"d1", "d2", "d4"}


def test_closing_writes_what_waits() -> None:
    log = SlowLog()

    async def requests() -> None:
        recorder = Recorder(log)
        first = asyncio.create_task(recorder.record(entry("d1")))
        await asyncio.to_thread(log.entered.wait, 30)
        second = asyncio.create_task(recorder.record(entry("d2")))
        await asyncio.sleep(0)
        closing = asyncio.create_task(asyncio.to_thread(recorder.close))
        log.let_go.set()
        await asyncio.gather(first, second, closing)

    asyncio.run(requests())
    assert set(log.decisions) == {"d1", "d2"}


def test_after_closing_nothing_more_is_taken() -> None:
    async def request() -> None:
        recorder = Recorder(InMemoryDecisionLog())
        recorder.close()
        with pytest.raises(Unavailable, match="stopping"):
            await recorder.record(entry("d1"))

    asyncio.run(request())


def test_a_client_that_went_away_does_not_disturb_the_others() -> None:
    log = SlowLog()

    async def requests() -> None:
        recorder = Recorder(log)
        gone, stays = (asyncio.create_task(recorder.record(entry(name))) for name in ("gone", "stays"))
        await asyncio.to_thread(log.entered.wait, 30)
        gone.cancel()
        log.let_go.set()
        await stays
        await asyncio.to_thread(recorder.close)

    asyncio.run(requests())
    assert set(log.decisions) == {"gone", "stays"}


def test_the_room_of_what_was_written_is_free_again() -> None:
    async def requests() -> None:
        recorder = Recorder(InMemoryDecisionLog(), waiting=1)
        for number in range(20):
            await recorder.record(entry(f"d{number}"))
        await asyncio.to_thread(recorder.close)

    asyncio.run(asyncio.wait_for(requests(), timedelta(seconds=30).total_seconds()))


async def turns() -> None:
    """Whatever the loop can do now, it has done."""
    for _ in range(10):
        await asyncio.sleep(0)


class Commit:
    """A commit that ends when it is told to."""

    def __init__(self, log: InMemoryDecisionLog, entries: Sequence[Entry], *, quick: bool) -> None:
        self._log = log
        self._entries = entries
        self._quick = quick
        self.let_go = threading.Event()

    def done(self, within: float) -> bool:
        if self._quick:
            try:
                self._log.append_all(self._entries)
            except Conflict:
                self._quick = False
        return self._quick

    def finish(self) -> None:
        assert self.let_go.wait(30)
        self._log.append_all(self._entries)


def test_while_the_log_is_quick_the_loop_commits_itself_and_starts_no_thread() -> None:
    log, threads = InMemoryDecisionLog(), threading.active_count()

    async def requests() -> None:
        recorder = Recorder(log, begin=lambda entries: Commit(log, entries, quick=True))
        await asyncio.gather(*(recorder.record(entry(f"d{n}")) for n in range(5)))
        assert threading.active_count() == threads
        assert recorder.queued == 0

    asyncio.run(requests())
    assert len(log.decisions) == 5


def test_a_commit_that_takes_longer_is_left_to_the_thread_and_what_comes_meanwhile_is_the_next_group() -> None:
    log, begun = InMemoryDecisionLog(), []

    def begin(entries: Sequence[Entry]) -> Commit:
        begun.append(Commit(log, entries, quick=False))
        return begun[-1]

    async def requests() -> None:
        recorder = Recorder(log, begin=begin)
        first = asyncio.create_task(recorder.record(entry("d0")))
        await turns()
        others = [asyncio.create_task(recorder.record(entry(f"d{number}"))) for number in range(1, 4)]
        await turns()
        assert len(begun) == 1
        assert not first.done()
        begun[0].let_go.set()
        await asyncio.gather(first, *others)
        assert len(log.decisions) == 4
        await asyncio.to_thread(recorder.close)

    asyncio.run(requests())


def test_of_a_group_that_the_quick_commit_refused_each_hears_of_its_own() -> None:
    log = InMemoryDecisionLog()

    def begin(entries: Sequence[Entry]) -> Commit:
        commit = Commit(log, entries, quick=True)
        commit.let_go.set()
        return commit

    async def requests() -> list[Any]:
        recorder = Recorder(log, begin=begin)
        await recorder.record(entry("d1"))
        return await recorded(recorder, entry("d0"), entry("d1"), entry("d2"))

    found = asyncio.run(requests())
    assert [type(each) for each in found] == [type(None), Conflict, type(None)]
    assert set(log.decisions) == {"d0", "d1", "d2"}


def test_a_log_whose_commits_are_slow_is_not_waited_for_by_the_loop_until_it_is_quick_again() -> None:
    log, begun = InMemoryDecisionLog(), []
    slow = True

    def begin(entries: Sequence[Entry]) -> Commit:
        begun.append(entries)
        commit = Commit(log, entries, quick=not slow)
        threading.Timer(0.05, commit.let_go.set).start()
        return commit

    async def requests() -> None:
        nonlocal slow
        recorder = Recorder(log, begin=begin)
        await recorder.record(entry("d0"))
        await recorder.record(entry("d1"))
        assert len(begun) == 1  # the thread commits by itself now
        slow = False
        number = 1
        while len(begun) == 1:
            number += 1
            await recorder.record(entry(f"d{number}"))
        await asyncio.to_thread(recorder.close)
        assert set(log.decisions) == {f"d{each}" for each in range(number + 1)}

    asyncio.run(requests())


def test_closing_writes_what_was_taken_and_not_flushed() -> None:
    log = InMemoryDecisionLog()

    async def requests() -> None:
        recorder = Recorder(log, begin=lambda entries: Commit(log, entries, quick=True))
        recorder.take(entry("d0"), lambda _: None)
        await asyncio.to_thread(recorder.close)
        with pytest.raises(Unavailable, match="stopping"):
            recorder.take(entry("d1"), lambda _: None)

    asyncio.run(requests())
    assert set(log.decisions) == {"d0"}


def test_where_no_thread_can_be_had_what_needed_one_is_refused_and_later_ones_are_recorded() -> None:
    log = InMemoryDecisionLog()

    async def requests() -> list[Any]:
        recorder = Recorder(log)
        with no_more_threads():
            found = await asyncio.gather(*(recorder.record(entry(f"d{n}")) for n in range(3)), return_exceptions=True)
        assert recorder.queued == 0
        await recorder.record(entry("d9"))
        await asyncio.to_thread(recorder.close)
        return found

    assert [type(each) for each in asyncio.run(requests())] == [Unavailable] * 3
    assert set(log.decisions) == {"d9"}


def test_a_commit_that_was_begun_and_finds_no_thread_is_waited_for_so_that_nothing_recorded_is_refused() -> None:
    log = InMemoryDecisionLog()
    log.append_all([entry("before")])

    def begin(entries: Sequence[Entry]) -> Commit:
        commit = Commit(log, entries, quick=False)
        commit.let_go.set()
        return commit

    async def requests() -> list[Any]:
        recorder = Recorder(log, begin=begin)
        with no_more_threads():
            found = await asyncio.gather(
                *(recorder.record(entry(each)) for each in ("d1", "before", "d2")), return_exceptions=True
            )
        assert recorder.queued == 0
        await recorder.record(entry("d3"))
        await asyncio.to_thread(recorder.close)
        return found

    assert [type(each) for each in asyncio.run(requests())] == [type(None), Conflict, type(None)]
    assert set(log.decisions) == {"before", "d1", "d2", "d3"}


def test_nobody_is_told_before_all_that_were_begun_together_have_ended() -> None:
    """Who is told may ask again at once, and there is one commit at a time."""
    log, seen = InMemoryDecisionLog(), list[set[str]]()
    log.append_all([entry("before")])

    def begin(entries: Sequence[Entry]) -> Commit:
        commit = Commit(log, entries, quick=False)
        commit.let_go.set()
        return commit

    async def requests() -> None:
        recorder = Recorder(log, begin=begin)
        for each in ("d1", "before", "d2"):
            recorder.take(entry(each), lambda _: seen.append(set(log.decisions)))
        with no_more_threads():
            recorder.flush()
        await asyncio.to_thread(recorder.close)

    asyncio.run(requests())
    assert seen == [{"before", "d1", "d2"}] * 3


def test_closing_writes_what_waits_even_where_no_thread_can_be_had() -> None:
    log, heard = InMemoryDecisionLog(), list[object]()

    async def requests() -> None:
        recorder = Recorder(log)
        recorder.take(entry("d0"), heard.append)
        with no_more_threads():
            recorder.close()
        await turns()

    asyncio.run(requests())
    assert (set(log.decisions), heard) == ({"d0"}, [None])
