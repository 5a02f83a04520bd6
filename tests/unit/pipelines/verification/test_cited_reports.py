"""What a retraining rests on is cited by the digest of the file, and a file that was changed later is named."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.governance.ledger import Event
from models.governance.retrainings import Cited, Trigger, TriggerKind, listed
from monitoring.adapters.report_folder import ReportFolder
from pipelines.triggers.situation import stored
from pipelines.verification.cited_reports import check_cited
from tests.alerting import MODEL, finding, month
from tests.fakes.ledger import FakeLedger


@pytest.fixture
def file(tmp_path: Path) -> Path:
    ReportFolder(tmp_path).add(month("2005-09", finding("auc_drop")), {})
    (found,) = tmp_path.rglob("report.json")
    return found


def citing(root: Path, *more: Cited) -> FakeLedger:
    """A ledger with a retraining that rests on all that is stored."""
    ledger = FakeLedger()
    evidence = (*(seen.cited for seen in stored(ReportFolder(root), MODEL)), *more)
    facts = {"triggers": listed([Trigger(TriggerKind.PERFORMANCE, "AUC fell.", evidence)])}
    for event in (Event.RETRAINING_BEGUN, Event.RETRAINING_ENDED):
        ledger.append(event, model=MODEL, actor="a", at=datetime(2005, 11, 1, tzinfo=UTC), facts=facts)
    return ledger


def test_a_report_is_cited_by_its_place_and_the_digest_of_its_file(file: Path, tmp_path: Path) -> None:
    (seen,) = stored(ReportFolder(tmp_path), MODEL)
    assert seen.cited.name == str(file.parent.relative_to(tmp_path))
    assert seen.cited.digest == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_cited_report_that_was_changed_is_named_once(file: Path, tmp_path: Path) -> None:
    ledger = citing(tmp_path)
    assert list(check_cited(ReportFolder(tmp_path), ledger.entries())) == []

    file.write_bytes(file.read_bytes().replace(b"auc_drop of score.", b"nothing to see."))

    (found,) = check_cited(ReportFolder(tmp_path), ledger.entries())
    assert found.where == f"report {file.parent.relative_to(tmp_path)}"
    assert "entry 1 of the ledger" in found.problem


def test_a_report_that_is_gone_and_what_is_no_report_say_nothing(file: Path, tmp_path: Path) -> None:
    ledger = citing(tmp_path, Cited("bundle", "abc", "a" * 64), Cited("report", "nowhere", "b" * 64))
    file.unlink()
    assert list(check_cited(ReportFolder(tmp_path), ledger.entries())) == []
