"""The control map says what the tests and the pack can show, and no more."""

import ast
import re
from pathlib import Path

import pytest

from pipelines.pack import files
from pipelines.pack.build import build
from pipelines.pack.controls import CONTROLS, RULES, Control
from tests.packs import artefacts, plain_page

ROOT = Path(__file__).parents[4]
BY_NAME = pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)


@BY_NAME
def test_every_test_that_a_control_names_exists(control: Control) -> None:
    for node in control.tests:
        path, name = node.split("::")
        defined = {each.name for each in ast.parse((ROOT / path).read_text()).body if isinstance(each, ast.FunctionDef)}
        assert name in defined, f"{node} was renamed or removed: correct the control {control.name!r}"


@BY_NAME
def test_every_artefact_that_a_control_names_is_in_the_pack(control: Control) -> None:
    assert set(control.artefacts) <= build(artefacts(), plain_page).files.keys()


@BY_NAME
def test_every_control_supports_a_rule_and_is_shown_by_a_test_and_an_artefact(control: Control) -> None:
    assert control.tests
    assert control.artefacts
    assert control.rules
    assert set(control.rules) <= RULES.keys()


def test_every_rule_has_a_control_and_every_control_its_own_name() -> None:
    assert {rule for control in CONTROLS for rule in control.rules} == RULES.keys()
    assert len({control.name for control in CONTROLS}) == len(CONTROLS)


def test_nothing_in_a_pack_claims_to_comply() -> None:
    sources = [*(ROOT / "pipelines" / "pack").glob("*.py"), ROOT / "pipelines" / "templates" / "pack.html"]
    said = " ".join(path.read_text() for path in sources)
    assert files.CONTROLS in said
    assert not re.search(r"\b(compliant|compliance|complies|conformant|certified|guarantees?)\b", said, re.IGNORECASE)
