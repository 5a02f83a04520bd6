"""The serving image's `serve`, as SageMaker starts it: port 8080, the model below /opt/ml/model, `/ping` and `/invocations`.

Run as a process, and not by SageMaker; in its image it is run in `tests/images/test_serve.py`.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

import httpx
import psycopg
import pytest

from models.adapters.account_keys import ACCOUNTS, LOG, secret_keys
from tests.bundles import record
from tests.postgres import listening
from tests.readers import shared_folder
from tests.running import Service
from tests.samples import sealed

pytestmark = pytest.mark.integration
SERVE = Path(__file__).parents[2] / "infra" / "images" / "serve"
DOCKERFILE = SERVE.with_name("serving.Dockerfile")
RECORD = record(snapshot_month="2005-08")
LINES = "\n".join([",".join(RECORD), ",".join(map(str, RECORD.values()))])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """What an archive of a model holds: the release channel and the keys of a home."""
    home = tmp_path / "model"
    Service(home).promote(sealed(), 1)
    for kind in (ACCOUNTS, LOG):
        secret_keys(home / "keys", kind, local=True)
    return home


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def surroundings(model: Path, port: int, tmp_path: Path) -> dict[str, str]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"STEWARD_MODEL": str(model), "STEWARD_SERVING_PORT": str(port), "TMPDIR": str(scratch), "PATH": path}


PASSWORD = token_hex()


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The URL of a PostgreSQL that lets nobody in without a password; there is none in it."""
    with shared_folder() as folder, listening(folder, "decisions", PASSWORD):
        yield f"postgresql://decisions@/postgres?host={folder}"


@contextmanager
def serving(surroundings: dict[str, str], database: str, port: int) -> Iterator[httpx.Client]:
    given = surroundings | {"STEWARD_SERVING_GUARDED_BY": "sagemaker", "STEWARD_DATABASE_URL": database}
    process = subprocess.Popen([str(SERVE), "serve"], env=given, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert any("Serving at" in line for line in process.stdout), "it ended"
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
            yield client
    finally:
        process.kill()
        process.communicate(timeout=30)


def test_the_password_of_the_database_comes_with_the_keys_in_the_archive_and_stands_in_no_environment(
    model: Path, surroundings: dict[str, str], database: str, port: int
) -> None:
    passfile = model / "keys" / "pgpass"
    passfile.write_text(f"*:*:*:decisions:{PASSWORD}\n")
    passfile.chmod(0o644)  # as an archive is unpacked; libpq would pass over it
    assert not [value for value in surroundings.values() if PASSWORD in value]
    with serving(surroundings, database, port) as client:
        while client.get("/ping").status_code != 200:
            pass
        answered = client.post("/invocations", content=LINES, headers={"content-type": "text/csv"})
    assert answered.status_code == 200, answered.text
    query = "SELECT count(*) FROM decisions"
    with psycopg.connect(database, password=PASSWORD) as connection:
        assert connection.execute(query).fetchone() == (1,)
    (copy,) = Path(surroundings["TMPDIR"]).glob("*/pgpass")
    assert copy.stat().st_mode & 0o777 == 0o600


def test_without_it_the_database_lets_nobody_in_and_readiness_says_so(
    surroundings: dict[str, str], database: str, port: int
) -> None:
    with serving(surroundings, database, port) as client:
        while not (problems := client.get("/health/ready").json()["problems"]):
            pass
    assert any("no password supplied" in each["problem"] for each in problems), problems


@pytest.fixture
def started(surroundings: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    given = surroundings | {"STEWARD_SERVING_GUARDED_BY": "sagemaker"}
    process = subprocess.Popen([str(SERVE), "serve"], env=given, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert any("Serving at" in line for line in process.stdout), "it ended"
    yield process
    process.kill()
    process.wait(30)
    process.stdout.close()


def test_it_answers_a_csv_writes_nothing_beside_the_model_and_stops_when_told_to(
    model: Path, started: subprocess.Popen[str], port: int
) -> None:
    before = files(model)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
        while client.get("/ping").status_code != 200:  # the model is looked for when the door is open
            pass
        answered = client.post("/invocations", content=LINES, headers={"content-type": "text/csv"})
    assert answered.status_code == 200, answered.text
    assert 0 < answered.json()["predictions"][0]["probability"] < 1
    started.send_signal(signal.SIGTERM)
    assert started.wait(30) == 0
    assert files(model) == before


def test_it_opens_to_nobody_without_a_key_unless_somebody_said_that_sagemaker_stands_before_it(
    surroundings: dict[str, str],
) -> None:
    done = subprocess.run([str(SERVE), "serve"], env=surroundings, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "there is no API key" in done.stderr


def test_the_image_has_it_where_sagemaker_looks() -> None:
    assert "COPY infra/images/serve /usr/local/bin/serve" in DOCKERFILE.read_text()
    assert "/usr/local/bin" in DOCKERFILE.read_text().split("PATH=/opt/steward/bin:")[1]
    assert SERVE.stat().st_mode & 0o111 == 0o111
