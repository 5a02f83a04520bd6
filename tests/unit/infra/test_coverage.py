"""Nothing lies in `infra/` that no check has run: each file is named here with the check that runs it."""

from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[3]
CHECKS = {
    "infra/__init__.py": "tests/unit/infra/test_topology.py",
    "infra/environment.py": ".ci/run",
    "infra/licences.toml": "Makefile",
    "infra/alertmanager/*": "tests/e2e/test_topology.py",
    "infra/aws/*": "tests/aws/test_templates.py",
    "infra/aws/__main__.py": "tests/aws/test_templates.py",
    "infra/aws/costs.py": "tests/unit/infra/test_aws_costs.py",
    "infra/aws/databases.sh": "tests/integration/test_aws_databases.py",
    "infra/aws/findings.py": "tests/aws/test_judges.py",
    "infra/aws/prices.toml": "tests/unit/infra/test_aws_costs.py",
    "infra/aws/requirements.in": "Makefile",
    "infra/aws/usage.toml": "tests/unit/infra/test_aws_costs.py",
    "infra/backup/*": "tests/integration/test_backup.py",
    "infra/backup/postgres.py": "tests/e2e/test_topology.py",
    "infra/backup/objects.py": "tests/e2e/test_topology.py",
    "infra/compose/*": "tests/unit/infra/test_compose.py",
    "infra/grafana/*": "tests/infra/test_dashboards.py",
    "infra/haproxy/*": "tests/e2e/test_topology.py",
    "infra/helm/*": "tests/infra/test_chart.py",
    "infra/images/*": "tests/integration/test_images.py",
    "infra/images/serve": "tests/integration/test_sagemaker.py",
    "infra/postgres/*": "tests/e2e/test_topology.py",
    "infra/prometheus/*": "tests/infra/test_rules.py",
    "infra/topology/*": "tests/e2e/test_topology.py",
    "infra/topology/compose.py": "tests/unit/infra/test_compose.py",
    "infra/topology/containers.py": "tests/unit/infra/test_compose.py",
}
RUN = {"test": ("unit", "integration"), "infra-test": ("infra",), "aws-test": ("aws",), "topology": ("test_topology",)}
"""The targets of every change's check, and what each runs."""
WEEKLY = "make test-images"  # half an hour: of changes to the images, and every week


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
    assert {"check", *RUN} <= set(steps.removesuffix("; do").split())
    assert WEEKLY in (ROOT / ".github" / "workflows" / "images.yml").read_text()
    for check in CHECKS.values():
        assert (ROOT / check).is_file(), check
        if check.startswith("tests/"):
            assert any(part in check for parts in (*RUN.values(), ("test_images",)) for part in parts), check
