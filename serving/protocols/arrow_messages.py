"""The frame of an Arrow stream, looked at before any library reads what is in it.

A stream is a schema and record batches, each a message: a mark, the length of its description, the description (a flatbuffer),
and the data. Compressed data would be as large as they like once they are read, so they are refused, and how many records there
are is known before there is room for one. Dictionaries are refused, too: their values may stand for any number of records.
https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format, Message.fbs
"""

import struct

from models.errors import InputRefused

_MARK = 0xFFFFFFFF
_SCHEMA, _DICTIONARY, _BATCH = 1, 2, 3
_HEADER_TYPE, _HEADER, _BODY_LENGTH = 1, 2, 3  # fields of a Message
_LENGTH, _COMPRESSION = 0, 3  # fields of a RecordBatch
_LONGEST = 2**20  # bytes of a description: a name and a type for every column take far less


def check_frame(stream: bytes, most: int) -> None:
    """Raises `InputRefused` unless it is one schema and then plain record batches of at most `most` records together."""
    place, records, seen = 0, 0, 0
    try:
        while place < len(stream):
            length, place = _length(stream, place), place + 8
            if length == 0:
                break
            count, size = _described(stream[place : place + length], first=seen == 0)
            records, seen, place = records + count, seen + 1, place + length + size
            if records > most:
                raise refused(f"there are more than {most:,} records", "send fewer records in one request")
    except (struct.error, ValueError):
        raise refused("the body is no Arrow stream, or is cut", "send a schema and batches, as Arrow's writers do") from None
    if place != len(stream) or not seen:
        raise refused("the Arrow stream does not end where the body does", "send one stream, whole, and nothing behind it")


def refused(why: str, instead: str) -> InputRefused:
    return InputRefused(why, hint=f"nothing was decided; {instead}")


def _length(stream: bytes, place: int) -> int:
    """Of the next description; 0 at the end."""
    mark, length = _at("<II", stream, place)
    if mark != _MARK or length > _LONGEST:
        raise ValueError
    return length


def _described(description: bytes, *, first: bool) -> tuple[int, int]:
    """The message's number of records, and the bytes of its data."""
    message = _root(description)
    (kind,) = _field("<B", description, message, _HEADER_TYPE)
    (size,) = _field("<q", description, message, _BODY_LENGTH)
    if kind == _DICTIONARY:
        raise refused("the Arrow stream holds a dictionary", "cast dictionary columns (categories) to string")
    if size < 0 or kind != (_SCHEMA if first else _BATCH):
        raise ValueError
    if first:
        return 0, size
    batch = _followed(description, _place(description, message, _HEADER))
    if _place(description, batch, _COMPRESSION):
        raise refused("the data of the Arrow stream are compressed", "write it without compression")
    (count,) = _field("<q", description, batch, _LENGTH)
    if count < 0:
        raise ValueError
    return count, size


def _root(buffer: bytes) -> int:
    return _followed(buffer, 0)


def _followed(buffer: bytes, place: int) -> int:
    (distance,) = _at("<I", buffer, place)
    return int(place + distance)


def _place(buffer: bytes, table: int, number: int) -> int:
    """Where a field of a table stands, 0 if it is not there."""
    (back,) = _at("<i", buffer, table)
    (size,) = _at("<H", buffer, table - back)
    entry = 4 + 2 * number
    (distance,) = _at("<H", buffer, table - back + entry) if entry + 2 <= size else (0,)
    return table + int(distance) if distance else 0


def _field(layout: str, buffer: bytes, table: int, number: int) -> tuple[int, ...]:
    """Its value; 0 if it is not there, which is the default of every field that is read here."""
    place = _place(buffer, table, number)
    return _at(layout, buffer, place) if place else (0,)


def _at(layout: str, buffer: bytes, place: int) -> tuple[int, ...]:
    if place < 0:  # it would be counted from the end
        raise ValueError
    return struct.unpack_from(layout, buffer, place)
