"""Dashboards against a real Prometheus, which scrapes a real service, console and scheduler: every query must say something."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from itertools import cycle
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

import numpy as np
import pytest
import yaml

from models.adapters.parquet_lake import ParquetLake
from models.clock import Month
from models.credit_default import USE_CASE
from models.lake import BAD, OUTCOMES
from monitoring.adapters.alert_folder import AlertFolder
from monitoring.alerts.alert import Alert
from tests import monitored_home
from tests.bundles import real_bundle, record
from tests.running import SCORE, Service
from tests.tools import needed

pytestmark = [pytest.mark.infra, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
GRAFANA, PROMETHEUS = ROOT / "infra" / "grafana", ROOT / "infra" / "prometheus"
PATIENCE = 150.0
EMPTY = {
    'sum by (model) (rate(steward_decisions_total{fallback="true"}[$__rate_interval]))': "no champion was stopped",
    'sum by (model) (rate(steward_decisions_total{unfamiliar="true"}[$__rate_interval]))': "this model knows no ranges",
}
"""Queries that must say nothing here, and why."""
ARCHIVED = {f"steward{mark}archive_{what}" for mark in "_:" for what in ("failing", "behind_bytes")}
"""Told where a PostgreSQL archives its log, and not of this home: tests/integration/test_archiving.py."""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one that has seen traffic, pages and runs of flows."""
    tool = needed("prometheus", "prometheus")
    home = tmp_path_factory.mktemp("home")
    monitored_home.write(home, b"<!doctype html><title>drift</title>")
    shutil.rmtree(home / "channel")  # its champions are of paper, and answer nothing
    with ExitStack() as stack:
        targets = {"serving": stack.enter_context(scoring(home)), **stack.enter_context(platform(home))}
        yield stack.enter_context(scraping(tool, targets, tmp_path_factory.mktemp("prometheus")))


@contextmanager
def scoring(home: Path) -> Iterator[str]:
    """Two workers that decide and refuse as long as they are looked at."""
    service = Service(home)
    service.promote(real_bundle(0.1), version=1)
    client = service.start(STEWARD_SERVING_WORKERS="2")
    status = cycle("029")

    def ask() -> None:
        assert client.post(SCORE, json=record(status_0=int(next(status)))).status_code == 200
        assert client.post(SCORE, json={}).status_code == 422

    try:
        with going_on(ask):
            yield f"{client.base_url.host}:{client.base_url.port}"
    finally:
        service.end()


@contextmanager
def going_on(ask: Callable[[], object]) -> Iterator[None]:
    """Asked again and again meanwhile."""
    stop = Event()

    def go_on() -> None:
        while not stop.wait(0.1):
            ask()

    thread = Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def platform(home: Path) -> Iterator[dict[str, str]]:
    """Console and scheduler of a home with reports, outcomes, a hold, an open alert, and a flow that runs every few seconds."""
    outcomes = {"account_id": np.array(["A1"]), BAD: np.array([False])}
    ParquetLake(home / "lake" / USE_CASE.name).write(OUTCOMES, Month(2005, 8), outcomes, recorded_at=datetime.now(UTC))
    AlertFolder(home / "alerts").revise(USE_CASE.name, lambda _: [an_alert()])
    common = os.environ | {"STEWARD_HOME": str(home)}
    schedule = {
        "STEWARD_PIPELINES_PREFECT_PORT": str(free_port()),
        "STEWARD_PIPELINES_METRICS_PORT": "0",
        "STEWARD_PIPELINES_JUDGE_CRON": "* * * * * */5",
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
    }
    with (
        started("monitoring", common | {"STEWARD_MONITORING_PORT": "0"}, r"http://([^/]+)/") as console,
        started("pipelines", common | schedule, r"Prometheus: http://([^/]+)/metrics", "schedule") as scheduler,
        going_on(lambda: urllib.request.urlopen(f"http://{console}/").read()),
    ):
        yield {"console": console, "schedules": scheduler}


def an_alert() -> Alert:
    now = datetime.now(UTC).isoformat()
    seen: Mapping[str, Any] = {
        "kind": "code_mix",
        "subject": "status_0",
        "severity": "page",
        "window": "2005-09",
        "since": "2005-09",
    }
    told = {"text": "the mix changed", "owner": "r.lin", "evidence": "", "runbook": "", "action": "look", "windows": ("2005-09",)}
    when = {"opened_at": now, "updated_at": now, "deadline": now}
    return Alert(id="a1", model=USE_CASE.name, value=None, limit=None, **seen, **told, **when)


