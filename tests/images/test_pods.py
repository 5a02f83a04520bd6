"""The chart's pods as podman runs them from what Helm renders: the same users, volumes, limits and settings as in a cluster.

podman 4.3 knows Deployments and volume claims. It knows no Jobs, Services and policies, so of the migrations' Job its pod is run,
once and before the others, as the hook would. Of a Secret it makes one that it cannot read again, so its own command makes the
secret; it has no `status.podIP`; and it asks no probe where systemd does not run. The chart expects PostgreSQL, Prefect and
MLflow elsewhere: here PostgreSQL's socket is mounted, Prefect's server is a second container in the worker's pod, and there is
no MLflow, so nothing is trained.
"""

import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from infra.images.engine import Podman
from monitoring.adapters.sql_schema import engine, is_current
from tests.bundles import MODEL, real_bundle, record
from tests.e2e.test_topology import eventually
from tests.helm import environment
from tests.images.conftest import Build
from tests.infra.test_chart import CHART, of, rendered
from tests.postgres import listening
from tests.readers import shared_folder
from tests.running import SCORE, Service

pytestmark = [pytest.mark.images, pytest.mark.timeout(1_800)]

USER = 10_001
SECRET, PASSWORD, SOCKET = "steward-database", "of-decisions", "/run/postgresql"
URL = f"postgresql://decisions:{PASSWORD}@/postgres?host={{}}"
PREFECT = "http://127.0.0.1:4200/api"
LIMITS = '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\n'
"""`podman play` takes none as arguments; a restricted root may not raise them to what podman asks for by default."""
ASKS = """
import sys, urllib.request as r
address, key, body = sys.argv[1:]
head = {"authorization": f"Bearer {key}", "content-type": "application/json"}
print(r.urlopen(r.Request(address, body.encode() or None, head)).read().decode())
"""


