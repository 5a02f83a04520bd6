"""Whoever is turned away at the door is counted with the others: an attack, or an overload, must be seen."""

import pytest
from fastapi.testclient import TestClient

from models.governance.api_keys import Allowance
from tests.bundles import MODEL, record
from tests.doors import SCORE, Doorway, bearer, key

INFER = f"/v2/models/{MODEL}/infer"
WATCH = key("watch", actions=["read"])
FEW = key("few", allowance=Allowance(requests_per_second=0.001, burst=1))


def counted(client: TestClient) -> dict[str, float]:
    text = client.get("/metrics", headers=bearer("watch")).text
    lines = [line for line in text.splitlines() if line.startswith("steward_responses_total")]
    told = {line.split('"')[1]: float(line.split()[-1]) for line in lines}
    return {status: count for status, count in told.items() if count}


@pytest.mark.parametrize("path", [SCORE, "/invocations", INFER])
def test_by_whichever_protocol_one_asks(path: str) -> None:
    with TestClient(Doorway(WATCH, FEW, key()).app) as client:
        client.post(path, json=record())
        client.post(path, json=record(), headers=bearer("watch"))
        client.post(path, json=record(), headers=bearer("few"))
        client.post(path, json=record(), headers=bearer("few"))
        client.post(f"{path}?{'x' * 3_000}", json=record(), headers=bearer())
        client.post(path, content=b" " * 20_001, headers=bearer() | {"content-type": "application/json"})
        first = "200" if path == SCORE else "422"
        assert counted(client) == {"401": 1, "403": 1, first: 1, "429": 1, "414": 1, "413": 1}


def test_what_asks_for_no_score_is_not_counted() -> None:
    with TestClient(Doorway(WATCH, key()).app) as client:
        for path in (SCORE, "/v1/models", "/health/ready", "/nothing"):
            client.get(path)
        client.post("/nothing", json={})
        assert counted(client) == {}
