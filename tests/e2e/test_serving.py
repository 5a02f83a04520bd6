"""The scoring service as a process of its own, with real bundles, the real channel and a real decision log."""

import shlex
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import onnx
import pytest

from models.adapters import durable
from models.adapters.folder_channel import FolderChannel
from models.adapters.onnx_runtime import OnnxScorer
from models.bundle import MANIFEST, Bundle, canonical
from serving.__main__ import main
from tests.bundles import MODEL, USE_CASE, Office, real_bundle, record, records, sealed
from tests.running import SCORE, Service, until

pytestmark = pytest.mark.integration

BASES = (0.1, 0.2, 0.3)


@pytest.fixture(scope="module")
def bundles() -> list[Bundle]:
    return [real_bundle(base) for base in BASES]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    yield made
    made.end()


def test_the_command_that_the_service_prints_really_works(service: Service, bundles: list[Bundle]) -> None:
    service.promote(bundles[0], version=1)
    service.start()
    assert service.process is not None
    assert service.process.stdout is not None
    title, command = service.process.stdout.readline(), service.process.stdout.readline()
    assert f"{MODEL} version 1, bundle {bundles[0].digest[:12]}" in title
    curl = shlex.split(command)
    name, value = curl[curl.index("-H") + 1].split(": ")
    response = httpx.post(curl[2], headers={name: value}, content=curl[curl.index("-d") + 1], trust_env=False)
    assert response.status_code == 200
    assert {answer["decision_id"] for answer in response.json()["answers"]} == service.logged()


def test_a_service_started_too_early_says_so_and_picks_the_champion_up(service: Service, bundles: list[Bundle]) -> None:
    client = service.start()
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["hint"] == "run `make train`"
    service.promote(bundles[0], version=1)
    until(client, "/health/ready", lambda ready: ready["ready"])
    assert client.post(SCORE, json=record()).json()["version"] == 1
    assert "Traceback" not in service.stop(signal.SIGINT)


def test_no_request_fails_while_versions_change_and_a_spoilt_one_is_refused(service: Service, bundles: list[Bundle]) -> None:
    first, second, third = bundles
    service.promote(first, version=1)
    client = service.start()
    done = Event()

    def ask() -> list[tuple[int, int, str, float]]:
        found = []
        while not done.is_set():
            response = client.post(SCORE, json=record())
            body = response.json()
            found.append((response.status_code, body["version"], body["bundle"], body["answers"][0]["probability"]))
        return found

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        try:
            service.promote(second, version=2)
            until(client, "/v1/models", lambda served: served["models"][0]["version"] == 2)
            graph = spoil(service, third)
            ready = until(client, "/health/ready", lambda found: found["problems"])
            assert ready["ready"]
            assert "model.onnx does not match its digest" in ready["problems"][0]["problem"]
            assert ready["models"][0]["version"] == 2
            graph.write_bytes(third.files["model.onnx"])
            until(client, "/v1/models", lambda served: served["models"][0]["version"] == 3)
        finally:
            done.set()
        answers = {answer for each in asking for answer in each.result()}
    assert answers <= {(200, number, bundle.digest, BASES[number - 1]) for number, bundle in enumerate(bundles, start=1)}
    assert {version for _, version, _, _ in answers} >= {1, 2}


def published_elsewhere(service: Service, bundle: Bundle) -> FolderChannel:
    """A copy of the channel on which the bundle is in force: publishing verifies, and the service is to see it spoilt."""
    shutil.rmtree(service.home / "elsewhere", ignore_errors=True)
    elsewhere = FolderChannel(shutil.copytree(service.home / "channel", service.home / "elsewhere"))
    last = service.channel.pointers(MODEL)
    service.office.promote(elsewhere, bundle, version=last + 1, now=datetime.now(UTC))
    service.channel.add_bundle(bundle.digest, bundle.files)
    return elsewhere


def spoil(service: Service, bundle: Bundle) -> Path:
    """Publish a bundle whose graph was changed; the file's path."""
    elsewhere, last = published_elsewhere(service, bundle), service.channel.pointers(MODEL)
    service.channel.add_approval(bundle.digest, elsewhere.approvals(bundle.digest)[0])
    graph = service.home / "channel" / "bundles" / bundle.digest / "model.onnx"
    graph.write_bytes(b"another graph")
    service.channel.add_pointer(MODEL, last + 1, elsewhere.pointer(MODEL, last + 1))
    return graph


def pointer_file(service: Service, number: int) -> Path:
    return service.home / "channel" / "pointers" / MODEL / f"{number:08d}.json"


def flip_a_byte(service: Service, bundle: Bundle) -> None:
    spoil(service, bundle)


