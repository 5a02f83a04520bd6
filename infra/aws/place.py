"""AWS as a place of `infra.topology`: the commands and settings of containers here are those of `make up` and of the chart."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.topology.description import Service
from infra.topology.services import BUCKET, LAKE, services

SERVING_TLS, CONSOLE_TLS = 443, 8_443
"""Ports of the load balancer."""
PORTS = {"serving": 8_080, "console": 8_090, "mlflow": 5_000, "prefect": 4_200, "schedules-metrics": 4_201, "postgres": 5_432}
"""As in the chart. Services that AWS has itself (store, proxy, Prometheus) have none."""
DOMAIN = "steward.internal"
NAMES = {"serving-1": "serving", "schedules": "worker"}
"""What the topology calls otherwise: here one service has as many replicas as it needs."""
RUN_HERE = ("mlflow", "prefect", "schedules", "serving-1", "console")
_LEFT_OUT = {
    "PGPASSFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "MLFLOW_S3_ENDPOINT_URL",
    "AWS_ENDPOINT_URL",
}
"""Passwords come from Secrets Manager as PGPASSWORD, the rights to S3 from the task's role."""


@dataclass(frozen=True)
class Aws:
    """Where the services of an environment run; the database's address is known only when it is deployed."""

    database: str
    artefacts: str
    """Name of the bucket of MLflow's artefacts."""
    lake: str
    """Name of the lake's bucket."""
    bind: str = "0.0.0.0"  # noqa: S104, security groups say who may call
    home: str = "/var/lib/steward"
    secrets: str = "/run/secrets"

    def program(self, name: str) -> tuple[str, ...]:
        return (name,)

    def host(self, service: str) -> str:
        return self.database if service == "postgres" else f"{service}.{DOMAIN}"

    def port(self, name: str) -> int:
        return PORTS.get(NAMES.get(name, name), 0)

    def data(self, service: str) -> str:
        return f"/var/lib/{service}"

    def config(self, name: str) -> str:
        return name


def described(place: Aws) -> dict[str, Service]:
    """What runs on Fargate, by its name here."""
    return {NAMES.get(s.name, s.name): s for s in services(place) if s.name in RUN_HERE}


def command(service: Service, place: Aws) -> list[str]:
    return [word.replace(f"s3://{BUCKET}", f"s3://{place.artefacts}") for word in service.command]


def environment(service: Service, place: Aws, region: str) -> Mapping[str, str]:
    """Its settings. The password is not among them."""
    kept = {name: value for name, value in service.environment.items() if name not in _LEFT_OUT}
    if "STEWARD_LAKE" in kept:
        kept |= {"STEWARD_LAKE": kept["STEWARD_LAKE"].replace(f"s3://{LAKE}", f"s3://{place.lake}/lake"), "AWS_REGION": region}
    strict = {"STEWARD_PROFILE": "production"} if service.uses_home else {}
    return kept | strict | {"PGSSLMODE": "require", "AWS_DEFAULT_REGION": region, "MPLCONFIGDIR": "/tmp/matplotlib"}  # noqa: S108
