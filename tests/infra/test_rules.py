"""The rules that call people at night: read and run by Prometheus' own tools, on series made for each."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitoring.alerts.kinds import KINDS
from tests.tools import needed

pytestmark = pytest.mark.infra

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "infra" / "prometheus"
BY_KIND = "docs/runbooks/{{ $labels.kind }}.md"


def run(tool: str, package: str, *arguments: str, folder: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    return subprocess.run([needed(tool, package), *arguments], cwd=folder, capture_output=True, text=True, timeout=240)


def read(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text()))


def alerts() -> list[dict[str, Any]]:
    found = [
        rule for path in sorted((FOLDER / "rules").glob("*.yml")) for group in read(path)["groups"] for rule in group["rules"]
    ]
    return [rule for rule in found if "alert" in rule]


def cases() -> list[dict[str, Any]]:
    return [case for path in sorted((FOLDER / "tests").glob("*.yml")) for case in read(path)["tests"]]


def test_prometheus_understands_its_configuration_and_every_rule() -> None:
    checked = run("promtool", "prometheus", "check", "config", "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "3 rule files found" in checked.stdout


def test_alertmanager_understands_the_example_and_reads_every_secret_from_a_file() -> None:
    checked = run("amtool", "prometheus-alertmanager", "check-config", "alertmanager.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    secret = re.compile(r"^\s*-?\s*\w*(password|key|token|url|secret)(?P<file>_file)?: (?P<value>\S+)", re.MULTILINE)
    found = [(each["file"], each["value"]) for each in secret.finditer((FOLDER / "alertmanager.yml").read_text())]
    assert len(found) == 3
    assert all(file and value.startswith("secrets/") for file, value in found)


@pytest.mark.parametrize("path", ["alertmanager/kept.yml", "prometheus/alertmanager.yml"])
def test_what_alertmanager_looks_for_is_something_that_an_alert_can_have(path: str) -> None:
    checked = run("amtool", "prometheus-alertmanager", "check-config", path, folder=FOLDER.parent)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    had = {"alertname": {rule["alert"] for rule in alerts()}, "severity": {rule["labels"]["severity"] for rule in alerts()}}
    told = read(FOLDER.parent / path)
    rules = [
        *(found for each in told["inhibit_rules"] for found in (*each["source_matchers"], *each["target_matchers"])),
        *(found for each in told["route"].get("routes", ()) for found in each["matchers"]),
    ]
    for rule in rules:
        label, pattern = re.fullmatch(r'(\w+)=~?"(.+)"', rule).groups()  # type: ignore[union-attr]
        for part in pattern.split("|"):
            assert any(re.fullmatch(part, value) for value in had[label]), f"{path}: no alert has {label} {part}"


def test_every_alert_fires_on_its_series_and_stays_silent_on_series_that_are_near() -> None:
    tried = run("promtool", "prometheus", "test", "rules", *(f"tests/{path.name}" for path in (FOLDER / "tests").glob("*.yml")))
    assert tried.returncode == 0, tried.stdout + tried.stderr


def test_the_series_can_tell_a_broken_rule(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(FOLDER, tmp_path / "prometheus"))
    rules = copy / "rules" / "platform.yml"
    rules.write_text(rules.read_text().replace("steward:unreadable{", "steward:unreadible{").replace("[1d]", "[1s]"))
    tried = run("promtool", "prometheus", "test", "rules", "tests/platform.yml", folder=copy)
    assert tried.returncode == 1
    said = tried.stdout + tried.stderr
    assert {name for name in ("PlatformUnreadable", "LedgerShrunk", "FlowFailed") if name in said} == {
        "PlatformUnreadable",
        "LedgerShrunk",
    }


def test_every_alert_is_tried_both_ways() -> None:
    fires = {case["name"].removesuffix(" fires") for case in cases() if case["promql_expr_test"][0]["exp_samples"]}
    silent = {case["name"].removesuffix(" stays silent") for case in cases() if not case["promql_expr_test"][0]["exp_samples"]}
    assert fires == silent == {rule["alert"] for rule in alerts()}


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_says_how_urgent_it_is_what_is_wrong_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "warning")
    told = rule["annotations"]
    assert told["summary"]
    assert told["description"].endswith((".", "?"))
    pages = [f"docs/runbooks/{kind}.md" for kind in KINDS] if told["runbook"] == BY_KIND else [told["runbook"]]
    assert [page for page in pages if not (ROOT / page).is_file()] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "runbooks" / "platform").iterdir()), ids=lambda page: page.stem)
def test_a_runbook_names_targets_and_pages_that_are_there(page: Path) -> None:
    told, targets = page.read_text(), set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)", told)) <= targets
    assert [link for link in re.findall(r"\]\(([^#)]+)", told) if not (page.parent / link).is_file()] == []
    assert all(part in told for part in ("\n## Look\n", "\n## Do\n", "\n## Afterwards\n"))


def test_every_runbook_of_these_alerts_belongs_to_one() -> None:
    pages = {rule["annotations"]["runbook"] for rule in alerts()}
    written = {f"docs/runbooks/platform/{path.name}" for path in (ROOT / "docs" / "runbooks" / "platform").iterdir()}
    assert written == pages - {BY_KIND}
