"""The access log beside an output that is slow, stuck or gone."""

import asyncio
import json
import logging
from queue import SimpleQueue
from threading import Event

import pytest

from serving.telemetry.access import AccessLog
from tests.fakes.threads import no_more_threads


def told(log: AccessLog, count: int) -> None:
    for number in range(count):
        log.tell("GET", "/ping", 200, 0.001, f"r{number}")


def test_nobody_waits_for_an_output_that_is_not_read_and_what_has_no_room_is_counted() -> None:
    stuck, began, written = Event(), SimpleQueue[None](), list[str]()

    def write(text: str) -> None:
        began.put(None)
        stuck.wait()
        written.append(text)

    async def asked() -> None:
        log = AccessLog(write, lambda: 1_000_000.9999, most=3)
        told(log, 1)
        log._flush()
        await asyncio.to_thread(began.get)  # the writer is in it, and stays there
        told(log, 5)
        log._flush()  # leaves it to a later one: there is one write at a time
        assert began.empty()
        assert log._batches.empty()
        stuck.set()
        await asyncio.to_thread(log.close)

    asyncio.run(asked())
    lines = [json.loads(line) for text in written for line in text.splitlines()]
    assert [line.get("request_id") for line in lines] == ["r0", "r0", "r1", "r2", None]
    assert (lines[-1]["at"], lines[-1]["dropped"]) == ("1970-01-12T13:46:40.999+00:00", 2)


@pytest.mark.parametrize("error", [BrokenPipeError("nobody reads"), OSError("no space left"), ValueError("it is closed")])
def test_an_output_that_takes_nothing_is_told_once_and_used_again_when_it_is_back_and_what_is_lost_is_counted(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    written, full = list[str](), [True]

    def write(text: str) -> None:
        if full[0]:
            written.append(text[:40])  # as much as there is room for
            raise error
        written.append(text)

    async def asked() -> None:
        log = AccessLog(write)
        for many in (2, 3):
            told(log, many)
            log._hand_over()
            log._lost.put(await asyncio.to_thread(log._lost.get, timeout=30))  # the writer has found out
        full[0] = False
        told(log, 1)
        await asyncio.to_thread(log.close)

    with caplog.at_level(logging.WARNING):
        asyncio.run(asked())
    assert [record.getMessage() for record in caplog.records] == [f"the access log cannot be written: {error}"]
    lines = "".join(written).split("\n")
    assert [len(line) for line in lines[:2]] == [40, 39], "what was torn is ended before the next"
    last, loss = map(json.loads, lines[2:4])
    assert last["request_id"] == "r0"
    assert loss["dropped"] == 2 + 3


def test_a_line_is_written_soon_by_itself() -> None:
    written = SimpleQueue[str]()

    async def asked() -> str:
        log = AccessLog(written.put)
        told(log, 1)
        text = await asyncio.to_thread(written.get)
        await asyncio.to_thread(log.close)
        return text

    assert json.loads(asyncio.run(asked()))["request_id"] == "r0"


def test_lines_wait_for_a_thread_that_the_system_does_not_give() -> None:
    written = list[str]()

    async def asked() -> None:
        log = AccessLog(written.append)
        told(log, 1)
        with no_more_threads():
            log._flush()
        log.close()

    asyncio.run(asked())
    assert [json.loads(text)["request_id"] for text in written] == ["r0"]
