"""A closed loop of clients: each sends its next request when the last was answered. Plain sockets, one process.

The generator shares the machine with the server, as in every run on one machine; the bare ASGI constant shows how many
requests it can make at most.
"""

import selectors
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Measured:
    """Latencies (n,) in seconds of the requests that were answered with 200, within `seconds`; `refused` were not."""

    latencies: NDArray[np.float64]
    seconds: float
    refused: int

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def milliseconds(self, percentile: float) -> float:
        return float(np.percentile(self.latencies, percentile)) * 1e3 if len(self.latencies) else float("nan")


@dataclass
class _Client:
    """One connection, and the answer that it is reading."""

    door: socket.socket
    sent_at: float = 0.0
    taken: bytearray = field(default_factory=bytearray)
    whole: int = 0  # bytes of the answer, once its header has been read

    def send(self, request: bytes) -> None:
        self.taken.clear()
        self.whole = 0
        self.sent_at = perf_counter()
        self.door.sendall(request)

    def read(self) -> bytes | None:
        """The answer if it is complete."""
        part = self.door.recv(_CHUNK)
        if not part:
            raise ConnectionError("the server closed the connection")
        self.taken += part
        if not self.whole:
            end = self.taken.find(_END)
            if end < 0:
                return None
            head = bytes(self.taken[:end]).lower()
            at = head.index(_LENGTH) + len(_LENGTH)
            self.whole = end + len(_END) + int(head[at:].partition(b"\r\n")[0])
        return bytes(self.taken) if len(self.taken) >= self.whole else None


def post(port: int, path: str, body: bytes, content_type: str = "application/json") -> bytes:
    """One request as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}"
    return head.encode() + _END + body


def ask(port: int, request: bytes, timeout: float = 60.0) -> tuple[int, bytes]:
    """Status and body of one answer. Raises `OSError` while nobody listens."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as door:
        client = _Client(door)
        client.send(request)
        while (answer := client.read()) is None:
            pass
    return int(answer[9:12]), answer.partition(_END)[2]


def drive(port: int, requests: Sequence[bytes], *, clients: int, seconds: float) -> Measured:
    """Send `requests` in turn, over and over, for about `seconds`."""
    waiting = selectors.DefaultSelector()
    turns = cycle(requests)
    latencies: list[float] = []
    refused = 0
    doors = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(clients)]
    try:
        began = perf_counter()
        for door in doors:
            door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client = _Client(door)
            waiting.register(door, selectors.EVENT_READ, client)
            client.send(next(turns))
        open_ones = clients
        while open_ones:
            for key, _ in waiting.select():
                client = key.data
                answer = client.read()
                if answer is None:
                    continue
                now = perf_counter()
                if answer.startswith(b"HTTP/1.1 200"):
                    latencies.append(now - client.sent_at)
                else:
                    refused += 1
                if now - began < seconds:
                    client.send(next(turns))
                else:
                    waiting.unregister(client.door)
                    open_ones -= 1
        return Measured(np.array(latencies), perf_counter() - began, refused)
    finally:
        waiting.close()
        for door in doors:
            door.close()
