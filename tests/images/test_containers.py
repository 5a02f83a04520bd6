"""`make up`: the compose file by Docker's own engine and compose, and the loop through every service of it.

Only Grafana is left out: neither its image nor a package of it can be had where there is no image registry.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from infra.backup.containers import main as backup
from infra.images.engine import Podman
from infra.topology import containers, ports
from infra.topology.compose import OWN
from tests.bundles import MODEL, record
from tests.consoles import hidden
from tests.e2e.test_schedule import free_port
from tests.e2e.test_topology import eventually
from tests.images.conftest import Build
from tests.images.engine import docker, load, make_standins, missing
from tests.readers import shared_folder
from tests.running import SCORE
from tests.topology import PASSPHRASE

pytestmark = [pytest.mark.images, pytest.mark.timeout(3_000)]

BASE = "docker.io/library/python:3.11-slim-bookworm"
PUBLISHED = ("proxy", "console", "mlflow", "prefect", "prometheus", "alertmanager")


class Up:
    """The containers, and the person who started them."""

    def __init__(self, folder: Path, project: str = "steward") -> None:
        self.folder, self.project = folder, project
        self.ports = {name: free_port() for name in PUBLISHED}
        self.differs = folder / f"{project}.yaml"
        published = "".join(
            f'  {name}: {{ports: !override ["127.0.0.1:{port}:{ports.port(name)}"]}}\n' for name, port in self.ports.items()
        )
        self.differs.write_text(f"services:\n  grafana: !reset null\n{published}")

    def verb(self, name: str, *options: str) -> None:
        where = ["--project", self.project, "--folder", str(self.folder / self.project), "--file", str(self.differs)]
        assert containers.main([name, *options, *where]) == 0

    def save(self, verb: str, folder: Path, *options: str) -> int:
        """`make backup` and `make restore`."""
        where = ["--project", self.project, "--state", str(self.folder / self.project), "--file", str(self.differs)]
        return backup([verb, *where, "--folder", str(folder), *options])

    def secret(self, name: str) -> str:
        return (self.folder / self.project / "secrets" / name).read_text()

    def ask(self, service: str, path: str, **options: object) -> httpx.Response:
        """As a person would, at the port that the service knows as its own."""
        host = {"host": f"127.0.0.1:{ports.port(service)}"}
        with httpx.Client(timeout=30, trust_env=False, headers=host) as client:
            return client.request(str(options.pop("method", "GET")), f"http://127.0.0.1:{self.ports[service]}{path}", **options)  # type: ignore[arg-type]

    def score(self, key: str) -> httpx.Response:
        return self.ask("proxy", SCORE, method="POST", json=record(), headers={"authorization": f"Bearer {key}"})

    def run(self, service: str, *words: str) -> str:
        small = ["--env", "STEWARD_PIPELINES_TRIALS=2", "--env", "STEWARD_PIPELINES_FOLDS=2"]
        done = subprocess.run(
            ["docker", "exec", *small, f"{self.project}-{service}-1", *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def query(self, asked: str) -> str:
        """What the decision log's database answers its superuser."""
        where = f"-h 127.0.0.1 -p {ports.port('postgres')} -U postgres decisions"
        asks = f'PGPASSWORD=$(cat /run/secrets/postgres_superuser) psql {where} -Atc "$0"'
        return self.run("postgres", "sh", "-c", asks, asked).strip()

    def scraped(self) -> dict[str, str]:
        """How each target of Prometheus is, by job and instance."""
        targets = self.ask("prometheus", "/api/v1/targets").json()["data"]["activeTargets"]
        return {f"{each['labels']['job']} {each['labels']['instance']}": each["health"] for each in targets}

    def inspected(self) -> list[dict[str, dict[str, object]]]:
        names = subprocess.run(["docker", "ps", "--all", "--quiet"], capture_output=True, text=True, check=True).stdout.split()
        done = subprocess.run(["docker", "inspect", *names], capture_output=True, text=True, check=True)
        found: list[dict[str, dict[str, object]]] = json.loads(done.stdout)
        return found


