"""The scoring service as the replay meets it: a process of its own, spoken to over HTTP like any client would."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from models.bundle import canonical
from models.errors import PlatformError, Unavailable
from pipelines.replay.ports import Answer

READY_WITHIN = 60.0  # seconds; a cold start on a busy laptop
SWAP_WITHIN = 60.0
LOOK_EVERY = 0.05
STOP_WITHIN = 15.0
NOTICED_WITHIN = 10.0


class ServiceProcess:
    """`python -m serving` on a free port of this machine, with the environment given. Its output goes to `log`."""

    def __init__(self, model: str, environment: Mapping[str, str], log: Path) -> None:
        self._model = model
        self._environment = dict(environment)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._client = httpx.Client(timeout=60.0, trust_env=False)
        self._address = ""

    @property
    def metrics(self) -> str:
        """Where it says what it counted."""
        return f"{self._address}/metrics"

    def start(self) -> None:
        self._end()
        port = _free_port()
        self._address = f"http://127.0.0.1:{port}"
        environment = {**os.environ, **self._environment, "STEWARD_SERVING_PORT": str(port)}
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([sys.executable, "-m", "serving"], env=environment, stdout=log, stderr=log)
        self._await("be ready", lambda: self._get("/health/ready").status_code == httpx.codes.OK, READY_WITHIN)

    def await_bundle(self, digest: str) -> None:
        self._await(f"serve bundle {digest[:12]}", lambda: self._serves(digest), SWAP_WITHIN)

    def score(self, records: Sequence[Mapping[str, Any]], key: str) -> Answer:
        # canonical: a retry under the same key must repeat the body byte by byte
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        url = f"{self._address}/v1/models/{self._model}/score"
        try:
            response = self._client.post(url, content=canonical({"records": records}), headers=headers)
        except httpx.TransportError as error:
            raise Unavailable(f"the service does not answer: {error}", hint=f"read {self._log}") from error
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Unavailable(f"the service answered {response.status_code}: {response.text[:300]}", hint=f"read {self._log}")
        if response.is_error:
            raise PlatformError(f"the service refused a batch: {response.text[:500]}", hint="the contract and the source differ")
        body = response.json()
        return Answer([answer["probability"] for answer in body["answers"]], body["version"], body["bundle"])

    def problems(self) -> list[str]:
        """What its health says is wrong, each with where."""
        found = self._get("/health/ready").json()
        return [f"{one['where']}: {one['problem']}" for one in found.get("problems", [])]

    def await_problem(self) -> list[str]:
        """What its health says once something is wrong; nothing if it stays well for `NOTICED_WITHIN`."""
        try:
            self._await("say that something is wrong", lambda: bool(self.problems()), NOTICED_WITHIN)
        except Unavailable:
            return []
        return self.problems()

    def await_health(self) -> None:
        """Returns when nothing waits to be written any more. Raises `Unavailable` after a deadline."""
        self._await("empty its spool", lambda: not any(one.startswith("spool") for one in self.problems()), SWAP_WITHIN)

    def stop(self) -> None:
        self._end()
        self._client.close()

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does: for drills."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _serves(self, digest: str) -> bool:
        return any(served["bundle"] == digest for served in self._get("/v1/models").json()["models"])

    def _get(self, path: str) -> httpx.Response:
        return self._client.get(f"{self._address}{path}", timeout=5.0)

    def _await(self, what: str, arrived: Callable[[], bool], within: float) -> None:
        """Look until it is so. Raises `Unavailable` when the process ended or the time is over."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise Unavailable(f"the service ended while it should {what}: {self._last_words()}", hint=f"read {self._log}")
            try:
                if arrived():
                    return
            except httpx.TransportError:
                pass  # it does not listen yet; the deadline decides
            time.sleep(LOOK_EVERY)
        raise Unavailable(f"the service did not {what} within {within:.0f} s: {self._last_words()}", hint=f"read {self._log}")

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace").strip()[-500:] or "it said nothing"

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
