"""The loop through every service of `make up-local`, and what users see while replicas, database and store come and go."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from threading import Event
from typing import Any

import httpx
import psycopg
import pytest

from infra.topology.services import REPLICAS
from tests.bundles import MODEL, record
from tests.topology import Running, running_topology

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


def decisions(services: Running, decision_id: str) -> list[Any]:
    with (
        closing(
            psycopg.connect(
                host="127.0.0.1",
                port=services.place.port("postgres"),
                user="decisions",
                dbname="decisions",
                passfile=f"{services.place.secrets}/pgpass_decisions",
            )
        ) as connection,
        connection.cursor() as cursor,
    ):
        return cursor.execute("SELECT bundle FROM decisions WHERE decision_id = %s", [decision_id]).fetchall()


def test_an_approved_model_scores_through_the_proxy_and_its_decision_is_in_postgresql(
    services: Running, client: httpx.Client
) -> None:
    answer = services.score(client, record())
    assert answer.status_code == 200, answer.text
    (given,) = answer.json()["answers"]
    assert decisions(services, given["decision_id"]) == [(answer.json()["bundle"],)]
    assert "approved by ana" in services.command("inventory")


def test_what_was_trained_is_in_mlflow_and_its_files_are_in_the_store(services: Running, client: httpx.Client) -> None:
    found = client.get(services.url("mlflow") + "/api/2.0/mlflow/registered-models/get", params={"name": MODEL}).json()
    (version,) = found["registered_model"]["latest_versions"]
    run = client.get(services.url("mlflow") + "/api/2.0/mlflow/runs/get", params={"run_id": version["run_id"]}).json()["run"]
    assert run["info"]["artifact_uri"].startswith("mlflow-artifacts:")
    buckets = client.get(services.url("store")).status_code
    assert buckets == 403, "the store answers who has not signed"
    volumes = list((services.place.folder / "data" / "store").glob("mlflow_*.dat"))
    assert sum(path.stat().st_size for path in volumes) > 100_000


def test_every_target_of_prometheus_is_up_and_its_rules_are_loaded(services: Running, client: httpx.Client) -> None:
    def targets() -> list[dict[str, Any]]:
        return list(client.get(services.url("prometheus") + "/api/v1/targets").json()["data"]["activeTargets"])

    eventually(lambda: {target["health"] for target in targets()} == {"up"})
    assert {"serving", "console", "schedules", "proxy", "store", "alertmanager", "prometheus"} <= {
        target["labels"]["job"] for target in targets()
    }
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
    assert client.get(services.url("proxy") + "/metrics").status_code == 404
    assert client.get(services.url("serving-1") + "/metrics").status_code == 200


def test_no_secret_is_in_a_log(services: Running) -> None:
    secrets = [path.read_text().strip() for path in (services.place.folder / "secrets").glob("postgres_*")]
    said = "".join(path.read_text(errors="replace") for path in services.place.logs.iterdir())
    assert secrets
    assert not [secret for secret in secrets if secret in said]