@contextmanager
def started(module: str, environment: Mapping[str, str], announced: str, *arguments: str) -> Iterator[str]:
    """A process of the platform, once it has said where it answers."""
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, env=dict(environment), stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(announced, line):
                yield found[1]
                break
        else:
            raise AssertionError(f"{module} ended before it said where it answers")
    finally:
        process.send_signal(signal.SIGINT)  # as a person stops it
        try:
            process.wait(timeout=120)
        finally:
            with suppress(ProcessLookupError):  # a flow that it had begun may hold the output open
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@contextmanager
def scraping(tool: str, targets: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Prometheus with our own configuration, only quicker, and with the addresses of this test."""
    configuration = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    configuration["rule_files"] = [str(PROMETHEUS / "rules" / "*.yml")]
    del configuration["alerting"]
    assert {job["job_name"] for job in configuration["scrape_configs"]} == set(targets)
    for job in configuration["scrape_configs"]:
        job["static_configs"] = [{"targets": [targets[job["job_name"]]]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    port = free_port()
    command = [tool, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        until(lambda: value(address, 'count(up{job=~"serving|console|schedules"} == 1)') == 3, "Prometheus reads all three")
        until(lambda: value(address, 'count(steward:flow_failed{flow="judge"})') == 1, "a run of a flow ended")
        until(lambda: value(address, "count(count_over_time(steward_in_flight[30s]) > 10)") == 1, "there are ten scrapes")
        yield address
    finally:
        process.terminate()
        process.wait(30)


def until(holds: Any, what: str) -> None:
    deadline = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < deadline, f"waited in vain until {what}"
        Event().wait(0.5)


def value(address: str, expression: str) -> float:
    try:
        found = asked(address, expression)["data"]["result"]
    except OSError:  # it has not begun to listen
        return 0.0
    return float(found[0]["value"][1]) if found else 0.0


def asked(address: str, expression: str) -> Any:
    query = urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(f"{address}/api/v1/query?{query}", timeout=10) as answer:
        return json.load(answer)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def build() -> Any:
    spec = spec_from_file_location("grafana_build", GRAFANA / "build.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def queries() -> list[str]:
    boards = [json.loads(path.read_text()) for path in sorted((GRAFANA / "dashboards").glob("*.json"))]
    return sorted({target["expr"] for board in boards for panel in board["panels"] for target in panel["targets"]})


def expressions() -> list[str]:
    rules = [yaml.safe_load(path.read_text()) for path in sorted((PROMETHEUS / "rules").glob("*.yml"))]
    return [rule["expr"] for file in rules for group in file["groups"] for rule in group["rules"]]


def test_the_dashboards_are_those_that_are_written_down() -> None:
    module = build()
    assert {path.stem: path.read_text() for path in (GRAFANA / "dashboards").glob("*.json")} == {
        name: module.text(name) for name in module.DASHBOARDS
    }


@pytest.mark.parametrize("query", queries())
def test_a_query_of_a_dashboard_says_something(prometheus: str, query: str) -> None:
    found = asked(prometheus, query.replace("$__rate_interval", "30s"))
    assert found["status"] == "success"
    series = found["data"]["result"]
    if query in EMPTY:
        assert series == [], f"it is said to be empty because {EMPTY[query]}"
    else:
        assert series, "no series"
        assert [each for each in series if each["value"][1] == "NaN"] == []


def test_every_query_that_is_said_to_be_empty_is_on_a_dashboard() -> None:
    assert EMPTY.keys() <= set(queries())


def test_every_number_that_a_rule_or_a_dashboard_names_is_told_by_some_process(prometheus: str) -> None:
    with urllib.request.urlopen(f"{prometheus}/api/v1/label/__name__/values") as answer:
        told = set(json.load(answer)["data"])
    named = {name for text in [*queries(), *expressions()] for name in re.findall(r"\bsteward[_:][\w:]+", text)}
    assert named - told == ARCHIVED


def test_prometheus_runs_every_rule(prometheus: str) -> None:
    def rules() -> list[Any]:
        with urllib.request.urlopen(f"{prometheus}/api/v1/rules") as answer:
            return [rule for group in json.load(answer)["data"]["groups"] for rule in group["rules"]]

    until(lambda: all(rule["health"] != "unknown" for rule in rules()), "every rule was run")
    assert [(rule["name"], rule.get("lastError")) for rule in rules() if rule["health"] != "ok"] == []


def test_an_open_alert_of_the_monitoring_and_a_waiting_hold_reach_prometheus(prometheus: str) -> None:
    assert value(prometheus, 'steward:alerts_open{kind="code_mix",severity="page"}') == 1
    assert value(prometheus, "steward:holds_waiting") == 1
    until(
        lambda: value(prometheus, 'count(ALERTS{alertname="MonitoringPage",alertstate="firing",kind="code_mix"})') == 1,
        "it fires",
    )
