"""The Open Inference Protocol, version 2, over HTTP: named tensors, brought into our own form and out of it.

Each column of the contract is an input tensor of shape [records] or [records, 1] and of exactly one datatype. Nothing is
converted: an FP32 0.1 is another number, and is refused by name. Tensors are JSON, or stand behind the JSON as bytes, in the
order in which they are named (the binary tensor data extension, in which NVIDIA's clients send and ask). What stands in a
record is checked afterwards as everything else is, by the bundle's contract.
https://github.com/kserve/open-inference-protocol, https://github.com/triton-inference-server/server/tree/main/docs/protocol
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from models.contract import REQUEST_ROLES, Column, Contract, Kind
from models.errors import Detail, InputRefused
from serving.protocols import strict_json
from serving.protocols.columns import as_records

DATATYPES: Mapping[Kind, str] = {"integer": "INT64", "number": "FP64", "text": "BYTES"}
"""The datatype of a column, by its kind."""
ALWAYS = {"decision_id": "BYTES", "action": "BYTES", "probability": "FP64", "version": "INT64"}
"""What is answered unless outputs are asked for by name. `version` is of what decided the record, which may be a canary."""
OUTPUTS = ALWAYS | {"reasons": "BYTES", "answer": "BYTES"}
"""What can be asked for. The last two are JSON: a reduction's reasons, and everything that `/score` says of the record."""

_LENGTH = struct.Struct("<I")
_LAYOUTS = {"INT64": "<i8", "FP64": "<f8"}
_ASKED_FOR = {"id", "inputs", "outputs", "parameters"}
_TENSOR = {"name", "shape", "datatype", "data", "parameters"}
_SHOWN = 60


class Wanted(NamedTuple):
    """An output that is asked for, and whether as bytes behind the JSON."""

    name: str
    binary: bool


@dataclass(frozen=True)
class Asked:
    """`body` as `Checker` reads it; `identity` is the client's, which comes back."""

    body: bytes
    identity: str
    wanted: tuple[Wanted, ...]


def translated(body: bytes, head: int | None, contract: Contract, most: int) -> Asked:
    """`head`: the length of the JSON, if tensors stand behind it. Raises `InputRefused` if the form cannot be read."""
    if head is not None and not 0 < head <= len(body):
        raise _refused(f"the header says that the JSON takes {head:,} of {len(body):,} bytes")
    try:
        asked = strict_json.read(body if head is None else body[:head])
    except ValueError as error:
        raise _refused(f"the body is not JSON: {error}") from None
    if not isinstance(asked, dict) or not {"inputs"} <= asked.keys() <= _ASKED_FOR:
        raise _refused('a request is an object with "inputs", and beside it "id", "outputs" and "parameters"')
    identity = asked.get("id", "")
    if not isinstance(identity, str) or len(identity) > 256 or not identity.isprintable():
        raise _refused('"id" is not a plain text of at most 256 characters')
    rest = memoryview(body)[head:] if head is not None else memoryview(b"")
    return Asked(_records(asked["inputs"], rest, contract, most), identity, _wanted(asked))


def returned(response: bytes, asked: Asked) -> tuple[bytes, int | None]:
    """Our answer as tensors, and the length of its JSON if tensors stand behind it."""
    said = strict_json.read(response)
    answers = said["answers"]
    outputs, behind = [], []
    for name, binary in asked.wanted:
        values = _values(name, answers, said["version"])
        tensor: dict[str, Any] = {"name": name, "datatype": OUTPUTS[name], "shape": [len(values)]}
        if binary:
            behind.append(_packed(OUTPUTS[name], values))
            tensor["parameters"] = {"binary_data_size": len(behind[-1])}
        outputs.append(tensor | ({} if binary else {"data": values}))
    told = {name: said[name] for name in ("request_id", "bundle", "fallback") if name in said}
    head = {"model_name": said["model"], "model_version": str(said["version"]), "outputs": outputs, "parameters": told}
    written = strict_json.write(head | ({"id": asked.identity} if asked.identity else {}))
    return b"".join([written, *behind]), len(written) if behind else None


