"""What a graph may hold, read from its bytes before any runtime sees it.

The ONNX file format is Protocol Buffers; the few messages that matter are walked here with the standard library, so that
serving neither imports the onnx package nor lets a runtime open a graph that nobody looked at. Field numbers are those of
onnx.proto3. The reader is stricter than the format: what it does not know, or finds twice, it refuses.
"""

from collections.abc import Iterator

from models.errors import Integrity

LARGEST = 8 * 2**20
"""Bytes of a graph: a hundred times what the running example's has."""

_ELEMENTWISE = {
    *("Abs", "Add", "And", "Cast", "Ceil", "Clip", "Div", "Equal", "Floor", "Greater", "GreaterOrEqual", "IsInf", "IsNaN"),
    *("Less", "LessOrEqual", "Max", "Min", "Mul", "Neg", "Not", "Or", "Round", "Sigmoid", "Sign", "Sub", "Where", "Xor"),
}
_LAYOUT = {"Concat", "Constant", "Expand", "Gather", "Identity", "Reshape", "Shape", "Slice", "Squeeze", "Unsqueeze"}
ALLOWED = {("", 21): _ELEMENTWISE | _LAYOUT, ("ai.onnx.ml", 5): {"TreeEnsemble"}}
"""Operators by domain and version: exact arithmetic and layout. None reads a file, loops or calls foreign code."""

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_MODEL = {1, 2, 3, 4, 5, 6, 7, 8, 14}
_GRAPH = {1, 2, 5, 10, 11, 12, 13, 16}
_NODE = {1, 2, 3, 4, 5, 6, 7, 9}
_ATTRIBUTE = {1, 2, 3, 4, 5, 7, 8, 9, 13, 20}
_TENSOR = {1, 2, 4, 5, 7, 8, 9, 10, 11, 12, 14}
_REFUSED = {
    "model": {20: "training information", 25: "functions of its own", 26: "device configurations"},
    "graph": {14: "quantisation", 15: "sparse tensors"},
    "node": {8: "overloaded operators", 10: "device configurations"},
    "attribute": {6: "a graph within the graph", 11: "graphs within the graph", 21: "references to a function's attributes"},
    "tensor": {3: "segments", 6: "texts", 13: "data outside itself"},
}

Fields = Iterator[tuple[int, int | memoryview]]


class _NotOnnxError(ValueError):
    """The bytes do not follow the format."""


def check_operators(graph: bytes) -> None:
    """Raises `Integrity` if the graph holds anything but `ALLOWED`, keeps data outside itself, or is too large."""
    if len(graph) > LARGEST:
        raise Integrity(
            f"the graph has {len(graph)} bytes, more than {LARGEST}", hint="a scorecard is small; find out what it is"
        )
    try:
        _check_model(memoryview(graph))
    except _NotOnnxError as error:
        raise Integrity(f"the graph is not valid ONNX: {error}", hint="seal the bundle again") from error


def _check_model(data: memoryview) -> None:
    graphs, opsets = [], dict[str, int]()
    for number, value in _known(data, "model", _MODEL):
        if number == 7:
            graphs.append(_message(value))
        elif number == 8:
            domain, version = _opset(_message(value))
            if domain in opsets:
                raise _refused(f"two versions of {domain or 'ai.onnx'}")
            opsets[domain] = version
    if len(graphs) != 1:
        raise _NotOnnxError(f"{len(graphs)} graphs")
    for number, value in _known(graphs[0], "graph", _GRAPH):
        if number == 1:
            _check_node(_message(value), opsets)
        elif number == 5:
            _check_tensor(_message(value))


def _opset(data: memoryview) -> tuple[str, int]:
    found = dict(_known(data, "opset", {1, 2}))
    domain, version = found.get(1, memoryview(b"")), found.get(2, 0)
    if not isinstance(version, int):
        raise _NotOnnxError("an opset without a number")
    return _text(domain), version


def _check_node(data: memoryview, opsets: dict[str, int]) -> None:
    said: dict[int, str] = {}
    attributes = []
    for number, value in _known(data, "node", _NODE):
        if number in said:
            raise _NotOnnxError("a node with two operators")
        if number in (4, 7):
            said[number] = _text(value)
        elif number == 5:
            attributes.append(_message(value))
    operator, domain = said.get(4, ""), said.get(7, "")
    if operator not in ALLOWED.get((domain, opsets.get(domain, 0)), ()):
        raise _refused(f"{domain or 'ai.onnx'}.{operator} of version {opsets.get(domain, 'unknown')}")
    for attribute in attributes:
        _check_attribute(attribute)


def _check_attribute(data: memoryview) -> None:
    for number, value in _known(data, "attribute", _ATTRIBUTE):
        if number == 5:
            _check_tensor(_message(value))


def _check_tensor(data: memoryview) -> None:
    for number, value in _known(data, "tensor", _TENSOR):
        if number == 14 and value != 0:
            raise _refused("data outside itself")


def _known(data: memoryview, what: str, allowed: set[int]) -> Fields:
    for number, value in _fields(data):
        if number not in allowed:
            raise _refused(_REFUSED.get(what, {}).get(number, f"field {number} of a {what}"))
        yield number, value


def _fields(data: memoryview) -> Fields:
    """Number and value of every field of one message; groups and anything cut off are refused."""
    place, end = 0, len(data)
    while place < end:
        key, place = _varint(data, place)
        kind = key & 7
        if kind == _VARINT:
            value, place = _varint(data, place)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            length, place = _varint(data, place)
        elif kind in (_EIGHT, _FOUR):
            length = 8 if kind == _EIGHT else 4
        else:
            raise _NotOnnxError(f"a field of kind {kind}")
        if place + length > end:
            raise _NotOnnxError("it is cut off")
        yield key >> 3, data[place : place + length]
        place += length


def _varint(data: memoryview, start: int) -> tuple[int, int]:
    """A number of at most ten bytes, seven bits each, the lowest first; and where it ends."""
    value = shift = 0
    for place, byte in enumerate(data[start : start + 10], start=start):
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place + 1
        shift += 7
    raise _NotOnnxError("a number has no end")


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise _NotOnnxError("a number where a message belongs")
    return value


def _text(value: int | memoryview) -> str:
    try:
        return str(_message(value), "utf-8")
    except UnicodeDecodeError as error:
        raise _NotOnnxError("a name that is no text") from error


def _refused(what: str) -> Integrity:
    return Integrity(
        f"the graph holds {what}",
        hint="write features with +, -, *, /, comparisons, minimum, maximum and where: these give the same bits everywhere",
    )
