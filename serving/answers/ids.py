"""Ids that nobody else gives."""

from secrets import token_hex
from time import time_ns


def new_id() -> str:
    """32 hexadecimal digits: the milliseconds since 1970, then 80 random bits.

    In the order of time, as UUIDs of version 7 (RFC 9562, 5.7): the log's index of ids grows at its end, and a commit writes
    one page of it instead of one for every decision.
    """
    return f"{time_ns() // 1_000_000:012x}{token_hex(10)}"
