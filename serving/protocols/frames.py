"""Batches of records as tables: what a reader and writer of them does, and how a request says that it brings one."""

from typing import Protocol

from models.contract import Contract
from serving.door.envelope import Scope

ARROW = "application/vnd.apache.arrow.stream"

_ARROW = ARROW.encode()
_ANY = b"application/vnd.apache.arrow."


class Frames(Protocol):
    """Safe for several threads."""

    def read(self, body: bytes, contract: Contract, most: int) -> bytes:
        """The records as `Checker` reads them. Raises `InputRefused`, or `NotJson` if nobody here can read such a body."""
        ...

    def written(self, response: bytes) -> bytes:
        """Our answer as a table, a row for every record."""
        ...


def brings_a_frame(scope: Scope) -> bool:
    """In whichever form of Arrow: who reads them says which one he takes."""
    return _declared(scope).startswith(_ANY)


def is_a_stream(scope: Scope) -> bool:
    return _declared(scope) == _ARROW


def _declared(scope: Scope) -> bytes:
    """Nothing if several are."""
    declared = [value for name, value in scope["headers"] if name == b"content-type"]
    return declared[0].partition(b";")[0].strip().lower() if len(declared) == 1 else b""
