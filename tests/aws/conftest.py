"""The templates of every environment, made once. Without `make aws-setup` these tests are not collected."""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

HERE = find_spec("aws_cdk") is not None
collect_ignore_glob = [] if HERE else ["test_*.py"]


@dataclass(frozen=True)
class Synthesised:
    folder: Path
    templates: dict[str, dict[str, Any]]
    """By the stack's name without the environment."""
    found: tuple[str, ...]
    """What cdk-nag finds and nobody has accepted: rule and place."""


def synthesised(name: str, folder: Path) -> Synthesised:
    from infra.aws.app import build
    from infra.aws.environments import ENVIRONMENTS

    platform = build(next(e for e in ENVIRONMENTS if e.name == name), folder)
    found = judged(platform.app, folder)
    parts = ("network", "data", "services", "batch", "watching")
    templates = {part: json.loads((folder / f"steward-{name}-{part}.template.json").read_text()) for part in parts}
    return Synthesised(folder, templates, found)


def judged(app: Any, folder: Path) -> tuple[str, ...]:
    """Writes the templates, and says what cdk-nag finds in them."""
    import aws_cdk as cdk
    from cdk_nag import AwsSolutionsChecks

    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError as error:
        if not str(error).startswith("ValidationFailed"):
            raise
    report = json.loads((folder / "validation-report.json").read_text())
    return tuple(
        f"{violation['ruleName']} {place['constructPath']}"
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for place in violation["violatingConstructs"]
    )


@pytest.fixture(scope="session")
def all_environments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Synthesised]:
    return {name: synthesised(name, tmp_path_factory.mktemp(name)) for name in ("dev", "staging", "prod")}


@pytest.fixture(params=["dev", "staging", "prod"])
def environment(request: pytest.FixtureRequest, all_environments: dict[str, Synthesised]) -> Synthesised:
    return all_environments[request.param]


@pytest.fixture
def prod(all_environments: dict[str, Synthesised]) -> Synthesised:
    return all_environments["prod"]


@pytest.fixture
def dev(all_environments: dict[str, Synthesised]) -> Synthesised:
    return all_environments["dev"]
