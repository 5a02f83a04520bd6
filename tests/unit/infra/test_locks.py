"""Locks are made by `make lock`, by a person; here it is seen that none was forgotten."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("lock", sorted((ROOT / "infra" / "images").glob("*.lock")), ids=lambda path: path.stem)
def test_the_lock_of_an_image_is_part_of_the_whole_lock(lock: Path) -> None:
    whole = (ROOT / "requirements.lock").read_text()
    assert [line for line in lock.read_text().splitlines() if line and line.split(";")[0].strip(" \\") not in whole] == []


def test_what_the_templates_for_aws_ask_for_is_in_their_lock() -> None:
    pinned = dict(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", (ROOT / "requirements-aws.lock").read_text(), re.MULTILINE))
    lines = (line.split("#")[0].strip() for line in (ROOT / "infra" / "aws" / "requirements.in").read_text().splitlines())
    wanted = [Requirement(line) for line in lines if line]
    assert len(wanted) > 5
    assert [str(each) for each in wanted if not each.specifier.contains(pinned.get(each.name, "0"))] == []
