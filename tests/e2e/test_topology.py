"""The loop through every service of `make up-local`, and what users see while replicas, database and store come and go."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from threading import Event
from typing import Any

import httpx
import psycopg
import pytest

from infra.backup.__main__ import main as backup
from infra.backup.manifest import verified
from infra.backup.postgres import rows
from infra.topology import ports
from infra.topology.running import start, stop
from infra.topology.services import BUCKETS, REPLICAS, platform
from infra.topology.supervised import LocalPlace, lay_out
from tests.bundles import MODEL, record
from tests.load import asking
from tests.readers import shared_folder
from tests.running import SCORE
from tests.topology import PASSPHRASE, Running, running_topology

pytestmark = [pytest.mark.topology, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def services() -> Iterator[Running]:
    """With an approved champion in force at both replicas."""
    with running_topology() as made:
        made.approve(made.train())
        for replica in REPLICAS:
            eventually(partial(made.ready, replica))
        yield made


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30, trust_env=False) as made:
        yield made


def eventually(holds: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        Event().wait(0.1)


@contextmanager
def database(services: Running) -> Iterator[psycopg.Connection]:
    """The decision log's, as its own user."""
    where = {"host": "127.0.0.1", "port": services.place.port("postgres"), "user": "decisions", "dbname": "decisions"}
    with closing(psycopg.connect(**where, passfile=f"{services.place.secrets}/pgpass_decisions")) as connection:
        yield connection


def test_an_approved_model_scores_through_the_proxy_and_its_decision_is_in_postgresql(
    services: Running, client: httpx.Client
) -> None:
    answer = services.score(client, record())
    assert answer.status_code == 200, answer.text
    (given,) = answer.json()["answers"]
    assert logged(services, [given["decision_id"]]) == 1
    assert "approved by ana" in services.command("inventory")


def test_what_was_trained_is_in_mlflow_and_its_files_are_in_the_store(services: Running, client: httpx.Client) -> None:
    found = client.get(services.url("mlflow") + "/api/2.0/mlflow/registered-models/get", params={"name": MODEL}).json()
    (version,) = found["registered_model"]["latest_versions"]
    run = client.get(services.url("mlflow") + "/api/2.0/mlflow/runs/get", params={"run_id": version["run_id"]}).json()["run"]
    assert run["info"]["artifact_uri"].startswith("mlflow-artifacts:")
    buckets = client.get(services.url("store")).status_code
    assert buckets == 403, "the store answers who has not signed"
    assert stored(services, "mlflow") > 100_000


def test_the_lake_is_in_the_store_and_a_month_of_it_is_scored_from_there(services: Running) -> None:
    assert stored(services, "lake") > 100_000
    assert not (services.home / "lake").exists()
    decided = services.command("score", "--month", "2005-05")
    with database(services) as connection:
        rows = connection.execute("SELECT count(*) FROM decisions WHERE month = '2005-05'").fetchone()
    assert f"credit_default: {rows[0] if rows else 0:,} rows in" in decided
    assert "Every partition that credit_default was made of is in the lake, byte by byte" in services.command("verify")


def stored(services: Running, bucket: str) -> int:
    """Bytes in the store's volumes of a bucket."""
    volumes = (services.place.folder / "data" / "store").glob(f"{bucket}_*.dat")
    return sum(path.stat().st_size for path in volumes)


def test_every_target_of_prometheus_is_up_and_its_rules_are_loaded(services: Running, client: httpx.Client) -> None:
    def targets() -> list[dict[str, Any]]:
        return list(client.get(services.url("prometheus") + "/api/v1/targets").json()["data"]["activeTargets"])

    eventually(lambda: {target["health"] for target in targets()} == {"up"})
    jobs = {"serving", "console", "schedules", "proxy", "store", "alertmanager", "prometheus"}
    assert {target["labels"]["job"] for target in targets()} == jobs
    groups = client.get(services.url("prometheus") + "/api/v1/rules").json()["data"]["groups"]
    rules = {rule["name"]: rule for group in groups for rule in group["rules"]}
    assert {"ServiceAway", "ServiceNotReady"} <= rules.keys()
    assert {rule["health"] for rule in rules.values()} <= {"ok", "unknown"}
    managers = client.get(services.url("prometheus") + "/api/v1/alertmanagers").json()["data"]["activeAlertmanagers"]
    assert len(managers) == 1


def test_the_worker_runs_what_is_asked_of_prefect(services: Running, client: httpx.Client) -> None:
    api = services.url("prefect") + "/api"
    asked = client.get(f"{api}/deployments/name/judge/{MODEL}").json()
    run = client.post(f"{api}/deployments/{asked['id']}/create_flow_run", json={"name": "by hand"}).json()
    ended = ("COMPLETED", "FAILED", "CRASHED")
    eventually(lambda: client.get(f"{api}/flow_runs/{run['id']}").json()["state_type"] in ended, seconds=240)
    assert client.get(f"{api}/flow_runs/{run['id']}").json()["state_type"] == "COMPLETED"


def test_the_console_shows_the_champion_and_asks_prefect(services: Running, client: httpx.Client) -> None:
    assert MODEL in client.get(services.url("console") + "/").text