def metadata(name: str, version: int, contract: Contract) -> dict[str, Any]:
    """What is asked and answered, as the protocol describes a model."""
    columns = contract.only(*REQUEST_ROLES).columns
    return {
        "name": name,
        "versions": [str(version)],
        "platform": "steward",
        "inputs": [{"name": each.name, "datatype": DATATYPES[each.kind], "shape": [-1]} for each in columns],
        "outputs": [{"name": output, "datatype": datatype, "shape": [-1]} for output, datatype in OUTPUTS.items()],
    }


def _records(inputs: Any, rest: memoryview, contract: Contract, most: int) -> bytes:
    known = {column.name: column for column in contract.only(*REQUEST_ROLES).columns}
    if not isinstance(inputs, list) or not inputs:
        raise _refused('"inputs" is not a list of tensors')
    found: dict[str, list[Any]] = {}
    counts: dict[str, int] = {}
    for tensor in inputs:
        name, count = _head(tensor, most)
        if name in counts:
            raise _refused(f"{_shown(name)} is there twice", name)
        counts[name] = count
        if name in known:
            found[name], rest = _read(tensor, known[name], count, rest)
        else:
            rest = rest[_behind(tensor, name, rest) or 0 :]
    if len(set(counts.values())) != 1:
        raise _refused("the tensors are not equally long")
    if len(rest):
        raise _refused(f"{len(rest):,} bytes behind the tensors belong to none")
    return as_records(found, count, counts.keys() - known.keys())


def _head(tensor: Any, most: int) -> tuple[str, int]:
    """Name and number of values, before anything of that size is made."""
    if not isinstance(tensor, dict) or not {"name", "shape", "datatype"} <= tensor.keys() <= _TENSOR:
        raise _refused('a tensor is an object with "name", "shape", "datatype", and "data" where it is not behind the JSON')
    name, shape = tensor["name"], tensor["shape"]
    if not isinstance(name, str):
        raise _refused("a tensor's name is not a text")
    plain = isinstance(shape, list) and all(type(size) is int for size in shape)
    if not plain or len(shape) not in (1, 2) or shape[1:] not in ([], [1]):
        raise _refused(f"{_shown(name)} needs the shape [records] or [records, 1]", name)
    if not 1 <= shape[0] <= most:
        raise _refused(f"{_shown(name)} is of {shape[0]} records; 1 to {most:,} are taken", name)
    return name, shape[0]


def _read(tensor: Mapping[str, Any], column: Column, count: int, rest: memoryview) -> tuple[list[Any], memoryview]:
    """The values, and what stands behind them."""
    name, size = column.name, _behind(tensor, column.name, rest)
    if tensor["datatype"] != DATATYPES[column.kind]:
        said = _shown(str(tensor["datatype"]))
        raise _refused(f"{name} is of datatype {said}; it needs {DATATYPES[column.kind]}: nothing is converted", name)
    if size is None:
        return _flat(tensor.get("data"), name, count, two=len(tensor["shape"]) == 2), rest
    return _unpacked(rest[:size], DATATYPES[column.kind], name, count), rest[size:]


def _behind(tensor: Mapping[str, Any], name: str, rest: memoryview) -> int | None:
    """How many of the bytes behind the JSON are this tensor's; None if it stands in the JSON."""
    parameters = tensor.get("parameters", {})
    if not isinstance(parameters, dict) or not parameters.keys() <= {"binary_data_size"}:
        raise _refused(f"of {_shown(name)} no parameter is known but binary_data_size", name)
    size = parameters.get("binary_data_size")
    if size is None:
        return None
    if type(size) is not int or not 0 <= size <= len(rest) or "data" in tensor:
        raise _refused(f"{_shown(name)} has no such binary_data_size behind the JSON", name)
    return size


