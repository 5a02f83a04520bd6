"""A home is backed up while it lives, lost, and comes back: row by row, and the ledger still holds."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from infra.backup import homes, sealed_keys, whole
from infra.backup.__main__ import main as backup
from models.errors import Conflict, Integrity, Misconfigured, NotFound, Unavailable
from pipelines.__main__ import main
from tests.trained import Trained

pytestmark = pytest.mark.integration

PASSPHRASE = "four words are enough"


@pytest.fixture
def home(trained: Trained, tmp_path: Path) -> Path:
    """Of a champion; its own, to be lost."""
    return shutil.copytree(trained.in_force, tmp_path / "home")


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKUP_PASSPHRASE", PASSPHRASE)


def verify(home: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("STEWARD_HOME", str(home))
    return main(["verify"])


def test_a_lost_home_comes_back_row_by_row_and_its_ledger_holds(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(home))
    where = ["--folder", str(tmp_path / "backup"), "--keys", str(tmp_path / "keys.sealed")]
    assert backup(["take", *where]) == 0
    before = homes.counts(home)
    assert before["mlflow/mlflow.db"]["model_versions"] == 1
    shutil.rmtree(home)

    assert backup(["restore", *where]) == 0
    assert homes.counts(home) == before
    assert verify(home, monkeypatch) == 0


def test_no_key_is_in_a_backup(home: Path, tmp_path: Path) -> None:
    whole.take(home, tmp_path / "backup")
    keys = {path.read_bytes() for path in (home / "keys").rglob("*.pem")} | {
        path.read_bytes() for path in (home / "keys").rglob("*.key")
    }
    assert keys
    assert not keys & {path.read_bytes() for path in (tmp_path / "backup").rglob("*") if path.is_file()}


@pytest.mark.parametrize("other", ["stages/production", "replay/2005", "second/home"])
def test_another_home_that_lies_in_it_is_none_of_it(home: Path, tmp_path: Path, other: str) -> None:
    """It has keys of its own."""
    key = home / other / "keys" / "publish-pipeline.pem"
    key.parent.mkdir(parents=True)
    key.write_text("of another")
    whole.take(home, tmp_path / "backup")
    assert not (tmp_path / "backup" / "home" / other).exists()


def test_a_topology_that_lies_in_it_is_none_of_it(home: Path, tmp_path: Path) -> None:
    (home / "second" / "data").mkdir(parents=True)
    (home / "second" / "supervisord.conf").write_text("")
    (home / "second" / "data" / "PG_VERSION").write_text("18")
    whole.take(home, tmp_path / "backup")
    assert not (tmp_path / "backup" / "home" / "second").exists()


def test_what_went_wrong_leaves_no_half_backup(home: Path, tmp_path: Path) -> None:
    (home / "mlflow" / "mlflow.db").write_bytes(b"SQLite format 3\0 and no database")
    with pytest.raises(Unavailable, match="could not be copied"):
        whole.take(home, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_a_restore_asks_for_the_keys_before_it_writes(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = ["--folder", str(tmp_path / "backup"), "--keys", str(tmp_path / "keys.sealed")]
    monkeypatch.setenv("STEWARD_HOME", str(home))
    assert backup(["take", *where]) == 0
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path / "new"))
    monkeypatch.setenv("BACKUP_PASSPHRASE", "four other words")
    assert backup(["restore", *where]) == 1
    assert backup(["restore", *where[:3], str(tmp_path / "nowhere")]) == 1
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_is_said_in_a_sentence(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(home))
    (tmp_path / "file").write_text("")
    assert backup(["take", "--folder", str(tmp_path / "file" / "backup")]) == 1
    assert "Not a directory" in capsys.readouterr().err


def test_the_keys_open_with_their_passphrase_alone(home: Path, tmp_path: Path) -> None:
    sealed_keys.seal(home / "keys", tmp_path / "sealed", PASSPHRASE)
    with pytest.raises(Integrity, match="does not open"):
        sealed_keys.opened(tmp_path / "sealed", "four other words")
    data = bytearray((tmp_path / "sealed").read_bytes())
    data[-1] ^= 1
    (tmp_path / "edited").write_bytes(data)
    with pytest.raises(Integrity, match="edited"):
        sealed_keys.opened(tmp_path / "edited", PASSPHRASE)
    with pytest.raises(Misconfigured, match="fewer than"):
        sealed_keys.seal(home / "keys", tmp_path / "sealed", "short")


def test_an_edited_backup_is_refused_before_anything_is_restored(home: Path, tmp_path: Path) -> None:
    whole.take(home, tmp_path / "backup")
    with (tmp_path / "backup" / "home" / "ledger.jsonl").open("ab") as ledger:
        ledger.write(b"\n")
    with pytest.raises(Integrity, match=r"ledger\.jsonl"):
        whole.restore(tmp_path / "backup", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_unfinished_backup_is_none(home: Path, tmp_path: Path) -> None:
    whole.take(home, tmp_path / "backup")
    (tmp_path / "backup" / "manifest.json").unlink()
    with pytest.raises(NotFound, match="no completed backup"):
        whole.restore(tmp_path / "backup", tmp_path / "new")


def test_nothing_is_ever_written_over(home: Path, tmp_path: Path) -> None:
    whole.take(home, tmp_path / "backup")
    with pytest.raises(Conflict, match="there already"):
        whole.take(home, tmp_path / "backup")
    with pytest.raises(Misconfigured, match="not empty"):
        whole.restore(tmp_path / "backup", home)


def test_rows_that_did_not_come_back_are_missed(home: Path, tmp_path: Path) -> None:
    held = whole.take(home, tmp_path / "backup")
    shutil.copytree(tmp_path / "backup" / "home", tmp_path / "new")
    with closing(sqlite3.connect(tmp_path / "new" / "mlflow" / "mlflow.db")) as database, database:
        database.execute("DELETE FROM metrics")
    with pytest.raises(Integrity, match="rows of metrics"):
        whole._compare(held, homes.counts(tmp_path / "new"))


def test_what_is_written_during_a_copy_is_waited_for(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The channel and the ledger of a backup are of one moment."""
    ledger, asked = home / "ledger.jsonl", iter([b"a", b"b", b"c", b"c"])
    monkeypatch.setattr(homes, "_ledger", lambda _: next(asked))
    homes.copy(home, tmp_path / "copy")
    assert (tmp_path / "copy" / "ledger.jsonl").read_bytes() == ledger.read_bytes()
    assert next(asked, None) is None
    never_still = iter(range(99))
    monkeypatch.setattr(homes, "_ledger", lambda _: str(next(never_still)).encode())
    with pytest.raises(Conflict, match="during every copy"):
        homes.copy(home, tmp_path / "copy")