@contextmanager
def settings(told: dict[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def up(podman: Podman, built: Build) -> Iterator[Up]:
    """With a champion in force."""
    lacking = missing()
    if lacking and not os.environ.get("CI"):
        pytest.skip(f"not installed: apt-get install {' '.join(lacking)}")
    assert not lacking, lacking
    with shared_folder() as folder, docker(folder) as told, settings(told):
        load(podman, BASE, BASE, told)
        for name in OWN:
            load(podman, built(name), f"steward-{name}", told)
        make_standins(folder / "standins", told)
        made = Up(folder)
        try:
            made.verb("up", "--built")
            made.run("schedules", "python", "-m", "pipelines", "train", "--as-of", "2005-08-31")
            yield made
        finally:
            made.verb("down")


def test_a_client_with_the_first_key_is_answered_and_its_decision_is_in_postgresql(up: Up) -> None:
    key = up.secret("first_api_key")
    eventually(lambda: up.score(key).status_code == 200)
    (given,) = up.score(key).json()["answers"]
    assert up.query(f"SELECT count(*) FROM decisions WHERE decision_id = '{given['decision_id']}'") == "1"


def test_without_a_key_nobody_is_answered(up: Up) -> None:
    assert up.score("steward_guessed").status_code == 401


def test_prometheus_reaches_everything_that_has_numbers(up: Up) -> None:
    eventually(lambda: set(up.scraped().values()) == {"up"})
    assert {name.split()[0] for name in up.scraped()} == {
        "serving",
        "console",
        "schedules",
        "proxy",
        "store",
        "alertmanager",
        "prometheus",
    }


def test_an_alert_of_prometheus_reaches_alertmanager(up: Up) -> None:
    subprocess.run(["docker", "stop", "steward-serving-2-1"], check=True, capture_output=True)
    try:
        eventually(lambda: "ServiceAway" in up.ask("alertmanager", "/api/v2/alerts").text, seconds=400)
        assert up.score(up.secret("first_api_key")).status_code == 200, "the other replica answers"
    finally:
        subprocess.run(["docker", "start", "steward-serving-2-1"], check=True, capture_output=True)


def test_a_person_signs_in_to_the_console_with_the_first_password(up: Up) -> None:
    host = {"host": f"127.0.0.1:{ports.port('console')}"}
    address = f"http://127.0.0.1:{up.ports['console']}"
    with httpx.Client(base_url=address, timeout=30, trust_env=False, headers=host) as client:
        assert client.get("/").status_code == 303, "nobody looks who has not signed in"
        page, password = client.get("/sign-in"), up.secret("first_password")
        signed = client.post("/sign-in", data=hidden(page.text, "/sign-in") | {"name": "first", "password": password})
        assert signed.status_code == 303, signed.text
        assert MODEL in client.get("/").text


def test_what_was_trained_is_in_mlflow_and_prefect_shows_its_pages(up: Up) -> None:
    found = up.ask("mlflow", "/api/2.0/mlflow/registered-models/get", params={"name": MODEL}).json()
    assert found["registered_model"]["latest_versions"]
    assert "text/html" in up.ask("prefect", "/").headers["content-type"]


def test_everything_that_was_written_verifies(up: Up) -> None:
    assert "ledger entries hold" in up.run("schedules", "python", "-m", "pipelines", "verify")


def test_no_container_that_stays_is_root_or_may_do_what_only_root_may(up: Up) -> None:
    for each in up.inspected():
        if each["State"]["Status"] == "running":
            assert not str(each["Config"]["User"]).startswith("0"), each["Name"]
            assert each["HostConfig"]["CapDrop"] == ["ALL"]
            assert not each["HostConfig"]["CapAdd"]


def test_a_second_start_makes_no_second_key_and_finds_what_was_there(up: Up) -> None:
    key = up.secret("first_api_key")
    up.verb("down")
    up.verb("up", "--built")
    assert up.secret("first_api_key") == key
    eventually(lambda: up.score(key).status_code == 200)


def test_prometheus_knows_whether_the_log_of_the_database_is_archived(up: Up) -> None:
    def told() -> list[str]:
        found = up.ask("prometheus", "/api/v1/query", params={"query": "steward:archive_failing"}).json()
        return [each["value"][1] for each in found["data"]["result"]]

    eventually(lambda: told() == ["0"])
    eventually(lambda: any((up.folder / up.project / "archive").glob("*.gz")))  # a quiet segment is closed after a minute


def test_what_was_there_at_a_moment_comes_back_in_new_volumes(up: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKUP_PASSPHRASE", PASSPHRASE)
    key, saved, count = up.secret("first_api_key"), up.folder / "saved", "SELECT count(*) FROM decisions"
    assert up.save("take", saved / "monday") == 0
    eventually(lambda: up.score(key).status_code == 200)
    there, moment = up.query(count), datetime.now(UTC)
    stopped = ["stop", "--by", "k.ito", "--reason", "after the moment"]
    up.run("schedules", "python", "-m", "pipelines", *stopped)
    up.query("DROP TABLE decisions CASCADE")
    assert up.save("take", saved / "after", "--keys", str(saved / "keys")) == 0
    assert up.save("restore", saved / "monday") == 1, "what runs is never restored over"

    again = Up(up.folder, "again")

    read = {"archive": up.folder / up.project / "archive", "later": saved / "after", "keys": saved / "keys"}
    options = [word for name, path in read.items() for word in (f"--{name}", str(path))]
    assert again.save("restore", saved / "monday", "--at", moment.isoformat(), *options) == 0
    up.verb("down")
    try:
        again.verb("up", "--built")
        assert again.query(count) == there
        assert "ledger entries hold" in again.run("schedules", "python", "-m", "pipelines", "verify")
        eventually(lambda: again.score(key).status_code == 200)  # nobody had stopped it then
        eventually(lambda: set(again.scraped().values()) == {"up"})
        assert again.ask("mlflow", "/api/2.0/mlflow/registered-models/get", params={"name": MODEL}).status_code == 200
    finally:
        again.verb("down")
