"""The drawing of the folders is a test: `make check` runs these contracts, and here each of them is shown to be able to fail."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from models import catalog

ROOT = Path(__file__).parents[2]
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract for contract in LINTER["contracts"]}

PLANTED = {
    "models/planted.py": "import monitoring.decisions\nimport models.adapters\nimport pandas\n",
    "models/detour.py": "import great_expectations\n",
    "models/lookalike/__init__.py": "import models.credit_default\n",
    "monitoring/planted.py": "from fastapi import FastAPI\n",
    "pipelines/planted.py": "import mlflow\nfrom models.settings import PlatformSettings\n",
    "pipelines/drills/injectors/planted.py": "import monitoring.drift\nimport models.policy\n",
    "pipelines/measures.py": "import pipelines.simulation.pool\n",
    "pipelines/candidates.py": "import pipelines.fairness.audit\n",
    "pipelines/selection.py": "from pipelines.helper import restricted\n",
    "pipelines/helper.py": "from models.adapters.parquet_lake import ParquetLake\n",
    "serving/client/planted.py": "import serving.door.register\n",
    "serving/planted.py": "import pipelines\nimport sklearn\nfrom models.catalog import find\nimport models.detour\n",
}


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """Check a tree's contracts in a process of its own, whose modules are the tree's and not the installed ones."""
    command = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-I", "-c", command, "--no-logo", "--no-cache"],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def verdict_on_planted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the linter says about a copy of the tree with bad imports in it, by the name of the contract."""
    tree = tmp_path_factory.mktemp("tree")
    for package in LINTER["root_packages"]:
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    for module, imports in PLANTED.items():
        (tree / module).parent.mkdir(exist_ok=True)
        (tree / module).write_text(imports)
    settings = (ROOT / "pyproject.toml").read_text()
    listed = 'modules = ["models.credit_default"'
    (tree / "pyproject.toml").write_text(settings.replace(listed, 'modules = ["models.lookalike", "models.credit_default"'))
    checked = lint(tree)
    assert checked.returncode == 1, checked.stdout + checked.stderr
    broken = checked.stdout.partition("Broken contracts")[2]
    names = {identity: contract["name"] for identity, contract in CONTRACTS.items()}
    underlined = {identity: f"\n{name}\n{'-' * len(name)}\n" for identity, name in names.items()}
    starts = sorted((broken.index(title), identity) for identity, title in underlined.items() if title in broken)
    ends = [start for start, _ in starts[1:]] + [len(broken)]
    return {identity: broken[start:end] for (start, identity), end in zip(starts, ends, strict=True)}


def test_the_tree_keeps_every_contract() -> None:
    checked = lint(ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("contract", "caught"),
    [
        ("layers", "models.planted -> monitoring.decisions"),
        ("layers", "serving.planted -> pipelines"),
        ("tools", "models.planted -> pandas"),
        ("tools", "pipelines.planted -> mlflow"),
        ("entry-points", "monitoring.planted -> fastapi"),
        ("wiring", "models.planted -> models.adapters"),
        ("wiring", "pipelines.planted -> models.settings"),
        ("use-cases", "models.lookalike -> models.credit_default"),
        ("serving", "serving.planted -> sklearn"),
        ("serving", "serving.planted -> models.catalog"),
        ("client", "serving.client.planted -> serving.door.register"),
        ("audit-door", "pipelines.candidates -> pipelines.fairness.audit"),
        ("injectors", "pipelines.drills.injectors.planted -> monitoring.drift"),
        ("injectors-limits", "pipelines.drills.injectors.planted -> models.policy"),
        ("detectors", "pipelines.measures -> pipelines.simulation.pool"),
        ("audit-wall", "pipelines.candidates -> pipelines.fairness.audit"),
        ("audit-wall", "pipelines.helper -> models.adapters.parquet_lake"),
    ],
)
def test_a_bad_import_breaks_its_contract(verdict_on_planted: dict[str, str], contract: str, caught: str) -> None:
    assert f"{caught} (l." in verdict_on_planted[contract]


def test_serving_cannot_reach_a_pipeline_tool_through_a_module_in_between(verdict_on_planted: dict[str, str]) -> None:
    assert "serving is not allowed to import great_expectations" in verdict_on_planted["serving"]


def test_every_use_case_is_listed_where_use_cases_are_kept_apart_and_away_from_serving() -> None:
    use_cases = {f"models.{name}" for name in catalog.names()}
    assert set(CONTRACTS["use-cases"]["modules"]) == use_cases
    assert use_cases <= set(CONTRACTS["serving"]["forbidden_modules"])


def test_every_package_at_the_top_takes_part() -> None:
    packages = {found.parent.name for found in ROOT.glob("*/__init__.py")}
    assert packages - {"tests"} == set(LINTER["root_packages"])
