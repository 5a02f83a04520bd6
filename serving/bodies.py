"""The bytes of a request: taken only if they are declared as JSON, and only as many as are allowed."""

import re
from collections.abc import AsyncIterable, Mapping, Sequence

from models.errors import InputRefused
from serving.documents import JSON

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class BodyTooLarge(InputRefused): ...


class NotJson(InputRefused): ...


async def body(headers: Mapping[str, str], stream: AsyncIterable[bytes], most: int) -> bytes:
    """The body, refused as soon as it is known to be too large or not JSON. `headers` are looked up in lower case."""
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = headers.get("content-encoding", "identity").lower()
    if media != JSON or encoding != "identity":
        raise NotJson(
            f"the body is declared as {media or 'nothing'} ({encoding})", hint=f"send content-type: {JSON}, not compressed"
        )
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise _too_large(most)
    taken = bytearray()
    async for chunk in stream:
        taken += chunk
        if len(taken) > most:
            raise _too_large(most)
    return bytes(taken)


def idempotency_key(sent: Sequence[str]) -> str:
    """The client's key, "" for none. `sent` are the values of the header, as often as it was sent."""
    if len(sent) > 1 or not all(map(_KEY.fullmatch, sent)):
        raise InputRefused(
            "the Idempotency-Key is empty, too long, not plain or there twice",
            hint="send 1 to 255 visible ASCII characters, once",
        )
    return "".join(sent)


def _too_large(most: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body is larger than {most:,} bytes", hint="send fewer records in one request")
