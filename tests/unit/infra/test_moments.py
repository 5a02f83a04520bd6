"""What a moment is, what of a home is of it, and the archive that leads there."""

import gzip
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.backup.moments import files_at, home_at, moment_of
from infra.backup.recovery import first_gap
from infra.topology.supervised import ROOT
from models.adapters.file_ledger import FileLedger
from models.errors import Integrity, Misconfigured
from models.governance.ledger import Event
from models.governance.signing import Duty, Signer, Trust

NINE, TEN, ELEVEN, NOON = (datetime(2026, 11, 27, hour, tzinfo=UTC) for hour in (9, 10, 11, 12))
WITNESS = Signer("ledger", Duty.ATTEST, Ed25519PrivateKey.generate())
SCRIPTS = ROOT / "infra" / "postgres"


@pytest.mark.parametrize("text", ["2026-11-27T14:02:59+00:00", "2026-11-27T15:02:59+01:00", "2026-11-27T14:02:59Z"])
def test_a_moment_has_a_time_zone(text: str) -> None:
    assert moment_of(text) == datetime(2026, 11, 27, 14, 2, 59, tzinfo=UTC)


@pytest.mark.parametrize(("text", "said"), [("2026-11-27T14:02:59", "which time zone"), ("yesterday", "is no moment")])
def test_what_could_mean_another_moment_is_refused(text: str, said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        moment_of(text)


def folder(root: Path, **files: str) -> Path:
    root.mkdir(parents=True)
    for name, text in files.items():
        (root / name).write_text(text)
    return root


def test_of_the_later_backup_counts_what_was_written_until_then(tmp_path: Path) -> None:
    earlier = folder(tmp_path / "earlier", changed="as it was", gone="still there")
    later = folder(tmp_path / "later", changed="edited since", new="by then", too_new="since")
    written = {"changed": NOON, "new": TEN, "too_new": NOON}
    files_at(ELEVEN, earlier, later, {name: when.isoformat() for name, when in written.items()}, tmp_path / "to")
    found = {path.name: path.read_text() for path in (tmp_path / "to").iterdir()}
    assert found == {"changed": "as it was", "gone": "still there", "new": "by then"}


def test_what_was_on_its_way_to_the_database_is_left_to_the_database(tmp_path: Path) -> None:
    earlier, later = folder(tmp_path / "earlier"), tmp_path / "later"
    folder(later / "serving", spool="sent since")
    files_at(ELEVEN, earlier, later, {"serving/spool": NINE.isoformat()}, tmp_path / "to")
    assert list((tmp_path / "to").iterdir()) == []


def ledger_of(home: Path, *times: datetime) -> FileLedger:
    home.mkdir(exist_ok=True)
    ledger = FileLedger(home / "ledger.jsonl", lambda: WITNESS)
    for when in times:
        ledger.append(Event.KEPT, model="m", actor="a", at=when, facts={})
    return ledger


def test_the_ledger_ends_at_the_moment_and_its_head_is_signed(tmp_path: Path) -> None:
    ledger_of(tmp_path / "earlier", NINE)
    shutil.copytree(tmp_path / "earlier", tmp_path / "later")
    ledger_of(tmp_path / "later", TEN, NOON)
    home_at(ELEVEN, tmp_path / "earlier", tmp_path / "later", {}, tmp_path / "to")
    cut = FileLedger(tmp_path / "to" / "ledger.jsonl")
    assert [entry.recorded_at for entry in cut.entries()] == [NINE.isoformat(), TEN.isoformat()]
    ((_, head),) = cut.heads()
    assert head.document == cut.entries()[-1].head()
    Trust({Duty.ATTEST: {head.signer: WITNESS.public()}}).verify(head, Duty.ATTEST)


def test_a_ledger_of_another_home_is_refused(tmp_path: Path) -> None:
    ledger_of(tmp_path / "earlier", NINE)
    ledger_of(tmp_path / "later", TEN, NOON)
    with pytest.raises(Integrity, match="does not continue"):
        home_at(ELEVEN, tmp_path / "earlier", tmp_path / "later", {}, tmp_path / "to")
    assert not (tmp_path / "to").exists()


LAST_OF_A_LOG, FIRST_OF_THE_NEXT = "0000000100000001000000FF", "000000010000000200000000"


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        ([LAST_OF_A_LOG, FIRST_OF_THE_NEXT], ""),
        ([LAST_OF_A_LOG, "000000010000000200000001"], FIRST_OF_THE_NEXT),
        ([FIRST_OF_THE_NEXT, "00000002.history", "000000020000000200000005"], ""),
        ([], ""),
    ],
)
def test_a_gap_in_the_archive_is_found_across_logs_and_within_one_timeline(names: list[str], missing: str) -> None:
    assert first_gap(names) == missing


def archived(segment: Path, name: str, archive: Path) -> int:
    return subprocess.run(["sh", SCRIPTS / "archive.sh", segment, name, archive], capture_output=True, check=False).returncode


def test_a_segment_is_kept_once_and_never_written_over(tmp_path: Path) -> None:
    archive, segment = tmp_path / "archive", tmp_path / "segment"
    segment.write_bytes(b"one" * 1000)
    assert archived(segment, "1", archive) == 0
    assert archived(segment, "1", archive) == 0, "asked twice after a crash"
    segment.write_bytes(b"another" * 1000)
    assert archived(segment, "1", archive) != 0
    assert [path.name for path in archive.iterdir()] == ["1.gz"]
    assert gzip.decompress((archive / "1.gz").read_bytes()) == b"one" * 1000


def test_a_segment_that_cannot_be_kept_is_none(tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("no folder")
    (tmp_path / "segment").write_bytes(b"one")
    assert archived(tmp_path / "segment", "1", tmp_path / "archive") != 0


def brought_back(name: str, archive: Path, to: Path) -> int:
    return subprocess.run(["sh", SCRIPTS / "restore.sh", to, name, archive], capture_output=True, check=False).returncode


def test_a_damaged_segment_is_not_taken_for_the_end_of_the_archive(tmp_path: Path) -> None:
    """Up to 125, PostgreSQL takes for the end."""
    (tmp_path / "1.gz").write_bytes(gzip.compress(b"one" * 1000))
    (tmp_path / "2.gz").write_bytes(gzip.compress(b"two" * 1000)[:-9])
    assert brought_back("1", tmp_path, tmp_path / "to") == 0
    assert (tmp_path / "to").read_bytes() == b"one" * 1000
    assert brought_back("2", tmp_path, tmp_path / "to") > 125
    assert 0 < brought_back("3", tmp_path, tmp_path / "to") < 125
