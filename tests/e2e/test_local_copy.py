"""A service that starts while the release channel is away, asked over HTTP."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.adapters.folder_channel import FolderChannel
from tests.bundles import MODEL, Office, real_bundle, record
from tests.running import SCORE, Service, until

pytestmark = pytest.mark.integration


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """It served version 2 and was stopped; then its channel went away."""
    made = Service(tmp_path)
    made.promote(real_bundle(0.1), version=1)
    made.promote(real_bundle(0.2), version=2)
    made.start()
    made.stop()
    (tmp_path / "channel").rename(tmp_path / "away")
    yield made
    made.stop(signal.SIGKILL)
    for client in made.clients:
        client.close()


def copy_of(service: Service) -> Path:
    (newest,) = (service.home / "serving" / "copies" / MODEL).iterdir()
    return newest


def test_the_last_verified_bundle_serves_marked_stale_until_the_channel_is_back(service: Service) -> None:
    client = service.start()
    assert client.post(SCORE, json=record()).json()["version"] == 2
    ready = client.get("/health/ready")
    assert ready.status_code == 200
    assert [model["stale"] for model in ready.json()["models"]] == [True]
    assert "no longer shows" in ready.json()["problems"][0]["problem"]
    assert [model["stale"] for model in client.get("/v1/models").json()["models"]] == [True]
    assert f'steward_model_stale{{model="{MODEL}"}} 1' in client.get("/metrics").text

    (service.home / "away").rename(service.home / "channel")
    until(client, "/v1/models", lambda served: not served["models"][0]["stale"])
    service.promote(real_bundle(0.3), version=3)
    until(client, "/v1/models", lambda served: served["models"][0]["version"] == 3)
    assert f"serving {MODEL} version 2 from its local copy" in service.stop()


def refusal(service: Service) -> str:
    """Of the copy, as readiness tells it: nothing is answered."""
    client = service.start()
    assert client.post(SCORE, json=record()).status_code == 503
    ready = client.get("/health/ready")
    assert ready.status_code == 503
    assert ready.json()["models"] == []
    return str(ready.json()["reason"])


def test_a_flipped_byte_in_the_copy_is_refused(service: Service) -> None:
    for graph in copy_of(service).glob("bundles/*/model.onnx"):
        data = bytearray(graph.read_bytes())
        data[len(data) // 2] ^= 1
        graph.write_bytes(data)
    assert "model.onnx does not match its digest" in refusal(service)


def test_a_pointer_signed_with_another_key_is_refused(service: Service) -> None:
    (pointer,) = copy_of(service).glob("pointers/*/00000002.json")
    document = FolderChannel(copy_of(service)).pointer(MODEL, 2).document
    pointer.write_bytes(Office().publisher.sign(document).to_bytes())
    assert "the signature of 'pipeline' does not match" in refusal(service)


def test_an_approval_that_is_not_in_the_copy_is_missed(service: Service) -> None:
    shutil.rmtree(copy_of(service) / "approvals")
    assert "nobody approved bundle" in refusal(service)


def test_a_home_in_which_nothing_can_be_kept_says_so_and_serves(service: Service) -> None:
    (service.home / "away").rename(service.home / "channel")
    shutil.rmtree(service.home / "serving" / "copies")
    (service.home / "serving" / "copies").write_bytes(b"in the way")
    client = service.start()
    assert client.post(SCORE, json=record()).json()["version"] == 2
    ready = client.get("/health/ready")
    assert ready.status_code == 200
    assert "no local copy can be kept" in ready.json()["problems"][0]["problem"]
    assert not ready.json()["models"][0]["stale"]
