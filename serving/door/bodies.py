"""The bytes of a request: taken only if they are declared as JSON, and only as many as are allowed. Plain ASGI (spec 2.3)."""

import re
from collections.abc import Iterable, Sequence

from models.errors import InputRefused
from serving.door.envelope import Receive, Scope
from serving.protocols.documents import JSON

Header = tuple[bytes, bytes]
"""A name in lower case and a value, as ASGI gives them."""

_JSON = JSON.encode()
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class BodyTooLarge(InputRefused): ...


class NotJson(InputRefused): ...


class Gone(ConnectionError):
    """The client went away while it was sending: nobody reads an answer."""


async def body(scope: Scope, receive: Receive, most: int, also: Sequence[bytes] = ()) -> bytes:
    """The body, refused as soon as it is known to be too large, or neither JSON nor one of `also`. Raises `Gone`."""
    _check_declared(scope["headers"], most, also)
    message = await receive()
    whole: bytes = message.get("body", b"")
    if message.get("more_body", False) or message["type"] != "http.request":
        return await _rest(message, receive, most)
    if len(whole) > most:
        raise _too_large(most)
    return whole


async def _rest(message: Scope, receive: Receive, most: int) -> bytes:
    taken = bytearray()
    while message["type"] == "http.request":
        taken += message.get("body", b"")
        if len(taken) > most:
            raise _too_large(most)
        if not message.get("more_body", False):
            return bytes(taken)
        message = await receive()
    raise Gone


def _check_declared(headers: Iterable[Header], most: int, also: Sequence[bytes]) -> None:
    media, encoding, length = b"", b"identity", b""
    for name, value in headers:
        if name == b"content-type":
            media = value
        elif name == b"content-encoding":
            encoding = value
        elif name == b"content-length":
            length = value
    if (media != _JSON and media_type(media) not in (_JSON, *also)) or encoding.lower() != b"identity":
        said = f"{media.decode('latin-1') or 'nothing'} ({encoding.decode('latin-1')})"
        wanted = " or ".join([JSON, *(each.decode() for each in also if each)])
        raise NotJson(f"the body is declared as {said}", hint=f"send content-type: {wanted}, not compressed")
    if length.isdigit() and int(length) > most:
        raise _too_large(most)


def media_type(declared: bytes) -> bytes:
    return declared.partition(b";")[0].strip().lower()


def idempotency_key(headers: Iterable[Header]) -> str:
    """The client's key, "" for none. Raises `InputRefused` if it cannot be one, or stands there twice."""
    sent = [value.decode("latin-1") for name, value in headers if name == b"idempotency-key"]
    if len(sent) > 1 or not all(map(_KEY.fullmatch, sent)):
        raise InputRefused(
            "the Idempotency-Key is empty, too long, not plain or there twice",
            hint="send 1 to 255 visible ASCII characters, once",
        )
    return "".join(sent)


def _too_large(most: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body is larger than {most:,} bytes", hint="send fewer records in one request")
