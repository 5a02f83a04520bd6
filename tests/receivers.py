"""Receivers of messages on 127.0.0.1: a webhook that keeps what is posted to it, and a mail server that keeps mail."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Webhook:
    """`status` is what it answers, with `elsewhere` as the new address; `posts` are (path, body) of whatever came."""

    port: int = 0
    status: int = 200
    elsewhere: str = ""
    posts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def titles(self) -> list[str]:
        return [body["title"] for _, body in self.posts]


@contextmanager
def webhook() -> Iterator[Webhook]:
    kept = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.posts.append((self.path, json.loads(body)))
            self.send_response(kept.status)
            if kept.elsewhere:
                self.send_header("Location", kept.elsewhere)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: the tests read what was kept."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.port = server.server_address[1]
        with _running(server):
            yield kept


@dataclass
class Dripping:
    """`given_up` once whoever asked has gone."""

    port: int = 0
    given_up: threading.Event = field(default_factory=threading.Event)


@contextmanager
def dripping(every: float = 0.2) -> Iterator[Dripping]:
    """A webhook that answers with one more header every so often, as long as somebody listens."""
    kept, stopped = Dripping(), threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            try:
                while not stopped.wait(every):
                    self.wfile.write(b"X-More: yes\r\n")
            except OSError:
                kept.given_up.set()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        kept.port = server.server_address[1]
        with _running(server):
            yield kept
            stopped.set()


@dataclass
class Mailbox:
    port: int = 0
    mails: list[Message] = field(default_factory=list)


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """As much of RFC 5321 as a client needs to hand over a mail without encryption."""
    kept = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 here")
            while line := self.rfile.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    self.say("354 go on")
                    kept.mails.append(message_from_bytes(b"".join(iter(self.rfile.readline, b".\r\n"))))
                self.say("221 bye" if word == b"QUIT" else "250 fine")
                if word == b"QUIT":
                    return

        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        kept.port = server.server_address[1]
        with _running(server):
            yield kept


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
