"""The OpenAPI document: its examples work, and it names nothing that it should not."""

import json
from typing import Any

import jsonschema
from fastapi.testclient import TestClient

from serving.protocols.documents import Counselled
from tests.bundles import MODEL, record
from tests.worlds import COUNSEL, SCORE, World


def test_the_openapi_document_shows_real_examples_that_work(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    operation = document["paths"][SCORE]["post"]
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    shown = operation["responses"]["200"]["content"]["application/json"]["examples"]
    for name, example in examples.items():
        answered = client.post(SCORE, json=example["value"])
        assert answered.status_code == 200
        assert answered.json()["bundle"] == shown["one record"]["value"]["bundle"]
        if name in shown:
            [said], [promised] = answered.json()["answers"], shown[name]["value"]["answers"]
            assert said == promised | {"decision_id": said["decision_id"]}
    refused = operation["responses"]["422"]["content"]["application/problem+json"]["example"]
    assert refused["errors"][0]["value"] == '"50000.0"'


def test_the_openapi_document_shows_a_reduction_with_its_reasons_and_what_would_have_helped(world: World) -> None:
    world.promote(0.3, version=2)
    with TestClient(world.app()) as client:
        paths = client.get("/openapi.json").json()["paths"]
        shown = example_of(paths[SCORE], "a reduction, with its reasons")["answers"][0]
        assert (shown["decision"], shown["no_notice"]) == ("reduce", True)
        assert shown["reasons"][0]["group"] == "credit limit"
        helped = example_of(paths[COUNSEL], "a reduction, with its reasons")
        asked = paths[COUNSEL]["post"]["requestBody"]["content"]["application/json"]["examples"]
        answered = client.post(COUNSEL, json=asked["a reduction, with its reasons"]["value"])
    assert answered.json() == helped | {"request_id": answered.headers["x-request-id"]}
    Counselled.model_validate(answered.json())
    change = {"field": "status_0", "meaning": "repayment status of the snapshot month", "unit": "", "from": 2, "to": 0}
    assert helped["counterfactual"]["changes"] == [change]
    assert (helped["would_be"], helped["counterfactual"]["would_be"]) == ("reduce", "review")


def example_of(path: dict[str, Any], name: str) -> Any:
    return path["post"]["responses"]["200"]["content"]["application/json"]["examples"][name]["value"]


def test_the_openapi_document_names_no_audit_column_and_no_schema_that_is_not_there(client: TestClient) -> None:
    text = client.get("/openapi.json").text
    document = json.loads(text)
    fields = document["components"]["schemas"]["CreditDefaultRecord"]["properties"]
    assert fields.keys() == record().keys()
    assert fields["status_0"]["enum"] == list(range(-2, 10))
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= document["components"]["schemas"].keys()


def test_what_the_document_shows_of_the_open_inference_protocol_is_what_is_answered(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path in (f"/v2/models/{MODEL}", f"/v2/models/{MODEL}/versions/1"):
        assert client.get(path).json() == paths[path]["get"]["responses"]["200"]["content"]["application/json"]["example"]
        infer = paths[f"{path}/infer"]["post"]
        asked, shown = infer["requestBody"]["content"], infer["responses"]["200"]["content"]
        answer = client.post(f"{path}/infer", json=asked["application/json"]["example"]).json()
        promised = shown["application/json"]["example"]
        jsonschema.validate(answer, shown["application/json"]["schema"])
        jsonschema.validate(asked["application/json"]["example"], asked["application/json"]["schema"])
        with_parameters = [each | {"parameters": {}} for each in asked["application/json"]["example"]["inputs"]]
        assert client.post(f"{path}/infer", json={"inputs": with_parameters}).status_code == 200
        jsonschema.validate({"inputs": with_parameters}, asked["application/json"]["schema"])
        assert answer["parameters"].keys() == promised["parameters"].keys()
        (ours, *rest), (theirs, *others) = answer.pop("outputs"), promised.pop("outputs")
        assert (ours["name"], rest) == (theirs["name"], others)
        assert {**answer, "parameters": {}} == {**promised, "parameters": {}}
    assert {"/v2", "/v2/health/live", "/v2/health/ready", f"/v2/models/{MODEL}/ready"} <= paths.keys()


def test_the_document_offers_a_stream_of_tables_where_records_are_scored(client: TestClient) -> None:
    scoring = client.get("/openapi.json").json()["paths"][SCORE]["post"]
    assert "application/vnd.apache.arrow.stream" in scoring["requestBody"]["content"]
    assert "application/vnd.apache.arrow.stream" in scoring["responses"]["200"]["content"]
