"""NVIDIA's own client of the Open Inference Protocol against a running service. Its environment: `make triton-client`."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.bundles import MODEL, records
from tests.integration.test_refused_bodies import port
from tests.triton import WHERE

__all__ = ["port"]  # the running service

PYTHON = WHERE / "bin" / "python"
CALLS = Path(__file__).with_name("triton_calls.py")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not (WHERE / "ready").exists(), reason="NVIDIA's client has an environment of its own: make triton-client"
    ),
]


@pytest.fixture(scope="module")
def told(port: int) -> dict[str, Any]:
    rows = json.dumps(records({"status_0": 0}, {"status_0": 5}))
    asked = [str(PYTHON), str(CALLS), f"127.0.0.1:{port}", MODEL, rows]
    said = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=120).stdout
    found: dict[str, Any] = json.loads(said)
    return found


def test_it_sees_whether_the_service_is_there(told: dict[str, Any]) -> None:
    assert (told["live"], told["ready"], told["unknown"], told["server"]) == (True, True, False, "steward")


@pytest.mark.parametrize("form", ["binary", "json", "awaited"])
def test_its_tensors_are_decided_on(told: dict[str, Any], form: str) -> None:
    assert (told[form]["action"], told[form]["probability"]) == (["review", "reduce"], [0.1, 0.6])
    assert len(set(told[form]["decision_id"])) == 2


def test_it_is_told_the_reasons_if_it_asks(told: dict[str, Any]) -> None:
    none, reasons = map(json.loads, told["json"]["reasons"])
    assert none == []
    assert reasons[0]["text"]


def test_its_retry_is_decided_once(told: dict[str, Any]) -> None:
    first, again = told["retried"]
    assert first == again


def test_it_is_told_why_it_is_refused(told: dict[str, Any]) -> None:
    assert told["narrow"][0] == told["wrong"][0] == "422"
    assert "credit_limit is of datatype FP32; it needs FP64" in told["narrow"][1]
    assert "record 0, status_0: 99 is refused" in told["wrong"][1]
    assert (told["version"][0], "version 1 does" in told["version"][1]) == ("404", True)
