"""Pseudonyms of accounts: keyed hashes in generations, so that keys rotate and joins hold.

Generation 1 of an account is HMAC-SHA-256(k1, id), cut to 128 bits; generation g is HMAC-SHA-256(kg, generation g-1)
(RFC 2104; FIPS 198-1). A pseudonym says its generation, `p2_...`, so a reader lifts what is older to the newest one
without ever seeing an id, and what was written before a rotation joins with what was written after it. Nobody gets from an
id to a value of generation 2 with k1 alone: a leaked old key links nothing that was stored since. What is stored as it came,
before there were pseudonyms, is generation 0 and is lifted like the rest.

Beside it a pseudonym carries its split, 8 bits of the id that never rotate: whether a model may train on an account must not
change with a key. 256 values for all accounts tell nobody from nobody; see docs/adr/0017-pseudonyms.md for where this ends.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import blake2b, sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Array
from models.errors import Misconfigured

KEY_BYTES = 32
SPLITS = 256
_VALUE_BYTES = 16
_SPELLED = 1 + _VALUE_BYTES  # bytes: the split before the value
REMEMBERED = 1 << 17
"""Accounts whose pseudonyms are kept at hand: the same ones return in every table of every month. Of a longer column none
would still be there when it returns: it is made in bulk, and nothing of it is kept."""
_AT_A_TIME = 65_536  # accounts of a long column
_SPLIT, _SPLIT_BYTES = b"held-out", 8
_PRINT, _KEY_PRINT, _PRINT_BYTES = b"split of a home", b"key of a home", 16
_FORM = re.compile(r"p([1-9]\d{0,3})_([0-9a-f]{2})([0-9a-f]{32})")


@dataclass(frozen=True, repr=False)
class Keyring:
    """The keys of every generation, oldest first, and the key of the split. It has no `repr`: secrets belong in no message."""

    keys: tuple[bytes, ...]
    split: bytes = b""
    remembered: int = field(default=REMEMBERED, compare=False)

    def __post_init__(self) -> None:
        if not self.keys or any(len(key) != KEY_BYTES for key in self.keys) or len(set(self.keys)) < len(self.keys):
            raise Misconfigured(
                f"a key ring needs different keys of {KEY_BYTES} bytes, at least one", hint="see docs/adr/0017-pseudonyms.md"
            )

    @cached_property
    def _hashes(self) -> tuple[Callable[[bytes], bytes], ...]:
        return tuple(map(keyed_hash, self.keys))

    @property
    def newest(self) -> int:
        """The generation in which new values are written, from 1."""
        return len(self.keys)

    def pseudonym(self, account: str, generation: int = 0) -> str:
        """The pseudonym of an id, in the newest generation or the one named."""
        return self._made(account, generation or self.newest)

    @cached_property
    def _made(self) -> Callable[[str, int], str]:
        @lru_cache(maxsize=self.remembered)
        def made(account: str, generation: int) -> str:
            name = account.encode()
            split = blake2b(name, digest_size=_SPLIT_BYTES, person=_SPLIT, key=self.split).digest()[0]
            return self._raised(self._hashes[0](name)[:_VALUE_BYTES], 1, split, generation)

        return made

    def lift(self, stored: str, generation: int = 0) -> str:
        """A stored value in the newest generation, or the one named.

        Raises `Misconfigured` for a value of a later generation: this process knows fewer keys than the one that wrote it.
        """
        target = generation or self.newest
        found = _FORM.fullmatch(stored)
        if found is None:
            return self.pseudonym(stored, target)
        written = int(found[1])
        if written > target:
            raise Misconfigured(
                f"an account was stored under generation {written} of the keys; {target} is asked for or known here",
                hint="start again with the newest keys; none is ever thrown away",
            )
        return stored if written == target else self._raised(bytes.fromhex(found[3]), written, int(found[2], 16), target)

    def pseudonyms(self, accounts: Array) -> NDArray[np.str_]:
        """Ids (n,) to pseudonyms (n,)."""
        if len(accounts) <= self.remembered:
            return np.array([self.pseudonym(account) for account in accounts.tolist()], dtype=np.str_)
        begin = f"p{self.newest}_"
        letters = np.empty((len(accounts), len(begin) + 2 * _SPELLED), dtype=np.uint32)
        letters[:, : len(begin)] = np.array(list(begin)).view(np.uint32)
        for start in range(0, len(accounts), _AT_A_TIME):
            spelled = self._bytes(accounts[start : start + _AT_A_TIME].tolist()).hex().encode()
            letters[start : start + _AT_A_TIME, len(begin) :] = np.frombuffer(spelled, np.uint8).reshape(-1, 2 * _SPELLED)
        texts: NDArray[np.str_] = letters.view(f"=U{letters.shape[1]}")[:, 0]
        return texts

    def _bytes(self, accounts: list[str]) -> bytes:
        """What pseudonyms spell, one behind the other: each account's split and its newest value."""
        inner, outer = (each.copy for each in _padded(self.keys[0]))
        part, later = blake2b(digest_size=_SPLIT_BYTES, person=_SPLIT, key=self.split).copy, self._hashes[1:]
        made = bytearray()
        for account in accounts:  # as in `keyed_hash` and `pseudonym`, without a call for each
            name, within, without, split = account.encode(), inner(), outer(), part()
            within.update(name)
            without.update(within.digest())
            split.update(name)
            value = without.digest()[:_VALUE_BYTES]
            for hashed in later:
                value = hashed(value)[:_VALUE_BYTES]
            made += split.digest()[:1]
            made += value
        return bytes(made)

    def lifted(self, stored: Array, generation: int = 0) -> NDArray[np.str_]:
        """Stored values (n,) in one generation (n,); the same array if they are in it already."""
        if np.char.startswith(stored, f"p{generation or self.newest}_").all():
            return stored
        return np.array([self.lift(value, generation) for value in stored.tolist()], dtype=np.str_)

    def known_as(self, account: str) -> list[str]:
        """Every value under which an id may be stored: what a search by id looks for."""
        return [self.pseudonym(account, generation) for generation in range(1, self.newest + 1)]

    def _raised(self, value: bytes, written: int, split: int, target: int) -> str:
        for hashed in self._hashes[written:target]:
            value = hashed(value)[:_VALUE_BYTES]
        return f"p{target}_{split:02x}{value.hex()}"


