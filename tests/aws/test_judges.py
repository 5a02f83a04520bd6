"""What cfn-lint, cdk-nag and checkov say of the templates. What they find and we accept stands in `infra.aws.findings`."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from cfnlint import lint
from cfnlint.config import ManualArgs

from infra.aws.environments import ENVIRONMENTS, REGION, Environment
from infra.aws.findings import accepted, accepted_of_checkov
from tests.aws.conftest import Synthesised, judged
from tests.checkov import scanned

pytestmark = pytest.mark.aws
ZONES = "W3010"
"""cfn-lint wants zones asked for at deployment; ours are data, so that three can be had without asking AWS."""
ORDER = "W3005"
"""It finds that CDK says twice in which order two resources are made."""


def test_cfn_lint_finds_nothing(environment: Synthesised) -> None:
    for part, template in environment.templates.items():
        assert linted(template) == [], part


def test_cfn_lint_would_find_a_slip(prod: Synthesised) -> None:
    template = json.loads(json.dumps(prod.templates["data"]))
    next(r for r in template["Resources"].values() if r["Type"] == "AWS::S3::Bucket")["Properties"]["Versioned"] = True
    assert linted(template)[0].startswith("E3002")


def linted(template: dict[str, Any]) -> list[str]:
    wanted = ManualArgs(regions=[REGION], ignore_checks=[ZONES, ORDER])
    return [f"{match.rule.id} {match.path}: {match.message}" for match in lint(json.dumps(template), config=wanted)]


def test_cdk_nag_finds_nothing_that_is_not_accepted(environment: Synthesised) -> None:
    assert environment.found == ()


def test_cdk_nag_would_find_an_open_bucket(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), analytics_reporting=False)
    s3.Bucket(cdk.Stack(app, "slip"), "Open")
    assert "AwsSolutions-S10 slip/Open/Resource" in judged(app, tmp_path)


def test_every_acceptance_has_a_reason() -> None:
    assert all(len(reason) > 30 for environment in ENVIRONMENTS for _, _, reason in accepted(environment))


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda e: e.name)
def test_checkov_finds_what_is_accepted_and_nothing_else(
    environment: Environment, all_environments: dict[str, Synthesised]
) -> None:
    found, passed = found_in(all_environments[environment.name].folder)
    assert passed > 400
    known = accepted_of_checkov(environment)
    assert {check: name for check, name in found if not name.startswith(known.get(check, "-"))} == {}
    assert {check for check, _ in found} == set(known), "accepted, but no longer found"


def test_checkov_would_find_an_open_bucket(prod: Synthesised, tmp_path: Path) -> None:
    template = json.loads(json.dumps(prod.templates["data"]))
    lake = next(name for name in template["Resources"] if name.startswith("Lake"))
    del template["Resources"][lake]["Properties"]["PublicAccessBlockConfiguration"]
    (tmp_path / "open.template.json").write_text(json.dumps(template))
    assert ("CKV_AWS_53", lake) in found_in(tmp_path)[0]


def found_in(folder: Path) -> tuple[set[tuple[str, str]], int]:
    """Check and resource of whatever failed, and how many passed."""
    failed, passed = scanned(sorted(folder.glob("*.template.json")), "cloudformation")
    return {(check, resource.rsplit(".", 1)[-1]) for check, resource in failed}, passed
