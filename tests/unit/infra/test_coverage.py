"""Nothing lies in `infra/` or among the workflows that no check has run: each file is named here with the check that runs it."""

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
CHECKS = {
    "infra/__init__.py": "tests/unit/infra/test_topology.py",
    "infra/environment.py": ".ci/run",
    "infra/told.py": "tests/unit/infra/test_places.py",
    "infra/licences.toml": "Makefile",
    "infra/alertmanager/*": "tests/e2e/test_topology.py",
    "infra/architecture/*": "tests/unit/infra/test_architecture_page.py",
    "infra/aws/*": "tests/aws/test_templates.py",
    "infra/aws/__main__.py": "tests/aws/test_templates.py",
    "infra/aws/costs.py": "tests/unit/infra/test_aws_costs.py",
    "infra/aws/databases.sh": "tests/integration/test_aws_databases.py",
    "infra/aws/findings.py": "tests/aws/test_judges.py",
    "infra/aws/prices.toml": "tests/unit/infra/test_aws_costs.py",
    "infra/aws/requirements.in": "tests/unit/infra/test_locks.py",
    "infra/aws/usage.toml": "tests/unit/infra/test_aws_costs.py",
    "infra/backup/*": "tests/integration/test_backup.py",
    "infra/backup/moments.py": "tests/integration/test_point_in_time.py",
    "infra/backup/objects.py": "tests/e2e/test_topology.py",
    "infra/compose/*": "tests/images/test_containers.py",
    "infra/backup/postgres.py": "tests/integration/test_point_in_time.py",
    "infra/backup/recovery.py": "tests/integration/test_point_in_time.py",
    "infra/delivery/*": "tests/unit/infra/test_delivery.py",
    "infra/grafana/*": "tests/infra/test_dashboards.py",
    "infra/grafana/provisioning/*": "tests/unit/infra/test_compose.py",
    "infra/haproxy/*": "tests/e2e/test_topology.py",
    "infra/helm/*": "tests/infra/test_chart.py",
    "infra/images/*": "tests/images/test_images.py",
    "infra/images/serve": "tests/integration/test_sagemaker.py",
    "infra/postgres/*": "tests/e2e/test_topology.py",
    "infra/postgres/archive.sh": "tests/integration/test_point_in_time.py",
    "infra/postgres/restore.sh": "tests/integration/test_point_in_time.py",
    "infra/prometheus/*": "tests/infra/test_rules.py",
    "infra/release/*": "tests/integration/test_reproducible_archives.py",
    "infra/scanning/*": "tests/unit/infra/test_scanning.py",
    "infra/scanning/apart.py": "tests/infra/test_chart.py",
    "infra/topology/*": "tests/e2e/test_topology.py",
    "infra/topology/compose.py": "tests/unit/infra/test_compose.py",
    "infra/topology/places.py": "tests/unit/infra/test_places.py",
    "infra/topology/containers.py": "tests/images/test_containers.py",
}
RUN = {"test": ("unit", "integration"), "infra-test": ("infra",), "aws-test": ("aws",), "topology": ("test_topology",)}
"""The targets of every change's check, and what each runs."""
WORKFLOW = {
    "benchmark": {"setup", "train", "bench-base"},
    "ci": set[str](),  # .ci/run, looked at below
    "delivery": {"setup", "train", "evidence", "send", "receive", "promote", "advance", "verify"},
    "images": {"setup", "test-images"},  # an hour: of changes to the images, and every week
    "release": {"setup", "release"},
    "rollback": {"setup", "rollback", "verify"},
    "scan": {"setup", "audit", "scan", "workflows", "wheel"},
}
"""What each workflow makes: one that is gone, or makes less, is missed."""


def files() -> list[str]:
    found = (path for path in (ROOT / "infra").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def test_every_file_is_named_by_a_check_and_every_check_names_a_file() -> None:
    unnamed = [file for file in files() if not any(fnmatch(file, pattern) for pattern in CHECKS)]
    assert unnamed == []
    idle = [pattern for pattern in CHECKS if not any(fnmatch(file, pattern) for file in files())]
    assert idle == []


def test_every_check_is_there_and_ci_runs_it() -> None:
    steps = next(line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line.startswith("for target in"))
    assert {"check", "scan", "audit", "workflows", "browser", *RUN} <= set(steps.removesuffix("; do").split())
    for check in CHECKS.values():
        assert (ROOT / check).is_file(), check
        if check.startswith("tests/"):
            assert re.search(r"^def test_", (ROOT / check).read_text(), re.MULTILINE), f"nothing is left of {check}"
            assert any(part in check for parts in (*RUN.values(), ("tests/images/",)) for part in parts), check


def test_the_environment_and_the_licences_are_made_and_looked_at_by_every_change() -> None:
    """What is no test of ours: `make setup` runs infra/environment.py, `make check` reads infra/licences.toml."""
    made = (ROOT / ".ci" / "run").read_text().splitlines()
    assert {"make setup", "make spark-setup", "make aws-setup"} <= set(made)
    check = (ROOT / "Makefile").read_text().split("\ncheck: ")[1].split("\n\n")[0]
    assert "$(RUN) pipelines licences" in check


def test_every_workflow_is_there() -> None:
    assert {path.stem for path in WORKFLOWS} == WORKFLOW.keys()


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PREPARES = ("sudo apt-get ", "echo ", "cd dist && sha256sum ", "gh release create ")
"""What a step may do beside making a target: bring a tool, or hand over what a target made."""


def steps_of(workflow: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(workflow.read_text())["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_only_makes_targets_that_anybody_can_make(workflow: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+(?: [a-z-]+)*):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    known = {name for named in targets for name in named.split()}
    lines = [line.strip() for step in steps_of(workflow) for line in step.get("run", "").splitlines()]
    made = [found[1] for line in lines if (found := re.match(r"(?:sudo )?make ([a-z-]+)\b", line))]
    assert set(made) <= known
    assert set(made) == WORKFLOW[workflow.stem]
    assert made or "bash .ci/run # the same as everywhere: it installs what its checks need" in workflow.read_text()
    assert not any(step.get("continue-on-error") for step in steps_of(workflow)), "a step that may fail checks nothing"
    assert [line for line in lines if "make " not in line and not line.startswith((*PREPARES, "bash .ci/run"))] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_an_action_is_pinned_to_a_commit_and_says_of_which_version_it_is(workflow: Path) -> None:
    used = re.findall(r"uses: (.+)", workflow.read_text())
    assert [line for line in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []
    pins = {line.split("@")[0]: line for each in WORKFLOWS for line in re.findall(r"uses: (.+)", each.read_text())}
    assert [line for line in used if pins[line.split("@")[0]] != line] == [], "one action, one version"


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_read_the_code_and_a_job_says_what_more_it_may(workflow: Path) -> None:
    assert yaml.safe_load(workflow.read_text())["permissions"] == {"contents": "read"}
