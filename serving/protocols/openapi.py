"""The OpenAPI document: the scoring and counterfactual paths of every model served, their examples with real answers."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from models.clock import Month
from models.errors import InputRefused
from models.policy import Action
from serving.answers.answer import told
from serving.answers.checking import Record
from serving.answers.counterfactuals import counselled
from serving.answers.loaded import LoadedModel
from serving.protocols import inference_document
from serving.protocols.documents import JSON, PROBLEM, Counselled, Decided, Problem, Scored, problem
from serving.protocols.frames import ARROW

_REF = "#/components/schemas/{model}"
_STREAM = {"schema": {"type": "string", "format": "binary", "description": "of record batches with the columns of a record"}}


def complete(document: dict[str, Any], models: Mapping[str, LoadedModel]) -> dict[str, Any]:
    """The document of the fixed routes, with one scoring path for every model served, its fields and examples."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for body in (Scored, Counselled, Problem):
        schema = body.model_json_schema(ref_template=_REF)
        schemas |= schema.pop("$defs", {}) | {body.__name__: schema}
    for name, model in models.items():
        record = model.checker.record
        schemas[record.__name__] = record.model_json_schema(ref_template=_REF)
        document["paths"][f"/v1/models/{name}/score"] = {"post": _scoring(model)}
        document["paths"][f"/v1/models/{name}/counterfactual"] = {"post": _counsel(model)}
        document["paths"] |= inference_document.of_model(model, _scored(model, model.example()))
    document["paths"] |= inference_document.of_server()
    return document


def _scoring(model: LoadedModel) -> dict[str, Any]:
    return {
        "summary": f"Score records with {model.pointer.model}",
        "description": "Every answered decision is in the decision log before the answer leaves.",
        "operationId": f"score_{model.pointer.model}",
        "parameters": [
            _header("Idempotency-Key", "a retry with the same key and bytes gets the same answer; make it random", 255),
            _header("X-Request-ID", "comes back in the response's header and is not kept", 64),
        ],
        "requestBody": {"required": True, "content": {JSON: _asked(model), ARROW: _STREAM}},
        "responses": {
            "200": {
                "description": "decided and recorded; a stream is answered with one",
                "content": {
                    JSON: {"schema": {"$ref": _REF.format(model="Scored")}, "examples": _answered(model)},
                    ARROW: _STREAM,
                },
            },
            "409": _problem("the idempotency key was used for another body"),
            "413": _problem("the body is too large"),
            "415": _problem("the body is not declared as JSON, or as an Arrow stream where nobody reads one"),
            "422": _problem("a record breaks the contract; record, field, value and rule are named", _refused(model)),
            "503": _problem("nothing can be decided or recorded now; nothing was decided"),
        },
    }


def _counsel(model: LoadedModel) -> dict[str, Any]:
    one, examples = {"$ref": _REF.format(model=model.checker.record.__name__)}, _examples(model)
    said = {name: {"value": counselled(model, record, "r-1")} for name, record in examples.items()}
    asked = {"schema": one, "examples": {name: {"value": record} for name, record in examples.items()}}
    answer = {"schema": {"$ref": _REF.format(model="Counselled")}, "examples": said}
    return {
        "summary": f"The smallest change of a record that {model.pointer.model} would have decided better",
        "description": "Only what a customer can change by the next review is changed. It is no decision: nothing is recorded.",
        "operationId": f"counterfactual_{model.pointer.model}",
        "requestBody": {"required": True, "content": {JSON: asked}},
        "responses": {
            "200": {"description": "found, or said that there is none", "content": {JSON: answer}},
            "422": _problem("the record breaks the contract or is of a month to come, or there is more than one"),
            "503": _problem("nothing can be answered now"),
        },
    }


def _header(name: str, description: str, longest: int) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": longest}
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def _asked(model: LoadedModel) -> dict[str, Any]:
    one = {"$ref": _REF.format(model=model.checker.record.__name__)}
    batch = {
        "type": "object",
        "additionalProperties": False,
        "required": ["records"],
        "properties": {"records": {"type": "array", "minItems": 1, "maxItems": model.checker.max_records, "items": one}},
    }
    example = model.example()
    month_before = str(Month.parse(example[model.contract.time]).plus(-1))
    return {
        "schema": {"oneOf": [one, batch]},
        "examples": {
            **{name: {"value": record} for name, record in _examples(model).items()},
            "a batch": {"value": {"records": [example | {model.contract.time: month_before}, example]}},
        },
    }


def _answered(model: LoadedModel) -> dict[str, Any]:
    """What the examples really get, but for the ids."""
    return {name: {"value": _scored(model, record)} for name, record in _examples(model).items()}


def _examples(model: LoadedModel) -> dict[str, dict[str, Any]]:
    """The contract's own example, and a golden row that is reduced, if there is one."""
    found, golden = {"one record": model.example()}, model.release.bundle.part("golden.json")
    actions = model.rule.actions(np.array(golden["probabilities"]), np.array(golden["inputs"], dtype=np.float64))
    for row in np.flatnonzero(actions == Action.REDUCE.value)[:1]:
        typed = {name: int(value) if model.contract[name].codes else value for name, value in _golden(golden, int(row))}
        found["a reduction, with its reasons"] = model.example() | typed
    return found


def _golden(golden: dict[str, Any], row: int) -> Iterator[tuple[str, float]]:
    return zip(golden["columns"], golden["inputs"][row], strict=True)


def _scored(model: LoadedModel, record: Record) -> dict[str, Any]:
    [judged], pointer = model.judged([record]), model.pointer
    answer = Decided.model_validate(told("0107e8dcd76c7f6b8f6f6f1f0f4c2f6e-0", judged))
    scored = Scored(request_id="r-1", model=pointer.model, version=pointer.version, bundle=pointer.bundle, answers=[answer])
    return scored.model_dump(exclude_none=True)


def _problem(description: str, example: dict[str, Any] | None = None) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": _REF.format(model="Problem")}}
    return {"description": description, "content": {PROBLEM: content | ({"example": example} if example else {})}}


def _refused(model: LoadedModel) -> dict[str, Any]:
    """What a number sent as text really gets."""
    field = model.contract.inputs[0]
    broken = model.example() | {field: str(model.example()[field])}
    try:
        model.checker.records(json.dumps(broken).encode())
    except InputRefused as error:
        return problem(error, 422, "r-1").model_dump()
    raise AssertionError("text was taken for a number")
