"""PostgreSQL of the topology: a base backup of the running cluster, and its return as it was then or at a later moment."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from infra.backup.recovery import recovered
from infra.topology.clusters import ask, being_made, run, scratch
from infra.topology.description import Place
from infra.topology.services import DATABASES
from infra.topology.supervised import postgres_binary
from models.errors import Misconfigured, Unavailable

_TABLES = (
    "SELECT format('SELECT %L, count(*) FROM %I.%I;', c.relname, n.nspname, c.relname) FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = 'public' ORDER BY 1"
)
_ARCHIVER = (
    "SELECT current_setting('archive_mode'), coalesce(last_failed_wal, ''),"
    " coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) FROM pg_stat_archiver"
)
_COMMIT = "SELECT pg_current_xact_id()"
"""Writes one: the log then tells PostgreSQL that moments before it are over."""


def take(place: Place, to: Path) -> tuple[dict[str, dict[str, int]], str]:
    """A base backup, and everything before it in the archive; rows by table as they came back from it, and when it was whole."""
    _ensure_archiving(place)
    _ask(place, "psql", "-X", "-q", "-o", "/dev/null", "-d", "postgres", "-c", _COMMIT)
    _ask(place, "pg_basebackup", "--pgdata", str(to), "--format=tar", "--gzip", "--wal-method=stream", "--checkpoint=fast")
    whole_at = datetime.now(UTC).isoformat()
    with scratch(Path(place.data("postgres-tried"))) as tried, recovered(place, to, tried, moment=None, archive=None):
        return _rows(partial(ask, tried, place)), whole_at


def bring_back(place: Place, base: Path, *, moment: datetime | None, archive: Path | None) -> dict[str, dict[str, int]]:
    """A cluster where none is, under the passwords of the place; rows by table. See `recovered` for what it raises."""
    with being_made(place) as made, recovered(place, base, made, moment=moment, archive=archive):
        return _rows(partial(ask, made, place))


def rows(place: Place) -> dict[str, dict[str, int]]:
    """Rows by table, by database, now."""
    return _rows(partial(_ask, place, "psql", "-X"))


def _rows(ask: Callable[..., str]) -> dict[str, dict[str, int]]:
    counted = {}
    for name in DATABASES:
        tables = ask("-A", "-t", "-d", name, "-c", _TABLES)
        answer = ask("-A", "-t", "-F", "\t", "-d", name, "-c", tables) if tables.strip() else ""
        counted[f"postgres/{name}"] = {table: int(number) for table, number in (line.split("\t") for line in answer.splitlines())}
    return counted


def _ensure_archiving(place: Place) -> None:
    """Otherwise a base backup would wait for ever."""
    mode, failed, failing = (
        _ask(place, "psql", "-X", "-A", "-t", "-F", "\t", "-d", "postgres", "-c", _ARCHIVER).rstrip("\n").split("\t")
    )
    if mode != "on":
        raise Misconfigured("PostgreSQL was started without an archive of its log", hint="start the topology again")
    if failing == "t":
        raise Unavailable(
            f"PostgreSQL cannot archive segment {failed} of its log",
            hint="why, says its log (docs/runbooks/platform/archiving.md); what it could not archive fills its own disk",
        )


def _ask(place: Place, tool: str, *arguments: str) -> str:
    where = ("-h", place.host("postgres"), "-p", str(place.port("postgres")), "-U", "postgres")
    return run([postgres_binary(tool), *where, *arguments], None, PGPASSFILE=f"{place.secrets}/pgpass_superuser")
