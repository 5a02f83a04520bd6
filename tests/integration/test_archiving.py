"""A PostgreSQL whose log cannot be archived says so in the numbers of the platform, and again when it can."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from infra.topology import ports, running, secret_files
from infra.topology.clusters import run
from infra.topology.databases import ensure_databases
from infra.topology.services import platform
from infra.topology.supervised import LocalPlace, lay_out, postgres_binary
from monitoring import wiring
from monitoring.adapters.sql_archiving import LogArchive
from monitoring.archiving import Archiving
from monitoring.settings import MonitoringSettings
from monitoring.telemetry.standing import look
from tests.e2e.test_topology import eventually
from tests.readers import shared_folder
from tests.topology import FIRST as TOPOLOGY
from tests.topology import ensure_packages

pytestmark = [pytest.mark.integration, pytest.mark.timeout(200)]
FIRST = TOPOLOGY + 4 * ports.SIZE


@pytest.fixture(scope="module")
def place() -> Iterator[LocalPlace]:
    ensure_packages()
    with shared_folder() as folder, pytest.MonkeyPatch.context() as patch:
        made = LocalPlace(folder / "up", FIRST)
        secret_files.make(Path(made.secrets))
        parts = [service for service in lay_out(made) if service.name == "postgres"]
        ensure_databases(made)
        running.start(made, parts, lambda _: None)
        patch.setenv("PGPASSFILE", platform(made)["PGPASSFILE"])
        try:
            yield made
        finally:
            running.stop(made, parts)


def told(place: LocalPlace) -> Archiving:
    """As the user of the decision log, who may see no more than any other."""
    found = LogArchive(platform(place)["STEWARD_DATABASE_URL"])()
    assert found is not None
    return found


def close_segment(place: LocalPlace) -> None:
    """So that there is something to archive."""
    where = ["-h", "127.0.0.1", "-p", str(place.port("postgres")), "-U", "postgres", "-d", "postgres"]
    asked = "SELECT pg_logical_emit_message(false, 'a', 'b'), pg_switch_wal()"
    run([postgres_binary("psql"), "-X", "-q", *where, "-c", asked], None, PGPASSFILE=f"{place.secrets}/pgpass_superuser")


@contextmanager
def broken(place: LocalPlace) -> Iterator[None]:
    """Its folder is a file: archive.sh fails."""
    archive = Path(place.data("archive"))
    kept = archive.rename(archive.with_name("kept"))
    archive.write_text("")
    try:
        yield
    finally:
        archive.unlink()
        kept.rename(archive)


def well(place: LocalPlace) -> bool:
    found = told(place)
    return not found.failing and found.behind < 16 * 2**20


def test_an_archive_that_fails_is_seen_and_so_is_its_end(place: LocalPlace) -> None:
    close_segment(place)
    eventually(lambda: any(Path(place.data("archive")).glob("*.gz")))
    eventually(partial(well, place))
    with broken(place):
        for _ in range(3):
            close_segment(place)
        eventually(lambda: told(place).failing and told(place).behind >= 3 * 16 * 2**20)
    close_segment(place)
    eventually(partial(well, place))


def test_console_and_scheduler_tell_it_as_numbers(place: LocalPlace, tmp_path: Path) -> None:
    settings = MonitoringSettings(home=tmp_path, database_url=platform(place)["STEWARD_DATABASE_URL"])
    names = {family.name for family in look(wiring.places(settings, str))}
    assert {"steward_archive_failing", "steward_archive_behind_bytes"} <= names


def test_where_nothing_is_archived_nothing_is_told() -> None:
    assert LogArchive("sqlite:///nowhere.db")() is None
