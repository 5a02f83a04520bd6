"""A home is backed up while it lives, lost, and comes back: row by row, and the ledger still holds."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from infra.backup import homes, sealed_keys, whole
from infra.backup.__main__ import main as backup
from models.errors import Conflict, Integrity, Misconfigured, NotFound
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


def test_homes_of_other_stages_beside_it_are_none_of_it(home: Path, tmp_path: Path) -> None:
    """They have keys of their own."""
    key = home / "stages" / "production" / "keys" / "publish-pipeline.pem"
    key.parent.mkdir(parents=True)
    key.write_text("of production")
    whole.take(home, tmp_path / "backup")
    assert not (tmp_path / "backup" / "home" / "stages").exists()


def test_the_keys_open_with_their_passphrase_alone(home: Path, tmp_path: Path) -> None:
    sealed_keys.seal(home / "keys", tmp_path / "sealed", PASSPHRASE)
    with pytest.raises(Integrity, match="does not open"):
        sealed_keys.unseal(tmp_path / "sealed", tmp_path / "other", "four other words")
    data = bytearray((tmp_path / "sealed").read_bytes())
    data[-1] ^= 1
    (tmp_path / "edited").write_bytes(data)
    with pytest.raises(Integrity, match="edited"):
        sealed_keys.unseal(tmp_path / "edited", tmp_path / "other", PASSPHRASE)
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
