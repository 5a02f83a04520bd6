"""What the service exposes, read back as figures."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from models.clock import FixedClock
from models.errors import Unavailable
from monitoring.adapters.exposition import Exposition
from monitoring.adapters.service_metrics import ServiceMetrics
from serving.telemetry.metering import WHOLE, Meter
from tests.alerting import NOON

pytestmark = pytest.mark.integration


def text() -> bytes:
    meter = Meter()
    for status, count in ((200, 97), (503, 2), (422, 1), (0, 5)):
        for _ in range(count):
            meter.responded(status)
    for seconds, count in ((0.0008, 90), (0.1, 5), (0.2, 4), (60.0, 1)):
        for _ in range(count):
            meter.took(WHOLE, seconds)
    return Exposition().text(meter.families())


@pytest.fixture
def url() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.headers["Authorization"] == "Bearer key" else 401)
            self.end_headers()
            self.wfile.write(text())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/metrics"
        server.shutdown()
        thread.join()


def test_the_figures_are_those_that_the_service_counted(url: str) -> None:
    found = ServiceMetrics(url, "key", 0.1, FixedClock(NOON)).read()

    assert (found.requests, found.failed) == (100, 2)
    assert (found.timed, found.quick, found.limit_seconds) == (100, 95, 0.1)
    assert (found.p50_seconds, found.p99_seconds) == (0.001, 0.25)
    assert found.read_at == NOON.isoformat()


def test_a_limit_between_two_steps_is_the_upper_one(url: str) -> None:
    assert ServiceMetrics(url, "key", 0.11, FixedClock(NOON)).read().limit_seconds == 0.25


def test_who_may_not_read_and_what_is_away_is_unavailable_and_no_key_is_said(url: str) -> None:
    with pytest.raises(Unavailable, match="HTTP 401") as refused:
        ServiceMetrics(url, "s3cr3t", 0.1, FixedClock(NOON)).read()
    with pytest.raises(Unavailable, match="URLError"):
        ServiceMetrics("http://127.0.0.1:9/metrics", "", 0.1, FixedClock(NOON)).read()
    assert "s3cr3t" not in str(refused.value)
