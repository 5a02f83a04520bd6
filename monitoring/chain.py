"""The chain of the decision log: every record is sealed under a secret key together with the record before it.

A process that writes has lanes of its own, so that writers wait for nobody. Within a lane records are numbered without
gaps, and each has a chain value: HMAC-SHA-256 over the chain value before it and the record (RFC 2104). Of a decision's
inputs only an HMAC goes in, so that they can be deleted when they were kept long enough. Who has the database and not the
key can edit nothing unseen; what they cut off at a lane's end shows against its heads in the ledger (`custody.py`).
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

from models.errors import Misconfigured
from models.governance.pseudonyms import keyed_hash

Row = tuple[Any, ...]
Mac = Callable[[bytes], bytes]
"""HMAC-SHA-256 under a lane's key."""

DECISION = (
    "decision_id",
    "model",
    "version",
    "bundle",
    "account_id",
    "month",
    "inputs",
    "probability",
    "action",
    "recorded_at",
    "request_id",
    "no_notice",
    "reasons",
    "fallback",
    "out_of_distribution",
    "arm",
    "rollout",
)
"""What is stored of a decision, in this order."""
NO_ROLLOUT = ("", 0)
"""The arm and the roll-out of a decision outside of any. They came when decisions were sealed already: such a decision is sealed,
and spooled, without them, as the releases do that know no roll-outs."""
REVIEW = (
    "decision_id",
    "outcome",
    "reviewer",
    "reason_code",
    "comment",
    "recorded_at",
    "statement",
    "no_notice",
    "reasons",
)
_INPUTS = DECISION.index("inputs")
_said = json.JSONEncoder(separators=(",", ":"), default=repr).encode  # of an edited row too, whatever it holds now


@dataclass(frozen=True)
class Seal:
    """Where a record stands and what proves it. `inputs` is the HMAC of a decision's inputs, "" for a review."""

    lane: str
    place: int
    inputs: str
    chain: str


UNSEALED = Seal("", 0, "", "")
"""Of a record of before there was a chain."""


@dataclass(frozen=True)
class Link:
    """A record as the log has it now, in the order of `DECISION` or `REVIEW`, with its seal."""

    seal: Seal
    row: Row

    @property
    def is_decision(self) -> bool:
        return len(self.row) == len(DECISION)

    def __getitem__(self, name: str) -> Any:
        return self.row[(DECISION if self.is_decision else REVIEW).index(name)]


@dataclass(frozen=True, repr=False)
class ChainKeys:
    """The keys of every generation, oldest first; a lane's name says which. It has no `repr`: secrets belong in no message."""

    keys: tuple[bytes, ...]

    def newest(self) -> tuple[Mac, int]:
        """What seals from now on, and its generation. Raises `Misconfigured` without a key."""
        if not self.keys:
            raise Misconfigured("the decision log has no key to seal with", hint="mount keys/log/0001.key, 32 random bytes")
        return self._macs[-1], len(self.keys)

    def new_lane(self) -> tuple[str, Mac]:
        """A name that nobody else has, and what seals in it. Raises `Misconfigured` without a key."""
        key, generation = self.newest()
        return f"{generation}-{uuid4().hex}", key

    @cached_property
    def _macs(self) -> tuple[Mac, ...]:
        return tuple(map(keyed_hash, self.keys))

    def of(self, lane: str) -> Mac | None:
        """None if this process does not know the key of the lane."""
        generation = lane.partition("-")[0]
        known = generation.isdecimal() and 1 <= int(generation) <= len(self.keys)
        return self._macs[int(generation) - 1] if known else None


def sealed(key: Mac, before: Seal, rows: Sequence[Row]) -> Iterator[Seal]:
    """The seals of records that follow `before`, whose lane they are in."""
    chain, decisions = before.chain, bool(rows) and len(rows[0]) == len(DECISION)
    for place, row in enumerate(rows, start=before.place + 1):
        inputs = mac(key, row[_INPUTS]) if decisions else ""
        chain = chained(key, chain, row, inputs)
        yield Seal(before.lane, place, inputs, chain)


def chained(key: Mac, before: str, row: Row, inputs: str) -> str:
    """The chain value of a record after the one before it, "" for none."""
    kept = plain((*row[:_INPUTS], inputs, *row[_INPUTS + 1 :])) if len(row) == len(DECISION) else row
    return mac(key, before + _said(kept))


def plain(row: Row) -> Row:
    """A decision without the fields of a roll-out, if it was made in none."""
    return row[:-2] if row[-2:] == NO_ROLLOUT else row


def mac(key: Mac, text: str) -> str:
    return key(text.encode(errors="surrogatepass")).hex()
