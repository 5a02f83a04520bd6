"""Tokens beside API keys, at a service that is asked over HTTP."""

import http.client
import json
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.adapters.signed_tokens import IssuerKeys
from serving.door.connections import Patience
from serving.door.tokens import Role, Rules, Tokens
from tests.bundles import MODEL, NOW, record
from tests.doors import SCORE, Doorway, bearer, key
from tests.issuers import AUDIENCE, ISSUER, ROLES, Issuer
from tests.servers import serving
from tests.tensors import INFER, tensors
from tests.worlds import problem

WIDER = ROLES | {"clerk": {"models": [MODEL], "actions": ["score", "review", "read"]}}


def door(issuer: Issuer, *keys: Any) -> Doorway:
    verifier = IssuerKeys(issuer.fetch)
    verifier.look()
    rules = Rules(ISSUER, AUDIENCE, {name: Role.model_validate(role) for name, role in WIDER.items()})
    return Doorway(*keys, tokens=Tokens(rules, verifier))


def shown(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_opens_what_its_roles_allow_by_every_protocol(algorithm: str) -> None:
    issuer = Issuer(algorithm)
    with TestClient(door(issuer).app) as client:
        mine = shown(issuer.token())
        assert client.post(SCORE, json=record(), headers=mine).status_code == 200
        assert client.post("/invocations", json={"instances": [record()]}, headers=mine).status_code == 200
        assert client.post(INFER, json={"inputs": tensors([record()])}, headers=mine).status_code == 200
        assert [served["model"] for served in client.get("/v1/models", headers=mine).json()["models"]] == [MODEL]
        assert (
            "may not counterfactual"
            in problem(client.post(SCORE.replace("score", "counterfactual"), json=record(), headers=mine), 403).detail
        )
        problem(client.post(SCORE, json=record(), headers=shown(issuer.token(roles=["officer"]))), 403)
        problem(client.get("/metrics", headers=mine), 403)
        assert client.get("/metrics", headers=shown(issuer.token(roles=["auditor"]))).status_code == 200


def test_who_brings_a_token_that_is_not_taken_is_sent_to_its_issuer_and_not_for_a_key() -> None:
    issuer = Issuer("ES256")
    with TestClient(door(issuer).app) as client:
        refused = problem(client.post(SCORE, json=record(), headers=shown(issuer.token(aud="another"))), 401)
        assert "issuer" in refused.hint
        assert "api-key" not in refused.hint


def test_with_tokens_alone_the_door_is_closed_and_keys_open_beside_them() -> None:
    issuer = Issuer("ES256")
    with TestClient(door(issuer).app) as client:
        response = client.post(SCORE, json=record())
        problem(response, 401)
        assert response.headers["www-authenticate"].startswith("Bearer")
        problem(client.post(SCORE, json=record(), headers=bearer()), 401)
    with TestClient(door(issuer, key()).app) as client:
        assert client.post(SCORE, json=record(), headers=bearer()).status_code == 200
        assert client.post(SCORE, json=record(), headers=shown(issuer.token())).status_code == 200


def test_without_an_issuer_no_token_is_taken() -> None:
    with TestClient(Doorway(key()).app) as client:
        problem(client.post(SCORE, json=record(), headers=shown(Issuer("ES256").token())), 401)


def test_a_token_that_has_ended_opens_nothing() -> None:
    issuer = Issuer("ES256")
    made = door(issuer)
    with TestClient(made.app) as client:
        token = shown(issuer.token())
        assert client.post(SCORE, json=record(), headers=token).status_code == 200
        made.clock.set(NOW + timedelta(seconds=3_631))
        assert "not in force" in problem(client.post(SCORE, json=record(), headers=token), 401).detail


def test_a_review_is_brought_by_whom_the_token_names() -> None:
    issuer = Issuer("ES256")
    with TestClient(door(issuer).app) as client:
        clerk = shown(issuer.token(roles=["clerk"]))
        [answer] = client.post(SCORE, json=record(status_0=0), headers=clerk).json()["answers"]
        address, said = f"/v1/decisions/{answer['decision_id']}/review", {"outcome": "keep", "reason_code": "SEEN"}
        problem(client.post(address, json=said | {"reviewer": "a.ito"}, headers=clerk), 403)
        other = shown(issuer.token(roles=["officer"]))
        problem(client.post(address, json=said | {"reviewer": "r.lin"}, headers=other), 404)
        assert client.post(address, json=said | {"reviewer": "r.lin"}, headers=clerk).status_code == 200


def test_idempotency_keys_of_two_subjects_do_not_meet() -> None:
    issuer = Issuer("ES256")
    made = door(issuer)
    with TestClient(made.app) as client:
        for subject in ("u-1", "u-2", "u-1"):
            client.post(SCORE, json=record(), headers=shown(issuer.token(sub=subject)) | {"Idempotency-Key": "k"})
    assert len(made.log.decisions) == 2  # type: ignore[attr-defined]


def test_readiness_names_an_issuer_that_is_away_to_who_may_read() -> None:
    issuer = Issuer("ES256")
    issuer.away = True
    with TestClient(door(issuer, key()).app) as client:
        response = client.get("/health/ready", headers=bearer())
        assert response.status_code == 200
        assert [trouble["where"] for trouble in response.json()["problems"]] == ["tokens"]
        assert "problems" not in client.get("/health/ready").json()
        for path in ("/health/live", "/health/ready", "/ping", "/v2/health/ready"):
            assert client.get(path, headers=shown(issuer.token())).status_code == 200
        refused = client.post(SCORE, json=record(), headers=shown(issuer.token()))
        problem(refused, 503)
        assert refused.headers["retry-after"] == "1"


def test_the_express_lane_takes_tokens_by_the_same_rules() -> None:
    issuer = Issuer("ES256")
    with serving(door(issuer).app, Patience(15.0)) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        statuses = []
        for token in (issuer.token(), issuer.token(), issuer.token(aud="other"), "a.b.c", issuer.token(roles=["officer"])):
            headers = shown(token) | {"content-type": "application/json"}
            connection.request("POST", SCORE, json.dumps(record()), headers)
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
        connection.close()
    assert statuses == [200, 200, 401, 401, 403]
