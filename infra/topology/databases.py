"""PostgreSQL's first use: the cluster, and the databases in it. It takes no connection from outside before it has passwords."""

from pathlib import Path

from infra.topology.clusters import alone, ask, being_made, let_in, run
from infra.topology.services import ARCHIVE
from infra.topology.supervised import ROOT, LocalPlace, postgres_binary, postgres_user

SQL, PASSWORDS = (ROOT / "infra" / "postgres" / name for name in ("databases.sql", "passwords.sql"))


def ensure_databases(place: LocalPlace) -> bool:
    """Make the cluster if there is none; whether it was made. Raises `Unavailable`."""
    ensure_archive(place)
    if (Path(place.data("postgres")) / "PG_VERSION").exists():
        return False
    with being_made(place) as made:
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--username=postgres", "--no-instructions"]
        run([postgres_binary("initdb"), "-D", made, *options], postgres_user())
        with alone(made):
            ask(made, place, "-f", str(SQL), "-f", str(PASSWORDS))
    return True


def ensure_archive(place: LocalPlace) -> None:
    """Also for a cluster that was made before there was one."""
    archive = Path(place.data(ARCHIVE))
    archive.mkdir(mode=0o700, parents=True, exist_ok=True)
    let_in(archive)