def test_numbers_are_not_for_clients(services: Running, client: httpx.Client) -> None:
    for path in ("/metrics", "/%6detrics"):
        assert client.get(services.url("proxy") + path).status_code == 404
    assert client.get(services.url("serving-1") + "/metrics").status_code == 200


def test_an_alert_of_prometheus_reaches_alertmanager_while_the_other_replica_answers(
    services: Running, client: httpx.Client
) -> None:
    services.supervisor.stopProcess("serving-2")
    try:
        eventually(lambda: "ServiceAway" in client.get(services.url("alertmanager") + "/api/v2/alerts").text, seconds=240)
        assert services.score(client, record()).status_code == 200
    finally:
        services.go_on("serving-2")
        eventually(partial(services.proxied, "serving-2"))


def test_no_secret_is_in_a_log(services: Running) -> None:
    secrets = [path.read_text().strip() for path in (services.place.folder / "secrets").glob("postgres_*")]
    said = "".join(path.read_text(errors="replace") for path in services.place.logs.iterdir())
    assert secrets
    assert not [secret for secret in secrets if secret in said]


def test_a_stopped_model_says_why_through_the_proxy(services: Running, client: httpx.Client) -> None:
    services.command("stop", "--by", "k.ito", "--reason", "unexplained jump")
    try:
        eventually(lambda: not any(services.ready(replica) for replica in REPLICAS))
        answer = services.score(client, record())
        assert answer.status_code == 503
        assert "unexplained jump" in answer.json()["detail"]
        services.verb(
            "roll"
        )  # each replica that starts meanwhile is sent requests again: that a model is stopped is no fault of it
        assert all(services.proxied(replica) for replica in REPLICAS)
        assert "unexplained jump" in services.score(client, record()).json()["detail"]
    finally:
        services.command("resume", "--by", "k.ito", "--reason", "understood")
        eventually(lambda: all(services.ready(replica) for replica in REPLICAS))


def test_a_new_release_reaches_both_replicas_under_load_without_a_failed_request(services: Running) -> None:
    before = {replica: services.process(replica) for replica in REPLICAS}
    with asking(services.url("proxy") + SCORE) as told:
        told.await_more(50)
        services.verb("roll")
        told.await_more(50)
    assert told.failures == []
    assert len(set(told.decided)) == len(told.statuses)
    after = {replica: services.process(replica) for replica in REPLICAS}
    assert all(before[replica] != after[replica] for replica in REPLICAS)


def test_the_death_of_a_replica_costs_at_most_the_requests_that_it_held(services: Running) -> None:
    with asking(services.url("proxy") + SCORE, clients=4) as told:
        told.await_more(50)
        services.supervisor.signalProcess("serving-1", "KILL")
        told.await_more(200)
        eventually(partial(services.proxied, "serving-1"))
        told.await_more(50)
    assert set(told.failures) <= {0, 502}
    assert len(told.failures) <= 4
    assert told.statuses[-50:] == [200] * 50


def test_while_the_database_is_away_everybody_is_answered_and_every_decision_gets_there(services: Running) -> None:
    with asking(services.url("proxy") + SCORE) as told:
        told.await_more(50)
        services.supervisor.signalProcess("postgres", "QUIT")  # at once, as a crash
        services.supervisor.stopProcess("postgres")
        told.await_more(100)
        services.go_on("postgres")
        told.await_more(50)
    assert told.failures == []
    eventually(lambda: logged(services, told.decided) == len(told.decided))


def test_a_backup_of_a_running_topology_comes_back_elsewhere_with_every_row(
    services: Running, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKUP_PASSPHRASE", PASSPHRASE)
    folder = tmp_path_factory.mktemp("backup")
    where = ["--folder", str(folder / "taken"), "--keys", str(folder / "keys")]
    assert backup(["take", *where, "--topology", str(services.place.folder)]) == 0
    decided = verified(folder / "taken").rows["postgres/decisions"]["decisions"]
    for bucket in BUCKETS:
        assert [path for path in (folder / "taken" / "store" / bucket).rglob("*") if path.is_file()], bucket
    with shared_folder() as elsewhere:
        again = [*where, "--topology", str(elsewhere), "--ports", str(services.place.first)]
        assert backup(["restore", *again]) == 0, "beside what runs at these very ports"
        place = LocalPlace(elsewhere, services.place.first + ports.SIZE)
        parts = [service for service in lay_out(place) if service.name in ("postgres", "store")]
        try:
            start(place, parts, lambda _: None)
            assert rows(place)["postgres/decisions"]["decisions"] == decided
            environment = os.environ | platform(place)
            done = subprocess.run(
                [sys.executable, "-m", "pipelines", "verify"], env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
        finally:
            stop(place, parts)


def test_without_the_store_everybody_is_answered(services: Running, client: httpx.Client) -> None:
    services.supervisor.stopProcess("store")
    try:
        with asking(services.url("proxy") + SCORE) as told:
            told.await_more(100)
        assert told.failures == []
        assert client.get(services.url("mlflow") + "/health").status_code == 200
    finally:
        services.go_on("store")


def logged(services: Running, decided: list[str]) -> int:
    with database(services) as connection, connection.cursor() as cursor:
        found = cursor.execute("SELECT count(*) FROM decisions WHERE decision_id = ANY(%s)", [decided]).fetchone()
        return int(found[0]) if found else 0