def _flat(data: Any, name: str, count: int, *, two: bool) -> list[Any]:
    """As it stands in the JSON, flat or by record; which values may stand there says the contract."""
    if two and isinstance(data, list) and all(isinstance(each, list) and len(each) == 1 for each in data):
        data = [value for (value,) in data]
    if not isinstance(data, list) or len(data) != count:
        raise _refused(f'{name} needs {count:,} values in "data"', name)
    return data


def _unpacked(taken: memoryview, datatype: str, name: str, count: int) -> list[Any]:
    if layout := _LAYOUTS.get(datatype):
        if len(taken) != count * 8:
            raise _refused(f"{name} has {len(taken):,} bytes; {count:,} values of {datatype} take {count * 8:,}", name)
        values: list[Any] = np.frombuffer(taken, layout).tolist()
        return values
    texts: list[bytes] = []
    place = 0
    while place + _LENGTH.size <= len(taken) and len(texts) < count:
        (length,) = _LENGTH.unpack_from(taken, place)
        begin, place = place + _LENGTH.size, place + _LENGTH.size + length
        texts.append(bytes(taken[begin:place]))
    if place != len(taken) or len(texts) != count:
        raise _refused(f"{name} does not hold {count:,} texts, each behind its length in four bytes", name)
    try:
        return [text.decode() for text in texts]
    except UnicodeDecodeError:
        raise _refused(f"{name} holds a text that is not UTF-8", name) from None


def _wanted(asked: Mapping[str, Any]) -> tuple[Wanted, ...]:
    parameters, outputs = asked.get("parameters", {}), asked.get("outputs", [])
    if not isinstance(parameters, dict) or not parameters.keys() <= {"binary_data_output"}:
        raise _refused("of a request no parameter is known but binary_data_output")
    binary = parameters.get("binary_data_output", False)
    if type(binary) is not bool or not isinstance(outputs, list):
        raise _refused('"binary_data_output" is true or false, "outputs" a list')
    found = tuple(_output(each, binary) for each in outputs)
    if len({each.name for each in found}) != len(found):
        raise _refused("an output is asked for twice")
    return found or tuple(Wanted(name, binary) for name in ALWAYS)


def _output(asked: Any, binary: bool) -> Wanted:  # noqa: FBT001, of the whole request
    named = isinstance(asked, dict) and {"name"} <= asked.keys() <= {"name", "parameters"}
    if not named or asked["name"] not in list(OUTPUTS):
        raise _refused(f"an output is one of {', '.join(OUTPUTS)}")
    parameters = asked.get("parameters", {})
    if not isinstance(parameters, dict) or not parameters.keys() <= {"binary_data"}:
        raise _refused(f"of {asked['name']} no parameter is known but binary_data")
    own = parameters.get("binary_data", binary)
    if type(own) is not bool:
        raise _refused('"binary_data" is true or false')
    return Wanted(asked["name"], own)


def _values(name: str, answers: Sequence[Mapping[str, Any]], champion: int) -> list[Any]:
    if name == "version":
        return [answer.get("version", champion) for answer in answers]
    if name == "answer":
        return [strict_json.write(answer).decode() for answer in answers]
    if name == "reasons":
        return [strict_json.write(answer.get("reasons", [])).decode() for answer in answers]
    return [answer["decision" if name == "action" else name] for answer in answers]


def _packed(datatype: str, values: Sequence[Any]) -> bytes:
    if layout := _LAYOUTS.get(datatype):
        return np.array(values, dtype=layout).tobytes()
    texts = [value.encode() for value in values]
    return b"".join(part for text in texts for part in (_LENGTH.pack(len(text)), text))


def _refused(why: str, name: str = "") -> InputRefused:
    hint = "nothing was decided; /v2/models/{model} says what is asked, tensor by tensor"
    details = [Detail(0, _shown(name), "", why)] if name else []
    return InputRefused(why, details, hint=hint)


def _shown(name: str) -> str:
    """What can be written into a refusal."""
    return name[:_SHOWN].encode(errors="replace").decode()
