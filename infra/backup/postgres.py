"""PostgreSQL databases of the topology, by PostgreSQL's own tools."""

import subprocess
from pathlib import Path

from infra.topology.services import DATABASES
from infra.topology.supervised import LOOPBACK, LocalPlace, clean_environment, postgres_binary
from models.errors import Unavailable

_TABLES = (
    "SELECT format('SELECT %L, count(*) FROM %I.%I;', c.relname, n.nspname, c.relname) FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = 'public' ORDER BY 1"
)


def dump(place: LocalPlace, to: Path) -> dict[str, dict[str, int]]:
    """Every database into a file of its own; rows by table, counted in what was dumped as it is, not later."""
    to.mkdir(mode=0o700, parents=True)
    for name in DATABASES:
        _run(place, "pg_dump", "--format=custom", "--no-owner", f"--file={to / name}.dump", name)
    return {f"postgres/{name}": rows_of_dump(to / f"{name}.dump") for name in DATABASES}


def bring_back(place: LocalPlace, folder: Path) -> None:
    """Into databases that are empty, all or nothing for each. Raises `Unavailable` with the tool's own words."""
    for name in DATABASES:
        options = ["--exit-on-error", "--single-transaction", "--no-owner", f"--role={name}", f"--dbname={name}"]
        _run(place, "pg_restore", *options, str(folder / f"{name}.dump"))


def rows(place: LocalPlace) -> dict[str, dict[str, int]]:
    """Rows by table, by database, now."""
    counted = {}
    for name in DATABASES:
        ask = _run(place, "psql", "-X", "-A", "-t", "-d", name, "-c", _TABLES)
        answer = _run(place, "psql", "-X", "-A", "-t", "-F", "\t", "-d", name, "-c", ask) if ask.strip() else ""
        counted[f"postgres/{name}"] = {table: int(number) for table, number in (line.split("\t") for line in answer.splitlines())}
    return counted


def rows_of_dump(file: Path) -> dict[str, int]:
    """Lines between COPY and its end, as the dump itself holds them."""
    command = [str(postgres_binary("pg_restore")), "--data-only", "--file=-", str(file)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    counted, table = dict[str, int](), ""
    for line in text.splitlines():
        if table and line == "\\.":
            table = ""
        elif table:
            counted[table] += 1
        elif line.startswith("COPY public."):
            table = line.split()[1].removeprefix("public.").strip('"')
            counted[table] = 0
    return counted


def _run(place: LocalPlace, tool: str, *arguments: str) -> str:
    where = ["-h", LOOPBACK, "-p", str(place.port("postgres")), "-U", "postgres"]
    environment = clean_environment() | {"PGPASSFILE": f"{place.secrets}/pgpass_superuser"}
    done = subprocess.run(
        [str(postgres_binary(tool)), *where, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unavailable(
            f"{tool} failed: {done.stderr.strip()[-500:]}", hint="make status-local; the reason stands in its words"
        )
    return done.stdout
