"""The table of costs is the one that the prices and the environments give, and every price says where it is from."""

import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from infra.aws.costs import HERE, monthly, prices, table, usage
from infra.aws.environments import ENVIRONMENTS, Environment

DOCUMENT = Path(__file__).parents[3] / "docs" / "aws.md"
PROD = next(e for e in ENVIRONMENTS if e.name == "prod")


def test_the_document_has_the_table_of_today() -> None:
    assert table() in DOCUMENT.read_text(), "make aws-costs"


def test_every_price_has_a_date_and_a_source_or_is_called_an_assumption() -> None:
    for name, said in tomllib.loads((HERE / "prices.toml").read_text()).items():
        assert isinstance(said["looked_up"], date), name
        assert said["source"], name
        assert said.get("assumed", False) == (said["source"] == "from memory of AWS's list"), name


def test_a_standby_doubles_what_the_database_costs() -> None:
    alone, both = (monthly(replace(PROD, standby=s), prices(), usage("prod"))["PostgreSQL (RDS)"] for s in (False, True))
    assert both == pytest.approx(2 * alone)


def test_a_replica_of_serving_costs_its_processors_and_memory() -> None:
    price = dict.fromkeys(prices(), 0.0) | {"fargate_processor_hour": 1.0, "fargate_gigabyte_hour": 0.1}
    assert monthly(PROD, price, usage("prod"))["Fargate: serving"] == pytest.approx(730 * 3 * (2 * 1.0 + 4 * 0.1))


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda e: e.name)
def test_no_environment_is_planned_over_its_budget(environment: Environment) -> None:
    assert sum(monthly(environment, prices(), usage(environment.name)).values()) < 0.8 * environment.budget