class Pods:
    def __init__(self, podman: Podman, folder: Path, database: Path) -> None:
        self.podman, self.folder, self.database = podman, folder, database
        (folder / "containers.conf").write_text(LIMITS)
        self.objects = rendered(environment(), CHART, CHART / "values-local.yaml")

    def run(self, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"CONTAINERS_CONF": str(self.folder / "containers.conf")}
        return subprocess.run(
            self.podman.command(*words), input=given, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def play(self, *described: dict[str, Any]) -> None:
        file = self.folder / "objects.yaml"
        file.write_text(yaml.safe_dump_all(described))
        done = self.run("play", "kube", str(file))
        assert done.returncode == 0, done.stderr

    def deployment(self, name: str) -> dict[str, Any]:
        """Without what this podman has not."""
        (described,) = [each for each in of(self.objects, "Deployment") if each["metadata"]["name"] == f"steward-{name}"]
        found: dict[str, Any] = deepcopy(described)
        for setting in found["spec"]["template"]["spec"]["containers"][0]["env"]:
            if setting.get("valueFrom", {}).get("fieldRef"):
                del setting["valueFrom"]
                setting["value"] = "127.0.0.1"
        self._reach_the_database(found["spec"]["template"]["spec"])
        return found

    def migrations(self) -> dict[str, Any]:
        """The pod that the Job would start."""
        (job,) = of(self.objects, "Job")
        spec = deepcopy(job["spec"]["template"]["spec"])
        self._reach_the_database(spec)
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": job["metadata"]["name"]}, "spec": spec}

    def worker(self) -> dict[str, Any]:
        """With Prefect's server beside it: the same image, confined as the worker is."""
        found = self.deployment("worker")
        (worker,) = found["spec"]["template"]["spec"]["containers"]
        asked = {"PREFECT_API_URL": PREFECT}
        worker["env"] = [
            {"name": each["name"], "value": asked[each["name"]]} if each["name"] in asked else each for each in worker["env"]
        ]
        settings = {"PREFECT_HOME": "/tmp/prefect", "PREFECT_UI_STATIC_DIRECTORY": "/tmp/pages"}
        server = {name: worker[name] for name in ("image", "imagePullPolicy", "securityContext", "volumeMounts", "resources")}
        server |= {"name": "prefect", "command": ["python", "-m", "prefect", "server", "start"]}
        server |= {"env": [{"name": name, "value": value} for name, value in settings.items()]}
        found["spec"]["template"]["spec"]["containers"] = [server, worker]
        return found

    def _reach_the_database(self, spec: dict[str, Any]) -> None:
        """By its socket: these pods have a network of their own."""
        spec.setdefault("volumes", []).append({"name": "database", "hostPath": {"path": str(self.database), "type": "Directory"}})
        for container in spec["containers"]:
            container.setdefault("volumeMounts", []).append({"name": "database", "mountPath": SOCKET})

    def clear(self, volume: str) -> None:
        self.run("pod", "rm", "--force", "--all")
        self.run("volume", "rm", "--force", volume)
        self.run("secret", "rm", SECRET)

    def asked(self, name: str, address: str, key: str = "", body: str = "") -> str:
        """What a process in the container is answered; empty while it is not."""
        container = f"steward-{name}-pod-0-{name}"
        return self.run("exec", container, "python", "-c", ASKS, address, key, body).stdout


@pytest.fixture(scope="module")
def pods(podman: Podman, built: Build) -> Iterator[Pods]:
    for name in ("serving", "console", "pipelines"):
        built(name)
    with shared_folder() as folder, shared_folder() as database, listening(database, "decisions", PASSWORD):
        made = Pods(podman, folder, database)
        (claim,) = of(made.objects, "PersistentVolumeClaim")
        volume = claim["metadata"]["name"]
        made.clear(volume)  # of a run that was killed, in a store that is kept
        content = json.dumps({"STEWARD_DATABASE_URL": b64encode(URL.format(SOCKET).encode()).decode()})
        assert made.run("secret", "create", SECRET, "-", given=content).returncode == 0
        try:
            made.play(claim)
            yield made
        finally:
            made.clear(volume)


@pytest.fixture(scope="module")
def migrated(pods: Pods) -> str:
    """What the migrations said, before anything else was started."""
    assert not schema_is_there(pods)
    pods.play(pods.migrations())
    container = "steward-migrations-migrations"
    ended, said = pods.run("wait", container).stdout.strip(), pods.run("logs", container)
    pods.run("pod", "rm", "--force", "steward-migrations")
    assert ended == "0", said
    return said.stdout + said.stderr


def schema_is_there(pods: Pods) -> bool:
    database = engine(URL.format(pods.database))
    try:
        return is_current(database)
    finally:
        database.dispose()


@pytest.fixture(scope="module")
def key(pods: Pods, migrated: str) -> str:
    """The home of the pods has a champion, and whoever holds this may ask for a score."""
    home = Path(pods.run("volume", "inspect", "--format", "{{.Mountpoint}}", "steward-home").stdout.strip())
    Service(home).promote(real_bundle(), version=1)
    client = ["api-key", "--name", "client", "--models", "all", "--actions", "score", "--days", "1"]
    made = told(home, *client)
    told(home, "user", "--name", "ana", "--roles", "approver")  # without anybody who may sign in the console does not start
    for path in (home, *home.rglob("*")):
        os.chown(path, USER, USER)
    return made.splitlines()[0]


def told(home: Path, *words: str) -> str:
    command = [sys.executable, "-m", "pipelines", *words, "--by", "a", "--reason", "first start"]
    return subprocess.run(
        command, env=os.environ | {"STEWARD_HOME": str(home)}, capture_output=True, text=True, check=True
    ).stdout


@contextmanager
def running(pods: Pods, name: str) -> Iterator[None]:
    pods.play(pods.worker() if name == "worker" else pods.deployment(name))
    try:
        yield
    finally:
        pods.run("pod", "rm", "--force", f"steward-{name}-pod-0")


def test_the_pod_of_the_migrations_makes_the_schema_and_ends(pods: Pods, migrated: str) -> None:
    assert schema_is_there(pods)
    assert "Traceback" not in migrated


def test_the_pod_of_serving_answers_who_has_a_key_and_is_not_root(pods: Pods, key: str) -> None:
    with running(pods, "serving"):
        eventually(partial(pods.asked, "serving", "http://127.0.0.1:8080/health/answering"))
        answer = json.loads(pods.asked("serving", f"http://127.0.0.1:8080{SCORE}", key, json.dumps(record())))
        assert answer["version"] == 1
        assert not pods.asked("serving", f"http://127.0.0.1:8080{SCORE}", "steward_guessed", json.dumps(record()))
        assert pods.run("exec", "steward-serving-pod-0-serving", "id", "-u").stdout.strip() == str(USER)
        written = pods.run("exec", "steward-serving-pod-0-serving", "touch", "/opt/steward/x")
        assert "Read-only file system" in written.stderr
    with psycopg.connect(URL.format(pods.database)) as database:
        decided = database.execute("SELECT decision_id FROM decisions").fetchall()
    assert (answer["answers"][0]["decision_id"],) in decided


def test_the_pod_of_the_console_shows_its_door(pods: Pods, key: str) -> None:
    with running(pods, "console"):
        eventually(partial(pods.asked, "console", "http://127.0.0.1:8090/sign-in"))
        assert "password" in pods.asked("console", "http://127.0.0.1:8090/")


def test_the_pod_of_the_worker_tells_prefect_its_schedules_and_runs_what_is_asked_of_it(pods: Pods, key: str) -> None:
    def prefect(path: str, body: str = "") -> Any:
        return json.loads(pods.asked("worker", f"{PREFECT}{path}", body=body) or "{}")

    with running(pods, "worker"):
        eventually(lambda: len(prefect("/deployments/filter", "{}")) == 5, seconds=240)
        judge = prefect(f"/deployments/name/judge/{MODEL}")["id"]
        run = prefect(f"/deployments/{judge}/create_flow_run", json.dumps({"name": "by hand"}))["id"]
        ended = ("COMPLETED", "FAILED", "CRASHED")
        eventually(lambda: prefect(f"/flow_runs/{run}").get("state_type") in ended, seconds=240)
        assert prefect(f"/flow_runs/{run}")["state_type"] == "COMPLETED"
        assert "steward_" in pods.asked("worker", "http://127.0.0.1:4201/metrics")
        assert pods.run("exec", "steward-worker-pod-0-worker", "id", "-u").stdout.strip() == str(USER)
