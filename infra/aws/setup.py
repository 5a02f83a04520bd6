"""Tasks that are run by hand or by the delivery, and end: the databases once, the decision log's schema before each release."""

from pathlib import Path

from infra.aws.containers import Container, Tasks
from infra.aws.data import Data
from infra.aws.environments import REGION, Size
from infra.aws.place import Aws
from infra.topology.services import DATABASES, platform

SMALL = Size(256, 1_024)
_SQL = [Path(__file__).parents[1] / "postgres" / name for name in ("databases.sql", "passwords.sql")]
_SCRIPT = Path(__file__).with_name("databases.sh")


def define(tasks: Tasks, data: Data, place: Aws) -> None:
    tasks.define(_databases(data, place))
    tasks.define(_migrations(data, place))


def _databases(data: Data, place: Aws) -> Container:
    """`infra/postgres`, as it is: `passwords.sql` reads passwords from files, so they are written for as long as it runs."""
    master = data.database.secret
    assert master is not None
    return Container(
        name="databases",
        image="postgres",
        size=SMALL,
        command=["sh", "-c", _SCRIPT.read_text()],
        settings={
            "SQL": "".join(path.read_text() for path in _SQL),
            "SECRETS": "/tmp",  # noqa: S108, the volume that is mounted there
            "PGHOST": place.database,
            "PGUSER": "postgres",
            "PGDATABASE": "postgres",
            "PGSSLMODE": "require",
            # RDS has no superuser: whoever makes a role must say that it may act for it.
            "PGOPTIONS": "-c createrole_self_grant=set,inherit",
        },
        secrets={
            "PGPASSWORD": (master, "password"),
            "PASSWORD_superuser": (master, "password"),
            **{f"PASSWORD_{user}": (data.passwords[user], "") for user in DATABASES},
        },
        folders={"/tmp": "scratch/databases"},  # noqa: S108, likewise
    )


def _migrations(data: Data, place: Aws) -> Container:
    """As the chart's hook: the schema only grows, so the release before goes on beside it."""
    return Container(
        name="migrations",
        image="console",
        size=SMALL,
        command=["python", "-m", "monitoring.migrate"],
        settings={
            "STEWARD_DATABASE_URL": platform(place)["STEWARD_DATABASE_URL"],
            "PGSSLMODE": "require",
            "AWS_DEFAULT_REGION": REGION,
        },
        secrets={"PGPASSWORD": (data.passwords["decisions"], "")},
        folders={"/tmp": "scratch/migrations"},  # noqa: S108, likewise
    )
