"""A refusal must be readable for clients that send everything before they read: over a real socket, by real clients."""

import http.client
import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.clock import FixedClock
from serving.answers.loaded import LoadedModel
from serving.answers.past import PastReasons
from serving.answers.prediction import Predictor
from serving.app import Limits, scoring_app
from serving.door.connections import Patience
from serving.door.register import Register
from serving.durability.recording import Recorder
from serving.protocols.reviews import Reviews
from serving.release.watching import Watcher
from serving.telemetry.sight import Sight
from tests.bundles import MODEL, NOW, Office, fake_bundle, record
from tests.fakes.channel import FakeChannel
from tests.fakes.copies import FakeCopies
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.scorer import FakeScorer
from tests.rings import ACCOUNTS
from tests.servers import serving

pytestmark = pytest.mark.integration

PATH = f"/v1/models/{MODEL}/score"
JSON = {"Content-Type": "application/json"}
MOST = 100_000
LARGE = b" " * (30 * 2**20)  # far more than the sockets' buffers hold


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    office, channel, log, clock = Office(), FakeChannel(), InMemoryDecisionLog(), FixedClock(NOW)
    office.promote(channel, fake_bundle(0.1))
    predictor = Predictor(log, clock, ACCOUNTS.pseudonym)
    watcher = Watcher(
        channel,
        lambda: office.trust,
        clock,
        log,
        predictor,
        lambda release: LoadedModel.load(release, FakeScorer, 100),
        FakeCopies(),
    )
    reviews = Reviews(log, clock, ACCOUNTS.known_as, PastReasons(channel, FakeScorer).explain)
    limits, register = Limits(MOST, 3_600.0), Register(clock)
    app = scoring_app(predictor, Recorder(log), watcher, reviews, limits, Sight(lambda _: b""), lambda: None, register=register)
    with serving(app, Patience(limits.receive_seconds)) as found:
        yield found


def is_refused(status: int, said: Any, expected: int = 413) -> None:
    assert (status, said["status"]) == (expected, expected)
    assert said["hint"]


def parts() -> Iterator[bytes]:
    yield from (LARGE[start : start + 2**16] for start in range(0, len(LARGE), 2**16))


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("close", [False, True])
def test_a_client_that_sends_all_before_it_reads_gets_the_refusal(port: int, *, chunked: bool, close: bool) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = JSON | ({"Connection": "close"} if close else {})
    connection.request("POST", PATH, parts() if chunked else LARGE, headers, encode_chunked=chunked)
    response = connection.getresponse()
    is_refused(response.status, json.load(response))
    assert response.headers["connection"] == "close"
    connection.close()


def test_urllib_gets_the_refusal(port: int) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{PATH}", LARGE, JSON)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    is_refused(refused.value.code, json.load(refused.value))
    refused.value.close()


@pytest.mark.parametrize(
    "more", [[], ["-H", "Transfer-Encoding: chunked"], ["-H", "Expect:"], ["-H", "Connection: close"], ["-0"]]
)
def test_curl_gets_the_refusal(port: int, tmp_path: Path, more: list[str]) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("there is no curl here")
    body = tmp_path / "body.json"
    body.write_bytes(LARGE)
    asked = [curl, "-sS", "--noproxy", "*", "-w", "\n%{http_code}", "-H", "Content-Type: application/json", *more]
    ended = subprocess.run(
        [*asked, "--data-binary", f"@{body}", f"http://127.0.0.1:{port}{PATH}"], capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    said, status = ended.stdout.rsplit("\n", 1)
    is_refused(int(status), json.loads(said))


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [(PATH, {"Content-Type": "text/csv"}, 415), ("/nothing", JSON, 404), ("/health/live", JSON, 405)],
)
def test_whatever_else_is_refused_before_the_body_came_can_be_read(
    port: int, path: str, headers: dict[str, str], expected: int
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", path, LARGE, headers | {"Connection": "close"})
    response = connection.getresponse()
    is_refused(response.status, json.load(response), expected)
    connection.close()


def test_a_request_that_is_answered_leaves_its_connection_open_for_the_next(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(2):
        connection.request("POST", PATH, json.dumps(record()), JSON)
        response = connection.getresponse()
        assert response.status == 200
        assert "connection" not in response.headers
        response.read()
        assert connection.sock is not None
    connection.close()