def take_the_signature_away(service: Service, bundle: Bundle) -> None:
    elsewhere = published_elsewhere(service, bundle)
    service.channel.add_approval(bundle.digest, elsewhere.approvals(bundle.digest)[0])
    durable.replace(pointer_file(service, 2), canonical(asdict(elsewhere.pointer(MODEL, 2)) | {"signature": ""}))


def publish_without_an_approval(service: Service, _bundle: Bundle) -> None:
    service.channel.add_pointer(MODEL, 2, published_elsewhere(service, real_bundle(0.4)).pointer(MODEL, 2))


def approve_for_another_bundle(service: Service, bundle: Bundle) -> None:
    """The approval of the champion beside a bundle that nobody approved."""
    other = real_bundle(0.5)
    elsewhere = published_elsewhere(service, other)
    service.channel.add_approval(other.digest, service.channel.approvals(service.channel.pointer(MODEL, 1).document["bundle"])[0])
    service.channel.add_pointer(MODEL, 2, elsewhere.pointer(MODEL, 2))


def sign_with_another_key(service: Service, bundle: Bundle) -> None:
    """Under the publisher's name."""
    forged = Office().publisher.sign({**service.channel.pointer(MODEL, 1).document, "sequence": 2, "bundle": bundle.digest})
    service.channel.add_pointer(MODEL, 2, forged)


def replay_an_old_pointer(service: Service, bundle: Bundle) -> None:
    shutil.copy(pointer_file(service, 1), pointer_file(service, 2))


def approve_an_unknown_operator(service: Service, bundle: Bundle) -> None:
    """Everything is signed and every digest right: only the graph holds what no graph may."""
    model = onnx.load_model_from_string(bundle.graph)
    model.graph.node.append(onnx.helper.make_node("RandomNormal", [], ["noise"], shape=[1]))
    parts = {name: data for name, data in bundle.files.items() if name != MANIFEST} | {"model.onnx": model.SerializeToString()}
    service.promote(Bundle.seal(MODEL, parts, lineage={}), version=2)


def break_the_callers(service: Service, bundle: Bundle) -> None:
    """Signed and approved; but a bill that callers may send today would be refused."""
    contract = USE_CASE.contract
    bill = replace(contract["bill_0"], maximum=4_000_000)
    narrower = replace(contract, columns=tuple(bill if column.name == "bill_0" else column for column in contract.columns))
    service.promote(sealed(bundle.graph, OnnxScorer, contract=narrower), version=2)


ATTACKS: dict[Callable[[Service, Bundle], None], str] = {
    flip_a_byte: "model.onnx does not match its digest",
    take_the_signature_away: "has no signature",
    publish_without_an_approval: "nobody approved bundle",
    approve_for_another_bundle: "the approval is for credit_default",
    sign_with_another_key: "the signature of 'pipeline' does not match",
    replay_an_old_pointer: "an old pointer was replayed",
    approve_an_unknown_operator: "the graph holds ai.onnx.RandomNormal of version 21",
    break_the_callers: "the contract breaks the callers of credit_default: bill_0: the range became narrower",
}


def test_each_attack_on_the_channel_is_refused_by_its_own_name_and_the_old_model_serves(
    service: Service, bundles: list[Bundle]
) -> None:
    service.promote(bundles[0], version=1)
    client = service.start()
    for attack, said in ATTACKS.items():
        attack(service, bundles[1])
        ready = until(client, "/health/ready", lambda found: found["problems"])
        assert said in said_of(ready)
        assert ready["ready"]
        assert client.post(SCORE, json=record()).json()["version"] == 1
        pointer_file(service, 2).unlink()
        shutil.rmtree(service.home / "channel" / "bundles" / bundles[1].digest, ignore_errors=True)
        until(client, "/health/ready", lambda found: not found["problems"])
    service.promote(bundles[1], version=2)
    until(client, "/v1/models", lambda served: served["models"][0]["version"] == 2)


def said_of(ready: Any) -> str:
    """Problem and hint: what a person reads."""
    return " ".join(f"{each['problem']} {each['hint']}" for each in ready["problems"])


