"""`python -m infra.aws.costs`: what each environment costs a month, from `environments`, prices.toml and usage.toml."""

import argparse
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from infra.aws.environments import ENVIRONMENTS, Environment

HERE = Path(__file__).parent
HOURS = 730
"""Of a month, as everybody counts them."""
ENDPOINTS, SECRETS, KEYS, ALARMS = 4, 4, 3, 6
"""As the templates have them; a test counts. Endpoints are paid for in each zone."""
GIGABYTES_PER_SPARK_PROCESSOR = 4
BEGIN, END = "<!-- costs: make aws-costs -->", "<!-- end of costs -->"


def prices() -> dict[str, float]:
    return {name: float(said["price"]) for name, said in tomllib.loads((HERE / "prices.toml").read_text()).items()}


def usage(name: str) -> dict[str, float]:
    return {what: float(much) for what, much in tomllib.loads((HERE / "usage.toml").read_text())[name].items()}


def monthly(environment: Environment, price: Mapping[str, float], used: Mapping[str, float]) -> dict[str, float]:
    """Dollars, by what they are paid for."""
    running = {
        "serving": (environment.serving, environment.replicas),
        "console": (environment.console, 1),
        "worker": (environment.worker, 1),
        "MLflow and Prefect": (environment.server, 2),
    }
    hour, gigabyte = price["fargate_processor_hour"], price["fargate_gigabyte_hour"]
    costs = {
        f"Fargate: {name}": HOURS * tasks * (size.processors * hour + size.gigabytes * gigabyte)
        for name, (size, tasks) in running.items()
    }
    copies = 2 if environment.standby else 1
    machine = price[f"database_hour_{environment.database.replace('.', '_')}"]
    return costs | {
        "PostgreSQL (RDS)": copies * (HOURS * machine + environment.database_gigabytes * price["database_gigabyte_month"]),
        "Home (EFS)": used["home_gigabytes"] * price["home_gigabyte_month"]
        + used["home_written_gigabytes"] * price["home_written_gigabyte"],
        "Buckets (S3)": used["bucket_gigabytes"] * price["bucket_gigabyte_month"],
        "Load balancer": HOURS * (price["balancer_hour"] + used["balancer_units"] * price["balancer_unit_hour"]),
        "Endpoints": HOURS * ENDPOINTS * len(environment.zones) * price["endpoint_hour"],
        "Spark (EMR Serverless)": used["spark_processor_hours"]
        * (price["spark_processor_hour"] + GIGABYTES_PER_SPARK_PROCESSOR * price["spark_gigabyte_hour"]),
        "Keys, secrets, alarms, logs": KEYS * price["key_month"]
        + SECRETS * price["secret_month"]
        + ALARMS * price["alarm_month"]
        + used["log_gigabytes"] * price["log_gigabyte"],
    }


def table() -> str:
    price = prices()
    costs = {e.name: monthly(e, price, usage(e.name)) for e in ENVIRONMENTS}
    rows = next(iter(costs.values()))
    lines = [f"| US dollars a month | {' | '.join(costs)} |", f"|---|{'---:|' * len(costs)}"]
    lines += [f"| {what} | {' | '.join(f'{cost[what]:,.0f}' for cost in costs.values())} |" for what in rows]
    total = (f"**{sum(cost.values()):,.0f}**" for cost in costs.values())
    limit = (f"{e.budget:,}" for e in ENVIRONMENTS)
    return "\n".join([*lines, f"| **together** | {' | '.join(total)} |", f"| budget | {' | '.join(limit)} |"])


def written(text: str) -> str:
    """The document with the table of today between its marks."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.aws.costs", description="What each environment costs a month.")
    parser.add_argument("--write", type=Path, help="put the table into this document, between its marks")
    document = parser.parse_args().write
    if document:
        document.write_text(written(document.read_text()))
    sys.stdout.write(f"{table()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
