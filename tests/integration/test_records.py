"""The commands about records, at the command line, in a home with a real log, channel, lake and clock."""

import json
import sqlite3
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.adapters import durable
from models.adapters.account_keys import ACCOUNTS, LOG, keyring, secret_keys
from models.adapters.file_ledger import FileLedger
from models.adapters.folder_channel import FolderChannel
from models.adapters.onnx_runtime import OnnxScorer
from models.bundle import canonical
from models.channel import release
from models.clock import FileClock
from models.governance.ledger import Event, verify_chain
from models.governance.verification import found_by
from monitoring.adapters.sql_decisions import SqlDecisionLog
from monitoring.chain import ChainKeys
from monitoring.sealing import seal_all
from pipelines import steps
from pipelines.__main__ import main
from pipelines.wiring import platform
from serving.answers.answer import Ask
from serving.answers.loaded import LoadedModel
from tests.answering import Answering
from tests.bundles import MODEL, NOW, Office, real_bundle, record

pytestmark = pytest.mark.integration

EXPIRED = datetime(2007, 9, 2, 6, tzinfo=UTC)  # decided on 1 August 2005
REDUCED, KEPT = record(account_id="A00017", status_0=2, bill_0=60_000.0), record(account_id="A00018", status_0=-1, bill_0=0.0)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two decisions by a promoted bundle, logged and sealed."""
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    monkeypatch.setenv("STEWARD_CLOCK_FILE", str(tmp_path / "clock"))
    clock, office, channel = FileClock(tmp_path / "clock"), Office(), FolderChannel(tmp_path / "channel")
    clock.set(NOW)
    office.promote(channel, real_bundle(0.2))
    durable.replace(tmp_path / "keys" / "trust.json", canonical(office.trust.keys))
    log = SqlDecisionLog(
        f"sqlite:///{tmp_path / 'decisions.db'}", lambda: ChainKeys(secret_keys(tmp_path / "keys", LOG, local=True))
    )
    served = Answering(log, clock, keyring(tmp_path / "keys", ACCOUNTS, local=True).pseudonym, lambda: "id")
    served.swap(LoadedModel.load(release(channel, office.trust, MODEL, now=NOW), OnnxScorer, 10))
    served.answer(Ask(MODEL, json.dumps({"records": [REDUCED, KEPT]}).encode(), "r", "key"))
    log.close()
    parts = platform()
    seal_all(parts.decisions, parts.lake, MODEL, recorded_at=NOW)
    return tmp_path


def test_a_past_decision_comes_out_the_same(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay-decision", "--id", "id-0"]) == 0
    said = capsys.readouterr().out
    assert ": reduce" in said
    assert "reason 1: " in said
    assert "the same in everything that was answered" in said


def test_so_it_does_when_only_the_sealed_month_is_left(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "decisions.db").unlink()
    assert main(["replay-decision", "--id", "id-1"]) == 0


def test_one_edited_figure_is_named_and_fails(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sqlite3.connect(home / "decisions.db") as log:
        log.execute("UPDATE decisions SET probability = probability + 1e-9 WHERE decision_id = 'id-0'")
    assert main(["replay-decision", "--id", "id-0"]) == 1
    assert "decision.probability: " in capsys.readouterr().err


@pytest.mark.parametrize(("column", "value"), [("bundle", "a" * 64), ("model", "nope"), ("bundle", "../../x")])
def test_an_edited_bundle_or_model_is_an_edit_and_not_a_bundle_that_is_missing(
    home: Path, capsys: pytest.CaptureFixture[str], column: str, value: str
) -> None:
    with sqlite3.connect(home / "decisions.db") as log:
        log.execute(f"UPDATE decisions SET {column} = ? WHERE decision_id = 'id-0'", (value,))
    assert main(["replay-decision", "--id", "id-0"]) == 1
    assert "not as it was answered: it was edited" in capsys.readouterr().err


def test_a_decision_that_was_taken_out_of_the_log_is_told_and_missed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    platform().note_decisions()
    with sqlite3.connect(home / "decisions.db") as log:
        log.execute("DELETE FROM decisions WHERE decision_id = 'id-0'")
    assert main(["replay-decision", "--id", "id-0"]) == 1
    said = capsys.readouterr()
    assert "not in the log: read from the sealed month 2005-07" in said.out
    assert "was taken out of the log" in said.err


def test_nothing_is_called_expired_by_a_ledger_that_nobody_signed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    FileClock(home / "clock").set(EXPIRED)
    assert main(["retain"]) == 0
    path, head = home / "ledger.jsonl", home / "ledger.head.json"
    last = FileLedger(path).entries()[-1]
    forged = replace(
        last, number=last.number + 1, facts={**last.facts, "before": "2020-01-01T00:00:00+00:00"}, previous=last.chain
    )
    path.write_bytes(path.read_bytes() + canonical(asdict(forged.sealed())) + b"\n")
    head.write_text(json.dumps(json.loads(head.read_bytes()) | {"document": forged.sealed().head()}))
    capsys.readouterr()
    assert main(["replay-decision", "--id", "id-0"]) == 1
    said = capsys.readouterr().err
    assert "its attestation does not hold" in said
    assert "Expired" not in said


def test_an_edit_that_no_model_could_notice_fails_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sqlite3.connect(home / "decisions.db") as log:
        log.execute("UPDATE decisions SET account_id = 'p1_00' WHERE decision_id = 'id-0'")
    assert main(["replay-decision", "--id", "id-0"]) == 1
    assert "not as it was answered: it was edited" in capsys.readouterr().err


@pytest.mark.parametrize(("inputs", "said"), [("", "its inputs were deleted"), ("{", "cannot be read")])
def test_inputs_that_somebody_emptied_or_wrote_over_are_an_edit_and_not_retention(
    home: Path, capsys: pytest.CaptureFixture[str], inputs: str, said: str
) -> None:
    with sqlite3.connect(home / "decisions.db") as log:
        log.execute("UPDATE decisions SET inputs = ? WHERE decision_id = 'id-0'", (inputs,))
    assert main(["replay-decision", "--id", "id-0"]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert "past its retention" not in told


def log_findings() -> list[str]:
    """What `make verify` finds of the decisions of this home."""
    checks = [check for check in platform().checks() if "decision" in check.subject]
    assert len(checks) == 2
    return [f"{found.where}: {found.problem}" for found in found_by(checks)]


def test_verify_names_an_edited_a_deleted_and_a_foreign_decision(home: Path) -> None:
    parts = platform()
    assert log_findings() == []
    parts.note_decisions()
    with sqlite3.connect(home / "decisions.db") as log:
        log.execute("UPDATE decisions SET action = 'keep' WHERE decision_id = 'id-0'")
    assert log_findings() == ["decision id-0: it was edited, or is not the record that was written here"]
    with sqlite3.connect(home / "decisions.db") as log:
        log.execute("UPDATE decisions SET action = 'reduce' WHERE decision_id = 'id-0'")
        log.execute("DELETE FROM decisions WHERE decision_id = 'id-1'")
    (gone,) = log_findings()
    assert "1 records were taken from its end" in gone
    (home / "decisions.db").unlink()
    (gone,) = log_findings()
    assert "all of its 2 records are gone" in gone
    assert not (home / "decisions.db").exists(), "who verifies makes nothing"


def test_verify_names_a_model_that_nobody_watched_for_longer_than_its_tier_allows(home: Path) -> None:
    parts, clock = platform(), FileClock(home / "clock")
    clock.set(NOW)
    parts.ledger.append(Event.PROMOTED, model=MODEL, actor="pipeline", at=NOW, facts={})
    assert parts.overdue(MODEL) == []
    clock.set(NOW + timedelta(days=33))
    (late,) = parts.overdue(MODEL)
    assert "nobody has watched it since 2005-08-01, and tier 2 is watched every month" in late.problem
    (home / "decisions.db").unlink()
    assert platform().overdue(MODEL) == [], "it decided nothing that could be watched"
    assert not (home / "decisions.db").exists()


def test_history_is_not_lost_silently_to_a_split_key_that_came_later(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decisions", "--id", "A00017"]) == 0
    (home / "keys" / ACCOUNTS / "split.key").write_bytes(b"s" * 32)
    assert main(["decisions", "--id", "A00017"]) == 1
    assert "began without a split.key" in capsys.readouterr().err


def test_an_unknown_decision_fails_with_what_to_do(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay-decision", "--id", "id-9"]) == 1
    assert "decision ids are part of every answer" in capsys.readouterr().err


def test_after_retention_it_answers_expired_and_everything_else_stands(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    FileClock(home / "clock").set(EXPIRED - timedelta(days=1))
    assert main(["retain"]) == 0
    assert main(["replay-decision", "--id", "id-0"]) == 0
    FileClock(home / "clock").set(EXPIRED)
    assert main(["retain"]) == 0
    assert "2005-07: inputs of 2 decisions deleted" in capsys.readouterr().out
    assert main(["replay-decision", "--id", "id-0"]) == 1
    said = capsys.readouterr()
    assert "Expired: " in said.err
    assert "reason 1: " in said.out, "the reasons are kept"
    entries = FileLedger(home / "ledger.jsonl", lambda: pytest.fail("reading signs nothing")).entries()
    verify_chain(entries)
    assert [entry.event for entry in entries] == [Event.DECISIONS_SEALED, Event.INPUTS_EXPIRED]
    assert log_findings() == []
    assert platform().released_bundle(platform().decisions.find("id-0").bundle)
    assert "2 decisions are logged, on 2005-07; of each month inputs were deleted" in steps.unreported(platform())
    assert not any(b"60000" in path.read_bytes() for path in home.rglob("*.db*"))


def test_keys_rotate_without_losing_an_account_or_telling_a_secret(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rotate-keys", "--by", "Ada", "--reason", "every year"]) == 0
    assert main(["decisions", "--id", "A00017"]) == 0
    assert "id-0  2005-07  reduce" in capsys.readouterr().out
    assert main(["replay-decision", "--id", "id-0"]) == 0
    ledger = (home / "ledger.jsonl").read_bytes()
    assert b"keys_rotated" in ledger
    assert b"A00017" not in ledger
    for key in (home / "keys").rglob("*.key"):
        assert key.read_bytes().hex().encode() not in ledger


def test_keys_stay_as_they_are_if_the_rotation_cannot_be_recorded(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rotate-keys", "--by", "Ada", "--reason", "every year"]) == 0
    (home / "ledger.jsonl").write_bytes(b"")
    capsys.readouterr()
    before = sorted((home / "keys").rglob("*"))
    assert main(["rotate-keys", "--by", "Ada", "--reason", "every year"]) == 1
    assert "ledger" in capsys.readouterr().err
    assert sorted((home / "keys").rglob("*")) == before
