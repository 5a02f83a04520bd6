"""The paths of the Open Inference Protocol in the OpenAPI document, with what a request and its answer really look like.

No schema says that all tensors are there once and equally long; whatever breaks that gets 422, as the document says.
"""

import json
from collections.abc import Mapping
from typing import Any

from models.contract import REQUEST_ROLES, Column
from serving.answers.loaded import LoadedModel
from serving.protocols import strict_json
from serving.protocols.documents import JSON, PROBLEM
from serving.protocols.tensors import DATATYPES, OUTPUTS, metadata, returned, translated

BINARY = "application/octet-stream"
HEAD = "Inference-Header-Content-Length"
_TYPES = {"INT64": "integer", "FP64": "number", "BYTES": "string"}
_PROBLEM = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def of_server() -> dict[str, Any]:
    """The paths that name no model."""
    live, ready = _flag("live", "the process"), _flag("ready", "whether requests can be answered")
    return {
        "/v2": {"get": _get("What speaks here", {"name": _text(), "version": _text(), "extensions": _listed(_text())})},
        "/v2/health/live": {"get": live},
        "/v2/health/ready": {"get": ready | {"responses": ready["responses"] | {"503": {**ready["responses"]["200"]}}}},
    }


def of_model(model: LoadedModel, scored: Mapping[str, Any]) -> dict[str, Any]:
    """The paths of a model, and of its version; `scored` is what its example gets by our own path."""
    name, version = model.pointer.model, model.pointer.version
    tensor = {"name": _text(), "datatype": _text(), "shape": _listed({"type": "integer"})}
    described = {"name": _text(), "versions": _listed(_text()), "platform": _text()}
    described |= {side: _listed(_exactly(tensor)) for side in ("inputs", "outputs")}
    about = _get(f"What {name} is asked and answers, tensor by tensor", described)
    about["responses"]["200"]["content"][JSON]["example"] = metadata(name, version, model.contract)
    ready = _get(f"Whether {name} answers", {"name": _text(), "ready": {"type": "boolean"}})
    paths = {"": {"get": about}, "/ready": {"get": ready}, "/infer": {"post": _infer(model, scored)}}
    return {f"/v2/models/{name}{of}{path}": what for of in ("", f"/versions/{version}") for path, what in paths.items()}


def _infer(model: LoadedModel, scored: Mapping[str, Any]) -> dict[str, Any]:
    asked = _example(model)
    body = json.dumps(asked).encode()
    told, _ = returned(json.dumps(scored).encode(), translated(body, None, model.contract, 1))
    length = {"type": "integer", "minimum": 1}
    about = "of the JSON, in bytes, where tensors stand behind it"
    return {
        "summary": f"Score records with {model.pointer.model}, by the Open Inference Protocol",
        "description": "The same checks, decisions and log as the scoring path. Nothing is converted between datatypes.",
        "parameters": [{"name": HEAD, "in": "header", "required": False, "description": about, "schema": length}],
        "requestBody": {
            "required": True,
            "content": {
                JSON: {"schema": _asked(model), "example": asked},
                BINARY: {"schema": {"type": "string", "format": "binary"}},
            },
        },
        "responses": {
            "200": {
                "description": "decided and recorded; as bytes where outputs were asked for so",
                "headers": {HEAD: {"description": about, "schema": length}},
                "content": {
                    JSON: {"schema": _answered(), "example": strict_json.read(told)},
                    BINARY: {"schema": {"type": "string", "format": "binary"}},
                },
            },
            **_refused("404", "413", "415", "422", "503"),
        },
    }


def _example(model: LoadedModel) -> dict[str, Any]:
    record = model.example()
    tensors = [
        {"name": each.name, "shape": [1], "datatype": DATATYPES[each.kind], "data": [record[each.name]]}
        for each in _columns(model)
    ]
    return {"id": "mine", "inputs": tensors}


def _asked(model: LoadedModel) -> dict[str, Any]:
    columns, most = _columns(model), model.checker.max_records
    output = {"name": {"enum": [*OUTPUTS]}, "parameters": _exactly({"binary_data": {"type": "boolean"}}, required=())}
    return _exactly(
        {
            "inputs": {
                "type": "array",
                "minItems": len(columns),
                "maxItems": len(columns),
                "items": {"oneOf": [_input(each, most) for each in columns]},
            },
            "id": {"type": "string", "maxLength": 256},
            "outputs": _listed(_exactly(output, required=("name",))),
            "parameters": _exactly({"binary_data_output": {"type": "boolean"}}, required=()),
        },
        required=("inputs",),
    )


def _input(column: Column, most: int) -> dict[str, Any]:
    datatype = DATATYPES[column.kind]
    size = {"type": "integer", "minimum": 1, "maximum": most}
    return _exactly(
        {
            "name": {"const": column.name, "description": column.meaning},
            "shape": {"type": "array", "minItems": 1, "maxItems": 1, "items": size},
            "datatype": {"const": datatype},
            "data": {"type": "array", "minItems": 1, "maxItems": most, "items": {"type": _TYPES[datatype]}},
            "parameters": _exactly({}),  # the one there is names bytes behind the JSON
        },
        required=("name", "shape", "datatype", "data"),
    )


def _answered() -> dict[str, Any]:
    tensor = {
        "name": {"enum": [*OUTPUTS]},
        "datatype": _text(),
        "shape": _listed({"type": "integer"}),
        "data": {"type": "array"},
    }
    # Anything may be said beside: who and what decided, in `parameters`.
    said = {"model_name": _text(), "model_version": _text(), "id": _text(), "parameters": {"type": "object"}}
    said["outputs"] = _listed(_exactly(tensor))
    return _exactly(said, required=("model_name", "model_version", "outputs", "parameters"))


def _columns(model: LoadedModel) -> list[Column]:
    return list(model.contract.only(*REQUEST_ROLES).columns)


def _flag(name: str, about: str) -> dict[str, Any]:
    return _get(f"As the protocol asks: {about}", {name: {"type": "boolean"}})


def _get(summary: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    answer = {"description": "said", "content": {JSON: {"schema": _exactly(properties)}}}
    return {"summary": summary, "responses": {"200": answer, **_refused("404", "503")}}


def _refused(*statuses: str) -> dict[str, Any]:
    why = {
        "404": "no such model, or another version answers",
        "413": "the body is too large",
        "415": "the body is declared as something else",
        "422": "a tensor or a record is refused, by name; nothing was decided",
        "503": "nothing can be answered now",
    }
    return {status: {"description": why[status], "content": _PROBLEM} for status in statuses}


def _exactly(properties: Mapping[str, Any], required: tuple[str, ...] | None = None) -> dict[str, Any]:
    needed = [*properties] if required is None else [*required]
    return {"type": "object", "additionalProperties": False, "required": needed, "properties": dict(properties)}


def _listed(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(items)}


def _text() -> dict[str, Any]:
    return {"type": "string"}
