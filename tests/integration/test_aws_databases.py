"""The task that makes the databases, against a PostgreSQL whose `postgres` is no superuser. RDS itself is not here."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.topology.databases import PASSWORDS as PASSWORDS_SQL
from infra.topology.databases import SQL
from infra.topology.supervised import postgres_binary
from tests.postgres import listening
from tests.readers import shared_folder

pytestmark = pytest.mark.integration
SCRIPT = Path(__file__).parents[2] / "infra" / "aws" / "databases.sh"
PASSWORDS = {user: f"of-{user}" for user in ("superuser", "mlflow", "prefect", "decisions")}


@pytest.fixture
def socket() -> Iterator[Path]:
    """Where a server listens whose `postgres` may make roles and databases, and no more."""
    with shared_folder() as folder, listening(folder, "rdsadmin"):
        make = "CREATE ROLE postgres LOGIN CREATEROLE CREATEDB; ALTER DATABASE postgres OWNER TO postgres"
        for statement in make.split("; "):
            psql = [str(postgres_binary("psql")), "-q", "-h", str(folder), "-U", "rdsadmin", "-d", "postgres", "-c", statement]
            subprocess.run(psql, check=True, stdout=subprocess.DEVNULL)
        yield folder


def make_databases(socket: Path, scratch: Path, options: str) -> subprocess.CompletedProcess[str]:
    """As the task is set up in `infra.aws.setup`."""
    given = {
        "SQL": SQL.read_text() + PASSWORDS_SQL.read_text(),
        "SECRETS": str(scratch),
        "PGHOST": str(socket),
        "PGUSER": "postgres",
        "PGDATABASE": "postgres",
        "PGOPTIONS": options,
        "PATH": f"{postgres_binary('psql').parent}{os.pathsep}{os.environ['PATH']}",
        **{f"PASSWORD_{user}": password for user, password in PASSWORDS.items()},
    }
    command = ["sh", "-c", SCRIPT.read_text()]
    return subprocess.run(command, env=os.environ | given, capture_output=True, text=True, check=False)


def test_who_is_no_superuser_can_make_the_databases_and_no_password_stays_behind(socket: Path, tmp_path: Path) -> None:
    done = make_databases(socket, tmp_path, "-c createrole_self_grant=set,inherit")
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []
    owners = "SELECT datname || '=' || pg_get_userbyid(datdba) FROM pg_database WHERE NOT datistemplate ORDER BY 1"
    assert asked(socket, owners) == ["decisions=decisions", "mlflow=mlflow", "postgres=postgres", "prefect=prefect"]
    strangers = "SELECT rolname || datname FROM pg_roles, pg_database WHERE has_database_privilege(rolname, datname, 'CONNECT')"
    each = "rolname <> datname AND rolname IN ('mlflow', 'prefect', 'decisions') AND NOT datistemplate"
    assert asked(socket, f"{strangers} AND {each}") == []


def asked(socket: Path, query: str) -> list[str]:
    command = [str(postgres_binary("psql")), "-h", str(socket), "-U", "rdsadmin", "-d", "postgres", "-Atc", query]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_without_the_option_it_would_fail(socket: Path, tmp_path: Path) -> None:
    done = make_databases(socket, tmp_path, "")
    assert done.returncode != 0
    assert "SET ROLE" in done.stderr
