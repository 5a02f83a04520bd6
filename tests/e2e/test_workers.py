"""Several workers and several models in one service: killed, stopped under load, started together."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from time import monotonic

import httpx
import pytest

from models.adapters.onnx_runtime import OnnxScorer
from models.bundle import Bundle
from tests.bundles import MODEL, real_bundle, record, sealed
from tests.running import SCORE, Service, until

pytestmark = pytest.mark.integration

OTHER = "other_model"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    made.promote(real_bundle(0.1), version=1)
    yield made
    made.end()


def workers(service: Service, count: int) -> set[int]:
    """The processes that answer, once there are so many."""
    found: set[int] = set()
    while len(found) < count:
        with httpx.Client(base_url=service.clients[-1].base_url, trust_env=False) as fresh:
            found.add(fresh.get("/health/ready").json()["process"])
    return found


@dataclass
class Asked:
    """What one client saw. `broken` counts requests on a connection that had answered before, and then did not."""

    decisions: list[str] = field(default_factory=list)
    broken: int = 0
    not_taken: int = 0


class Clients:
    """Closed loops on plain connections, each kept until the service closes it with an answer."""

    def __init__(self, service: Service, count: int) -> None:
        url = service.clients[-1].base_url
        self._address = (url.host, int(url.port or 0))
        body = json.dumps(record()).encode()
        head = f"POST {SCORE} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._request = head.encode() + body
        self.enough = Event()
        self._answered = 0
        self._pool = ThreadPoolExecutor(count)
        self._asking = [self._pool.submit(self._ask) for _ in range(count)]

    def done(self) -> list[Asked]:
        """When nobody is answered any more."""
        found = [each.result() for each in self._asking]
        self._pool.shutdown()
        return found

    def _ask(self) -> Asked:
        asked = Asked()
        while True:
            try:
                with socket.create_connection(self._address, timeout=30) as door:
                    self._on(door, asked)
            except ConnectionRefusedError:
                return asked

    def _on(self, door: socket.socket, asked: Asked) -> None:
        answers = door.makefile("rb")
        count = 0
        while True:
            try:
                door.sendall(self._request)
                head, body = _answer(answers)
            except ConnectionError:
                if count:
                    asked.broken += 1
                else:
                    asked.not_taken += 1
                return
            assert b" 200 " in head.splitlines()[0], body
            count += 1
            asked.decisions += [each["decision_id"] for each in json.loads(body)["answers"]]
            self._answered += 1
            if self._answered > 200:
                self.enough.set()
            if b"connection: close" in head.lower():
                return


def _answer(answers: "socket.SocketIO | object") -> tuple[bytes, bytes]:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = answers.readline()  # type: ignore[attr-defined]
        if not line:
            raise ConnectionError("closed")
        head += line
    length = next(int(line.split(b":")[1]) for line in head.lower().splitlines() if line.startswith(b"content-length"))
    body = answers.read(length)  # type: ignore[attr-defined]
    if len(body) < length:
        raise ConnectionError("cut off")
    return head, body


@pytest.mark.parametrize("count", [1, 2])
def test_a_service_that_is_stopped_under_load_answers_whatever_it_has_taken_and_logs_what_it_answered(
    service: Service, count: int
) -> None:
    service.start(STEWARD_SERVING_WORKERS=str(count))
    workers(service, count)
    clients = Clients(service, 16)
    clients.enough.wait()
    said = service.stop()
    asked = clients.done()
    answered = [decision for each in asked for decision in each.decisions]
    assert sum(each.broken for each in asked) == 0
    assert len(answered) == len(set(answered)) > 200
    assert set(answered) == service.logged()
    assert "Traceback" not in said
    print(f"{len(answered)} answered, {sum(each.not_taken for each in asked)} connections were never taken")


def test_whichever_worker_is_asked_tells_the_numbers_of_all_of_them(service: Service) -> None:
    url = service.start(STEWARD_SERVING_WORKERS="2").base_url
    workers(service, 2)

    def told() -> tuple[int, float]:
        """By a worker that happens to take a new connection: its own process, and the decisions of all."""
        with httpx.Client(base_url=url, trust_env=False) as fresh:
            lines = fresh.get("/metrics").text.splitlines()
            counted = sum(float(line.split()[-1]) for line in lines if line.startswith("steward_decisions_total"))
            return fresh.get("/health/ready").json()["process"], counted

    for number in range(20):
        with httpx.Client(base_url=url, trust_env=False) as fresh:
            assert fresh.post(SCORE, json=record(account_id=f"A{number}")).status_code == 200
    while told()[1] < 20:
        """Each leaves its numbers to the others with its next look."""
    found = {told() for _ in range(20)}
    assert {counted for _, counted in found} == {20.0}
    assert len({process for process, _ in found}) == 2


def test_a_killed_worker_is_replaced_and_what_it_answered_is_in_the_log(service: Service) -> None:
    service.start(STEWARD_SERVING_WORKERS="2")
    before = workers(service, 2)
    clients = Clients(service, 8)
    clients.enough.wait()
    killed, began = min(before), monotonic()
    os.kill(killed, signal.SIGKILL)
    assert f"process {killed}) was ended by SIGKILL" in service.hears("was ended")
    service.hears("takes requests")
    print(f"replaced after {monotonic() - began:.2f} s")
    assert killed not in workers(service, 2)
    service.stop()
    answered = [decision for each in clients.done() for decision in each.decisions]
    assert len(answered) == len(set(answered)) > 200
    assert set(answered) <= service.logged()


def test_a_worker_that_hangs_is_replaced_and_the_others_answer_meanwhile(service: Service) -> None:
    service.start(STEWARD_SERVING_WORKERS="2", STEWARD_SERVING_SILENT_SECONDS="3")
    hung = min(workers(service, 2))
    os.kill(hung, signal.SIGSTOP)
    began = monotonic()
    assert f"process {hung}) was silent for" in service.hears("was silent")
    service.hears("takes requests")
    print(f"replaced after {monotonic() - began:.2f} s")
    assert hung not in workers(service, 2)
    service.stop()


def test_a_single_worker_that_is_looked_after_is_replaced_when_it_hangs_and_when_it_is_killed(service: Service) -> None:
    service.start(STEWARD_SERVING_SUPERVISED="true", STEWARD_SERVING_SILENT_SECONDS="3")
    (hung,) = workers(service, 1)
    os.kill(hung, signal.SIGSTOP)
    assert f"process {hung}) was silent for" in service.hears("was silent")
    service.hears("takes requests")
    (killed,) = workers(service, 1)
    os.kill(killed, signal.SIGKILL)
    service.hears("takes requests")
    (last,) = workers(service, 1)
    assert len({hung, killed, last}) == 3
    assert "Traceback" not in service.stop()
    assert service.code == 0


def test_a_crew_stops_in_order_with_ctrl_c_and_says_how_it_went(service: Service) -> None:
    service.start(STEWARD_SERVING_WORKERS="2")
    workers(service, 2)
    assert "Traceback" not in service.stop(signal.SIGINT)
    assert service.code == 0


def test_workers_that_cannot_start_are_told_once_and_end_the_service(service: Service) -> None:
    (service.home / "keys" / "decision-log").mkdir(parents=True, exist_ok=True)
    with pytest.raises(AssertionError) as ended:
        service.start(STEWARD_SERVING_WORKERS="2", STEWARD_DATABASE_URL="mysql://host/name")
    assert str(ended.value).count("cannot live in mysql") == 1
    assert "the service cannot start" in str(ended.value)
    assert "Traceback" not in str(ended.value)
    assert service.process is not None
    assert service.process.wait() == 1


def other_bundle(base: float) -> Bundle:
    return sealed(real_bundle(base).graph, OnnxScorer, model=OTHER)


def test_models_side_by_side_are_answered_changed_and_stopped_apart(service: Service) -> None:
    service.promote(other_bundle(0.2), version=7)
    client = service.start(STEWARD_SERVING_WORKERS="2")
    workers(service, 2)
    answers = {name: client.post(f"/v1/models/{name}/score", json=record()).json() for name in (MODEL, OTHER)}
    assert {name: (said["model"], said["version"]) for name, said in answers.items()} == {MODEL: (MODEL, 1), OTHER: (OTHER, 7)}
    assert [answers[name]["answers"][0]["probability"] for name in (MODEL, OTHER)] == [0.1, 0.2]

    service.promote(other_bundle(0.3), version=8)
    until(client, "/v1/models", lambda served: {each["version"] for each in served["models"]} == {1, 8})
    (service.home / "channel" / "approvals" / other_bundle(0.3).digest / "demonstration-approver.json").unlink()
    until(client, "/v1/models", lambda served: [each["model"] for each in served["models"]] == [MODEL])
    assert client.post(f"/v1/models/{OTHER}/score", json=record()).status_code == 503
    assert client.post(SCORE, json=record()).json()["version"] == 1


def test_services_that_start_together_in_one_new_home_all_answer_into_one_log(service: Service) -> None:
    """Each makes what is missing: keys, tables, the local copy, what was seen."""
    several = [service, *(Service(service.home) for _ in range(3))]
    with ThreadPoolExecutor(len(several)) as pool:
        started = list(pool.map(lambda each: each.start(), several))
    answered = [client.post(SCORE, json=record()).json()["answers"][0]["decision_id"] for client in started for _ in range(5)]
    for client in started:
        ready = client.get("/health/ready").json()
        assert (ready["problems"], ready["models"][0]["stale"]) == ([], False)
    for each, client in zip(several, started, strict=True):
        each.stop()
        client.close()
    assert service.logged() == set(answered)
    assert len(answered) == 20
    assert len(list((service.home / "serving" / "copies" / MODEL).iterdir())) == 1