def test_a_retry_after_a_restart_under_a_newer_version_gets_the_first_answer(service: Service, bundles: list[Bundle]) -> None:
    service.promote(bundles[0], version=1)
    body, headers = {"records": records({}, {"status_0": 3})}, {"Idempotency-Key": "month-7"}
    first = service.start().post(SCORE, json=body, headers=headers)
    service.stop()
    service.promote(bundles[1], version=2)
    client = service.start()
    again = client.post(SCORE, json=body, headers=headers)
    assert again.content == first.content
    assert client.post(SCORE, json=body).json()["version"] == 2
    assert client.post(SCORE, json={"records": [record()]}, headers=headers).status_code == 409
    assert len(service.logged()) == 4


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_answered_is_in_the_log_however_the_service_ends(
    service: Service, bundles: list[Bundle], how: signal.Signals
) -> None:
    service.promote(bundles[0], version=1)
    client = service.start()
    enough = Event()

    def ask() -> list[str]:
        answered: list[str] = []
        while True:
            try:
                response = client.post(SCORE, json={"records": records({}, {}, {})})
            except httpx.TransportError:
                return answered
            answered += [answer["decision_id"] for answer in response.json()["answers"]]
            if len(answered) > 60:
                enough.set()

    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask) for _ in range(3)]
        enough.wait()
        said = service.stop(how)
        answered = [identity for each in asking for identity in each.result()]
    assert len(set(answered)) == len(answered) > 60
    assert set(answered) <= service.logged()
    assert "Traceback" not in said


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_is_told_to_stop_ends_without_an_error(
    service: Service, bundles: list[Bundle], how: signal.Signals, workers: str
) -> None:
    service.promote(bundles[0], version=1)
    service.start(STEWARD_SERVING_WORKERS=workers)
    service.stop(how)
    assert service.code == 0


def test_a_model_that_is_answered_first_has_everything_in_the_log_after_an_orderly_stop(
    service: Service, bundles: list[Bundle]
) -> None:
    service.promote(bundles[0], version=1)
    client = service.start(STEWARD_SERVING_ASYNC_MODELS=MODEL)
    body = {"records": records({}, {})}
    answered = [answer["decision_id"] for _ in range(100) for answer in client.post(SCORE, json=body).json()["answers"]]
    service.stop()
    assert len(answered) == 200
    assert service.logged() == set(answered)


def test_a_port_in_use_is_told_with_what_to_do(service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(AssertionError) as ended:
        service.start(STEWARD_SERVING_PORT=str(taken.getsockname()[1]))
    assert "Address already in use" in str(ended.value)
    assert "STEWARD_SERVING_PORT" in str(ended.value)
    assert "Traceback" not in str(ended.value)


def test_a_wrong_setting_is_told_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    monkeypatch.setenv("STEWARD_SERVING_PROT", "8081")
    monkeypatch.setattr(sys, "argv", ["serving"])
    assert main() == 1
    assert capsys.readouterr().err.startswith("STEWARD_SERVING_PROT is not a setting")


def commanded(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path, *command: str) -> list[str]:
    """What a command of the platform says in a home."""
    from pipelines.__main__ import main as pipelines

    monkeypatch.setenv("STEWARD_HOME", str(home))
    capsys.readouterr()
    assert pipelines(command) == 0
    return capsys.readouterr().out.splitlines()


def test_a_key_that_is_made_and_revoked_acts_within_five_seconds_and_stands_nowhere(
    service: Service, bundles: list[Bundle], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service.promote(bundles[0], version=1)
    client = service.start(STEWARD_SERVING_POLL_SECONDS="1")
    assert client.post(SCORE, json=record()).status_code == 200
    answers = ("--by", "ana", "--reason", "a test")
    asked = ("--name", "app", "--models", MODEL, "--actions", "score", "--days", "1")
    much = ("--requests-per-second", "1e5", "--burst", "100000")
    secret = commanded(monkeypatch, capsys, service.home, "api-key", *asked, *much, *answers)[0]
    began = time.monotonic()
    while client.post(SCORE, json=record()).status_code == 200:
        assert time.monotonic() - began < 5
    keyed = {"Authorization": f"Bearer {secret}"}
    assert client.post(SCORE, json=record(), headers=keyed).status_code == 200
    assert client.get("/v1/models", headers=keyed).status_code == 403
    assert client.get("/health/ready").json() == {"ready": True, "reason": ""}

    commanded(monkeypatch, capsys, service.home, "revoke-api-key", "--name", "app", *answers)
    began = time.monotonic()
    while client.post(SCORE, json=record(), headers=keyed).status_code == 200:
        assert time.monotonic() - began < 5
    listed = commanded(monkeypatch, capsys, service.home, "api-keys")
    assert listed[0].startswith("app  revoked")
    said = service.stop() + "\n".join(listed)
    written = b"".join(path.read_bytes() for path in service.home.rglob("*") if path.is_file())
    assert secret not in said
    assert secret.encode() not in written


def test_where_others_reach_it_a_service_without_keys_does_not_start(service: Service, bundles: list[Bundle]) -> None:
    with pytest.raises(AssertionError, match="there is no API key") as ended:
        service.start(STEWARD_SERVING_HOST="0.0.0.0")
    assert "make api-key" in str(ended.value)
    assert "Traceback" not in str(ended.value)
