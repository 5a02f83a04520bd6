"""What goes around every answer: patience with a client that is still sending, and its end."""

import asyncio
from collections.abc import Callable
from typing import Any

from serving.door.envelope import Message, Patient, Receive, Scope, Send

START = {"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"2")]}
NO = {"type": "http.response.body", "body": b"no"}


async def refusing(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answers without a look at the body."""
    await send(dict(START))
    await send(dict(NO))


def answered(client: Callable[[], Message | None], **headers: str) -> tuple[list[Message], int]:
    """What is sent to a client, and how often it was read from; a client that gives None never sends again."""
    sent: list[Message] = []
    reads = 0

    async def receive() -> Message:
        nonlocal reads
        reads += 1
        message = client()
        if message is None:
            await asyncio.Event().wait()
            raise AssertionError("an event that nobody sets was set")
        return message

    async def send(message: Message) -> None:
        sent.append(message)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": "http", "headers": named}
    asyncio.run(Patient(refusing, most=1_000, seconds=0.05)(scope, receive, send))
    return sent, reads


def chunk(*, more: bool = True) -> Message:
    return {"type": "http.request", "body": b"x" * 100, "more_body": more}


def is_whole_answer(sent: list[Message]) -> bool:
    """The answer is complete before anything is waited for, and its end comes last."""
    return [m.get("body") for m in sent] == [None, b"no", b""] and [m.get("more_body") for m in sent[1:]] == [True, None]


def test_the_rest_of_a_refused_body_is_read_and_the_connection_is_said_to_close() -> None:
    left = [chunk(more=False), chunk(), chunk()]
    sent, reads = answered(left.pop, content_length="300")
    assert is_whole_answer(sent)
    assert (b"connection", b"close") in sent[0]["headers"]
    assert reads == 3


def test_patience_ends_with_a_body_that_does_not() -> None:
    sent, reads = answered(chunk, transfer_encoding="chunked")
    assert is_whole_answer(sent)
    assert reads == 10


def test_patience_ends_with_a_client_that_falls_silent() -> None:
    sent, reads = answered(lambda: None, content_length="300")
    assert is_whole_answer(sent)
    assert reads == 1


def test_a_client_that_went_away_is_not_waited_for() -> None:
    _, reads = answered(lambda: {"type": "http.disconnect"}, content_length="300")
    assert reads == 1


def test_a_request_without_a_body_is_not_read() -> None:
    sent, reads = answered(lambda: None)
    assert (sent, reads) == ([START, NO], 0)
