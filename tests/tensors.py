"""Requests of the Open Inference Protocol, written as NVIDIA's client writes them, and its answers read."""

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.contract import REQUEST_ROLES
from serving.protocols.tensors import DATATYPES
from tests.bundles import MODEL, USE_CASE

INFER = f"/v2/models/{MODEL}/infer"
HEAD = "Inference-Header-Content-Length"
_KINDS = {column.name: DATATYPES[column.kind] for column in USE_CASE.contract.only(*REQUEST_ROLES).columns}


def tensors(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """With their values in the JSON."""
    return [
        {"name": name, "shape": [len(records)], "datatype": datatype, "data": [record[name] for record in records]}
        for name, datatype in _KINDS.items()
    ]


def binary(records: Sequence[Mapping[str, Any]], **beside: Any) -> tuple[bytes, dict[str, str]]:
    """Body and headers, with all tensors behind the JSON, and all outputs asked for likewise."""
    inputs, behind = [], []
    for tensor in tensors(records):
        behind.append(packed(tensor["datatype"], tensor.pop("data")))
        inputs.append(tensor | {"parameters": {"binary_data_size": len(behind[-1])}})
    asked = {"inputs": inputs, "parameters": {"binary_data_output": True}} | beside
    head = json.dumps(asked).encode()
    return head + b"".join(behind), {HEAD: str(len(head))}


def packed(datatype: str, values: Sequence[Any]) -> bytes:
    if datatype == "BYTES":
        return b"".join(struct.pack("<I", len(each.encode())) + each.encode() for each in values)
    return np.array(values, dtype={"INT64": "<i8", "FP64": "<f8"}[datatype]).tobytes()


def outputs(content: bytes, head: str | None) -> dict[str, list[Any]]:
    """By name."""
    length = int(head) if head else len(content)
    said, behind = json.loads(content[:length]), content[length:]
    found: dict[str, list[Any]] = {}
    for tensor in said["outputs"]:
        if "data" in tensor:
            found[tensor["name"]] = tensor["data"]
            continue
        size = tensor["parameters"]["binary_data_size"]
        taken, behind = behind[:size], behind[size:]
        found[tensor["name"]] = _unpacked(tensor["datatype"], taken)
        assert len(found[tensor["name"]]) == tensor["shape"][0]
    assert behind == b""
    return found


def _unpacked(datatype: str, taken: bytes) -> list[Any]:
    if datatype in ("FP64", "INT64"):
        return list(np.frombuffer(taken, {"FP64": "<f8", "INT64": "<i8"}[datatype]).tolist())
    texts = []
    while taken:
        (length,) = struct.unpack_from("<I", taken)
        texts.append(taken[4 : 4 + length].decode())
        taken = taken[4 + length :]
    return texts
