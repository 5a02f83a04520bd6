"""The drill: a topology's databases, ledger and store come back as they were at a moment, from a backup before it and the log."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from infra.backup.__main__ import main as backup
from infra.topology import ports, running, secret_files
from infra.topology.databases import ensure_databases
from infra.topology.services import platform
from infra.topology.supervised import LocalPlace, lay_out
from models.adapters.file_ledger import FileLedger
from pipelines.scoring.step import carry_out, plan_batch
from pipelines.wiring import platform as the_platform
from tests.readers import shared_folder
from tests.topology import FIRST as TOPOLOGY
from tests.topology import ensure_packages
from tests.trained import Trained

pytestmark = [pytest.mark.integration, pytest.mark.timeout(280)]
FIRST, OTHER = TOPOLOGY + 2 * ports.SIZE, TOPOLOGY + 3 * ports.SIZE
COUNT = "SELECT count(*), count(DISTINCT decision_id) FROM decisions"


@dataclass(frozen=True)
class Drill:
    """What there was, and what went wrong: at `moment` two months had been decided and the model had been stopped and resumed."""

    place: LocalPlace
    folder: Path
    decided: int
    entries: int
    before: datetime
    moment: datetime

    def restore(self, to: Path, at: datetime | None, **other: Path) -> int:
        """Its exit code."""
        named = {"archive": Path(self.place.data("archive")), "keys": self.folder / "keys"} | other
        words = [word for name, path in named.items() for word in (f"--{name}", str(path))]
        when = ["--at", at.isoformat()] if at else []
        where = ["--folder", str(self.folder / "monday"), "--topology", str(to), "--ports", str(OTHER)]
        return backup(["restore", *where, *when, *words])


@pytest.fixture(scope="module")
def drill(trained: Trained) -> Iterator[Drill]:
    ensure_packages()
    with shared_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("BACKUP_PASSPHRASE", "four words are enough")
        place = LocalPlace(folder / "up", FIRST)
        shutil.copytree(trained.in_force, place.home)
        (Path(place.home) / "decisions.db").unlink(missing_ok=True)
        with services(place, "postgres", "store"):
            yield story(place, folder)


def story(place: LocalPlace, folder: Path) -> Drill:
    def back_up(to: str) -> None:
        where = ["--topology", str(place.folder), "--ports", str(FIRST), "--keys", str(folder / to) + ".keys"]
        assert backup(["take", "--folder", str(folder / to), *where]) == 0

    decide(place, "2005-05")
    before = datetime.now(UTC)
    back_up("monday")
    decide(place, "2005-06")
    command(place, "stop", "--by", "k.ito", "--reason", "unexplained jump")
    command(place, "resume", "--by", "k.ito", "--reason", "understood")
    (decided, _), entries = asked(place, COUNT), len(FileLedger(Path(place.home) / "ledger.jsonl").entries())
    moment = datetime.now(UTC)
    decide(place, "2005-07")
    command(place, "stop", "--by", "k.ito", "--reason", "after the moment")
    assert asked(place, COUNT)[0] > decided
    with connected(place) as connection:
        connection.execute("DROP TABLE decisions CASCADE")
    back_up("after")
    shutil.copy(folder / "after.keys", folder / "keys")
    return Drill(place, folder, decided, entries, before, moment)


@contextmanager
def services(place: LocalPlace, *names: str) -> Iterator[None]:
    """These of a place, and nothing else of it."""
    secret_files.make(Path(place.secrets))
    parts = [service for service in lay_out(place) if service.name in names]
    ensure_databases(place)
    running.start(place, parts, lambda _: None)
    try:
        yield
    finally:
        running.stop(place, parts)


def told(place: LocalPlace) -> dict[str, str]:
    """The variables that name its home and its databases."""
    return {name: platform(place)[name] for name in ("STEWARD_HOME", "STEWARD_DATABASE_URL", "PGPASSFILE")}


def command(place: LocalPlace, *words: str) -> str:
    """One of the platform's, as a process of its own; what it said."""
    line = [sys.executable, "-m", "pipelines", *words]
    done = subprocess.run(line, env=os.environ | told(place), capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def decide(place: LocalPlace, month: str) -> None:
    """Every account of a month, by the champion, into the decision log."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told(place).items():
            patch.setenv(name, value)
        parts = the_platform()
        with closing(parts._log_of_decisions):
            carry_out(parts, plan_batch(parts, month, "", "", ""))


@contextmanager
def connected(place: LocalPlace, passfile: str = "") -> Iterator[psycopg.Connection]:
    where = f"host=127.0.0.1 port={place.port('postgres')} user=decisions dbname=decisions"
    with closing(psycopg.connect(where, passfile=passfile or f"{place.secrets}/pgpass_decisions", autocommit=True)) as made:
        yield made


def asked(place: LocalPlace, query: str) -> tuple[int, ...]:
    with connected(place) as connection:
        found = connection.execute(query).fetchone()
    assert found is not None
    return tuple(found)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    with shared_folder() as folder:
        yield folder / "up"


@pytest.fixture
def archive(drill: Drill, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return shutil.copytree(drill.place.data("archive"), tmp_path / "archive")


def test_a_moment_comes_back_with_exactly_its_rows_and_its_ledger(drill: Drill, elsewhere: Path) -> None:
    assert drill.restore(elsewhere, drill.moment, later=drill.folder / "after") == 0
    place = LocalPlace(elsewhere, OTHER)
    with services(place, "postgres"):
        assert asked(place, COUNT) == (drill.decided, drill.decided)
        entries = FileLedger(Path(place.home) / "ledger.jsonl").entries()
        assert len(entries) == drill.entries
        assert entries[-1].facts["reason"] == "understood"
        assert "Every decision and review is as it was answered" in command(place, "verify")
        assert anchored_further(drill, Path(place.home)), "an anchor speaks up when a ledger ends before what it knows"
        with (
            pytest.raises(psycopg.OperationalError, match="password"),
            connected(place, f"{drill.place.secrets}/pgpass_decisions"),
        ):
            pass
        decide(place, "2005-07")
        assert asked(place, COUNT)[0] > drill.decided


def anchored_further(drill: Drill, home: Path) -> bool:
    """Whether the head that was last anchored before the accident is more than this ledger holds."""
    anchor = drill.folder / "anchor"
    anchor.write_bytes((Path(drill.place.home) / "ledger.head.json").read_bytes() + b"\n")
    ledger = FileLedger(home / "ledger.jsonl", anchor=anchor)
    return max(int(head.document["number"]) for _, head in ledger.heads()) > len(ledger.entries())


def test_without_a_later_backup_the_home_is_that_of_the_one_before(
    drill: Drill, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert drill.restore(elsewhere, drill.moment) == 0
    assert "LATER=backup brings what came between" in capsys.readouterr().out
    place = LocalPlace(elsewhere, OTHER)
    with services(place, "postgres"):
        assert asked(place, COUNT) == (drill.decided, drill.decided)
        assert len(FileLedger(Path(place.home) / "ledger.jsonl").entries()) < drill.entries
        command(place, "verify")


def refused(drill: Drill, elsewhere: Path, at: datetime, said: str, capsys: pytest.CaptureFixture[str], **other: Path) -> None:
    assert drill.restore(elsewhere, at, **other) == 1
    assert said in capsys.readouterr().err
    assert not (elsewhere / "data" / "postgres" / "PG_VERSION").exists()
    assert not (elsewhere / "home" / "ledger.jsonl").exists()


def test_a_moment_before_the_backup_is_refused(drill: Drill, elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(drill, elsewhere, drill.before, "name an older backup", capsys)


def test_a_moment_after_the_end_of_the_archive_is_refused(
    drill: Drill, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(drill, elsewhere, datetime.now(UTC) + timedelta(hours=1), "the archive ends at 2", capsys)


def test_a_later_backup_that_is_earlier_is_refused(drill: Drill, elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(drill, elsewhere, drill.moment, "LATER is a backup after the moment", capsys, later=drill.folder / "monday")


def test_a_damaged_segment_is_named(drill: Drill, elsewhere: Path, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needed = first_after_the_backup(archive)
    data = bytearray(needed.read_bytes())
    data[len(data) // 2] ^= 1
    needed.write_bytes(data)
    refused(drill, elsewhere, drill.moment, f"segment {needed.stem} of the archive is damaged", capsys, archive=archive)


def test_a_missing_segment_is_named(drill: Drill, elsewhere: Path, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needed = first_after_the_backup(archive)
    needed.unlink()
    refused(drill, elsewhere, drill.moment, f"segment {needed.stem} is missing from the archive", capsys, archive=archive)


def first_after_the_backup(archive: Path) -> Path:
    """PostgreSQL notes in the archive at which segment each base backup began."""
    began = min(archive.glob("*.backup.gz")).name.split(".")[0]
    return min(path for path in archive.glob("*.gz") if path.stem > began and "." not in path.stem)


def test_what_runs_is_never_restored_over(drill: Drill, capsys: pytest.CaptureFixture[str]) -> None:
    assert drill.restore(drill.place.folder, drill.moment) == 1
    assert "runs" in capsys.readouterr().err