def keyed_hash(key: bytes) -> Callable[[bytes], bytes]:
    """HMAC-SHA-256 under a key whose padded blocks are hashed once: two thirds of the time of a batch (RFC 2104, section 4)."""
    inner, outer = _padded(key)

    def hashed(message: bytes) -> bytes:
        within, without = inner.copy(), outer.copy()
        within.update(message)
        without.update(within.digest())
        digest: bytes = without.digest()
        return digest

    return hashed


def _padded(key: bytes) -> tuple[Any, Any]:
    inner, outer = (sha256(bytes(byte ^ pad for byte in key.ljust(64, b"\0"))) for pad in (0x36, 0x5C))
    return inner, outer


def generation_of(stored: str) -> int:
    """0 for what is stored as it came."""
    found = _FORM.fullmatch(stored)
    return int(found[1]) if found else 0


def generations(accounts: Keyring, audit_keys: Keyring) -> str:
    """Under which keys a row of the audit table stands, as its partition's facts say it."""
    return f"{accounts.newest}.{audit_keys.newest}"


def split_of(account: str, key: bytes = b"") -> int:
    """Into which of `SPLITS` parts an account falls: what a pseudonym carries, or what it would carry."""
    found = _FORM.fullmatch(account)
    if found:
        return int(found[2], 16)
    return blake2b(account.encode(), digest_size=_SPLIT_BYTES, person=_SPLIT, key=key).digest()[0]


def split_print(key: bytes = b"") -> str:
    """The fingerprint of a key of the split, or of there being none."""
    return blake2b(digest_size=_PRINT_BYTES, person=_PRINT, key=key).hexdigest()


def key_print(key: bytes) -> str:
    """The fingerprint of a key of a ring."""
    return blake2b(key, digest_size=_PRINT_BYTES, person=_KEY_PRINT).hexdigest()


def masked(ring: Keyring, delivered: Array, pattern: str | None) -> Array:
    """Delivered keys (n,) as they may be kept: pseudonyms, and of what is no key a stand-in that is as wrong.

    A missing key stays missing; a text that breaks the contract's pattern becomes one that does, and a value of another type
    another value of that type. So a broken batch is refused for what it is, and shows nobody's id.
    """
    values = np.asarray(delivered)
    if values.dtype.kind in "iufb":
        return np.array([_number(ring, value) for value in values.tolist()]).astype(values.dtype)
    allowed = re.compile(re.sub(r"\$$", r"\\Z", pattern or "")).search  # a $ would allow a line end behind it
    if values.dtype.kind == "U" and _all_allowed(values, allowed):
        return ring.pseudonyms(values)
    stand_ins = [_stand_in(ring, value, allowed) for value in values.tolist()]
    return np.array(stand_ins, dtype=object if values.dtype.kind == "O" else np.str_)


def _all_allowed(values: Array, allowed: Callable[[str], object]) -> bool:
    parts = (values[start : start + _AT_A_TIME] for start in range(0, len(values), _AT_A_TIME))
    return all(all(map(allowed, part.tolist())) for part in parts)


def _stand_in(ring: Keyring, value: object, allowed: Callable[[str], object]) -> object:
    if not isinstance(value, str):
        return value if value is None or value != value else _number(ring, value)  # NaN is missing too
    hidden = ring.pseudonym(value)
    return hidden if allowed(value) else f"not a key: {hidden}"


def _number(ring: Keyring, value: object) -> int | float:
    """Of whatever is not text: as small a number as every type can hold exactly."""
    return int(ring.pseudonym(repr(value))[-8:], 16) >> 8
