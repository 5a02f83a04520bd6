"""What goes over the wire, written down: the bodies of answers and problems, and the OpenAPI document with real examples."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, Field

from models.clock import Month
from models.errors import InputRefused, PlatformError
from serving.prediction import LoadedModel

JSON = "application/json"
PROBLEM = "application/problem+json"
_REF = "#/components/schemas/{model}"


class Decided(BaseModel):
    decision_id: str = Field(description="under which the decision log keeps it")
    decision: str = Field(description="the action that the policy's cut-offs give")
    probability: float = Field(ge=0, le=1, description="of a bad outcome, rounded as the policy says")


class Scored(BaseModel):
    request_id: str
    model: str
    version: int = Field(description="the registry's number")
    bundle: str = Field(description="SHA-256 of the bundle's manifest: exactly what decided")
    answers: list[Decided] = Field(description="in the order of the records")


class BrokenRule(BaseModel):
    record: int = Field(description="index in the batch, from 0")
    field: str
    value: str = Field(description="as it stood in the JSON, shortened; empty for a field that is not allowed")
    rule: str


class Problem(BaseModel):
    """RFC 9457, with what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    hint: str
    request_id: str
    errors: list[BrokenRule] = []


class Served(BaseModel):
    model: str
    version: int
    bundle: str
    sequence: int = Field(description="the number of the release channel's pointer")
    published_at: str
    contract_version: int
    fields: list[str]


class Models(BaseModel):
    models: list[Served]


class Trouble(BaseModel):
    where: str
    problem: str
    hint: str


class Readiness(BaseModel):
    ready: bool
    reason: str = Field(description="why no request can be answered; empty when ready")
    hint: str
    models: list[Served]
    problems: list[Trouble] = Field(description="also what does not stop the answers, such as a refused release")


def served(model: LoadedModel) -> Served:
    pointer = model.pointer
    return Served(
        model=pointer.model,
        version=pointer.version,
        bundle=pointer.bundle,
        sequence=pointer.sequence,
        published_at=pointer.published_at,
        contract_version=model.contract.version,
        fields=list(model.checker.record.model_fields),
    )


def problem(error: PlatformError, status: int, request_id: str) -> Problem:
    words = re.findall("[A-Z][a-z]+", type(error).__name__)
    details = error.details if isinstance(error, InputRefused) else ()
    return Problem(
        type=f"urn:steward:problem:{'-'.join(words).lower()}",
        title=" ".join(words).capitalize(),
        status=status,
        detail=error.problem,
        hint=error.hint,
        request_id=request_id,
        errors=[BrokenRule(**asdict(detail)) for detail in details],
    )


def complete(document: dict[str, Any], models: Mapping[str, LoadedModel]) -> dict[str, Any]:
    """The document of the fixed routes, with one scoring path for every model served, its fields and examples."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for body in (Scored, Problem):
        schema = body.model_json_schema(ref_template=_REF)
        schemas |= schema.pop("$defs", {}) | {body.__name__: schema}
    for name, model in models.items():
        record = model.checker.record
        schemas[record.__name__] = record.model_json_schema(ref_template=_REF)
        document["paths"][f"/v1/models/{name}/score"] = {"post": _scoring(model)}
    return document


def _scoring(model: LoadedModel) -> dict[str, Any]:
    return {
        "summary": f"Score records with {model.pointer.model}",
        "description": "Every answered decision is in the decision log before the answer leaves.",
        "operationId": f"score_{model.pointer.model}",
        "parameters": [
            _header("Idempotency-Key", "a retry with the same key and the same bytes gets the same answer", 255),
            _header("X-Request-ID", "taken over into answer, log and response header", 64),
        ],
        "requestBody": {"required": True, "content": {JSON: _asked(model)}},
        "responses": {
            "200": {
                "description": "decided and recorded",
                "content": {JSON: {"schema": {"$ref": _REF.format(model="Scored")}, "example": _answered(model)}},
            },
            "409": _problem("the idempotency key was used for another body"),
            "413": _problem("the body is too large"),
            "415": _problem("the body is not declared as JSON"),
            "422": _problem("a record breaks the contract; record, field, value and rule are named", _refused(model)),
            "503": _problem("nothing can be decided or recorded now; nothing was decided"),
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
            "one record": {"value": example},
            "a batch": {"value": {"records": [example | {model.contract.time: month_before}, example]}},
        },
    }


def _answered(model: LoadedModel) -> dict[str, Any]:
    """What the example really gets, but for the ids."""
    probability = model.probabilities([model.example()])
    decided = Decided(
        decision_id="6d1ff2a0c9d94d6b8f6f6f1f0f4c2f6e-0",
        decision=str(model.policy.cut_offs.actions(probability)[0]),
        probability=float(probability[0]),
    )
    pointer = model.pointer
    scored = Scored(request_id="r-1", model=pointer.model, version=pointer.version, bundle=pointer.bundle, answers=[decided])
    return scored.model_dump()


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
