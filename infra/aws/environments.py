"""What differs between the environments, as data. Whatever is not here is the same in all of them."""

from dataclasses import dataclass

REGION = "us-east-1"


@dataclass(frozen=True)
class Size:
    """Of one task on Fargate: 1,024 CPU units are one virtual processor."""

    cpu: int
    memory: int
    """Megabytes."""

    @property
    def processors(self) -> float:
        return self.cpu / 1_024

    @property
    def gigabytes(self) -> float:
        return self.memory / 1_024


@dataclass(frozen=True)
class Environment:
    name: str
    cidr: str
    clients: str
    """Whose addresses may call the service and open the console: the bank's own network, by peering or VPN."""
    zones: tuple[str, ...]
    database: str
    """Class of the database's machine, without `db.`."""
    database_gigabytes: int
    standby: bool
    """Whether the database has a standby in another zone, which takes over by itself."""
    backup_days: int
    protected: bool
    """Whether data outlive their stack, and nobody deletes the database by a slip."""
    serving: Size
    replicas: int
    most_replicas: int
    console: Size
    worker: Size
    server: Size
    """MLflow's and Prefect's servers, each."""
    spark_processors: int
    """At most so many virtual processors of Spark at a time."""
    budget: int
    """US dollars a month; at 80 % of them somebody is told."""
    log_days: int


ENVIRONMENTS = (
    Environment(
        name="dev",
        cidr="10.40.0.0/16",
        clients="10.0.0.0/8",
        zones=("a", "b"),
        database="t4g.small",
        database_gigabytes=20,
        standby=False,
        backup_days=1,
        protected=False,
        serving=Size(512, 1_024),
        replicas=1,
        most_replicas=2,
        console=Size(256, 1_024),
        worker=Size(1_024, 4_096),
        server=Size(512, 2_048),
        spark_processors=16,
        budget=400,
        log_days=7,
    ),
    Environment(
        name="staging",
        cidr="10.41.0.0/16",
        clients="10.0.0.0/8",
        zones=("a", "b"),
        database="t4g.medium",
        database_gigabytes=50,
        standby=False,
        backup_days=7,
        protected=False,
        serving=Size(1_024, 2_048),
        replicas=2,
        most_replicas=3,
        console=Size(512, 1_024),
        worker=Size(2_048, 8_192),
        server=Size(512, 2_048),
        spark_processors=64,
        budget=700,
        log_days=30,
    ),
    Environment(
        name="prod",
        cidr="10.42.0.0/16",
        clients="10.0.0.0/8",
        zones=("a", "b", "c"),
        database="m6g.large",
        database_gigabytes=200,
        standby=True,
        backup_days=35,
        protected=True,
        serving=Size(2_048, 4_096),
        replicas=3,
        most_replicas=12,
        console=Size(1_024, 2_048),
        worker=Size(4_096, 16_384),
        server=Size(1_024, 4_096),
        spark_processors=400,
        budget=2_000,
        log_days=365,
    ),
)
