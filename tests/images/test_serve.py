"""The serving image as SageMaker starts it: `docker run IMAGE serve`, the archive below /opt/ml/model, a database that asks for a
password. SageMaker itself is not here."""

import os
import subprocess
import time
from pathlib import Path
from threading import Event

import httpx
import psycopg
import pytest

from infra.images.engine import Podman
from models.adapters.account_keys import ACCOUNTS, LOG, secret_keys
from tests.bundles import real_bundle, record
from tests.e2e.test_schedule import free_port
from tests.images.conftest import Build
from tests.images.test_images import USER
from tests.postgres import listening
from tests.readers import shared_folder
from tests.running import Service

pytestmark = [pytest.mark.images, pytest.mark.timeout(1_800)]

PASSWORD, SOCKET = "of-decisions", "/run/postgresql"


def archive(folder: Path) -> None:
    """As it is unpacked, for the image's user to read and nobody to write."""
    Service(folder).promote(real_bundle(), version=1)
    for kind in (ACCOUNTS, LOG):
        secret_keys(folder / "keys", kind, local=True)
    (folder / "keys" / "pgpass").write_text(f"*:*:*:decisions:{PASSWORD}\n")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, USER, USER)


def test_its_decision_is_in_the_database_and_the_password_in_no_environment(podman: Podman, built: Build) -> None:
    made, port = built("serving"), free_port()
    settings = {
        "STEWARD_SERVING_GUARDED_BY": "sagemaker",
        "STEWARD_SERVING_PORT": str(port),
        "STEWARD_DATABASE_URL": f"postgresql://decisions@/postgres?host={SOCKET}",
    }
    with shared_folder() as model, shared_folder() as database, listening(database, "decisions", PASSWORD):
        archive(model)
        options = ["--volume", f"{model}:/opt/ml/model:ro", "--volume", f"{database}:{SOCKET}", "--name", f"serve-{port}"]
        options += [part for name, value in settings.items() for part in ("--env", f"{name}={value}")]
        container = subprocess.Popen(podman.run(made, "serve", options=options), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            answer = asked(port, container)
            assert answer.status_code == 200, answer.text
            shown = subprocess.run(podman.command("inspect", f"serve-{port}"), check=True, capture_output=True, text=True).stdout
            assert PASSWORD not in shown
        finally:
            subprocess.run(podman.command("stop", "--time", "60", f"serve-{port}"), check=False, capture_output=True)
            told = container.communicate(timeout=60)[0].decode()
        with psycopg.connect(f"postgresql://decisions:{PASSWORD}@/postgres?host={database}") as connection:
            assert connection.execute("SELECT count(*) FROM decisions").fetchone() == (1,), told


def asked(port: int, container: subprocess.Popen[bytes]) -> httpx.Response:
    lines = "\n".join([",".join(record()), ",".join(map(str, record().values()))])
    deadline = time.monotonic() + 120
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
        while True:
            try:
                if client.get("/ping").status_code == 200:
                    return client.post("/invocations", content=lines, headers={"content-type": "text/csv"})
            except httpx.TransportError:
                pass  # its door is not open yet
            assert time.monotonic() < deadline, "it does not answer"
            assert container.poll() is None, "it ended"
            Event().wait(0.2)
