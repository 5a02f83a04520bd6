"""The ledger's head under somebody else's clock: stamped, checked, forged, replaced; with a real service."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.adapters.stamp_folder import StampFolder
from models.errors import Integrity, Misconfigured, Unavailable
from models.governance.ledger import Event
from models.governance.timestamps import StampedLedger
from models.governance.verification import found_by
from pipelines.adapters.time_authority import TimeAuthority
from pipelines.settings import PipelineSettings
from pipelines.wiring import Platform
from tests.fakes.ledger import FakeLedger
from tests.time_authority import certified, service

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="its time-stamp service is OpenSSL's"),
]
NOON = datetime(2005, 9, 1, 12, tzinfo=UTC)
DATA = b"the head of a ledger"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("authority") / "tsa"
    certified(made)
    return made


@pytest.fixture
def authority(folder: Path) -> Iterator[TimeAuthority]:
    with service(folder) as url:
        yield TimeAuthority(url, folder / "root.pem")


def test_a_stamp_says_when_the_bytes_were_there_and_nothing_of_other_bytes(authority: TimeAuthority) -> None:
    token = authority.stamp(DATA)

    assert abs(authority.time(token, DATA) - datetime.now(UTC)) < timedelta(minutes=1)
    with pytest.raises(Integrity, match="not one of these bytes"):
        authority.time(token, DATA + b".")


def test_a_stamp_under_another_root_is_none(authority: TimeAuthority, tmp_path: Path) -> None:
    token, other = authority.stamp(DATA), TimeAuthority("", certified(tmp_path / "other"))

    with pytest.raises(Integrity, match=r"under root\.pem") as refused:
        other.time(token, DATA)
    assert "STEWARD_TIMESTAMP_ROOTS" in refused.value.hint


@pytest.mark.parametrize("token", [b"", b"not DER", b"0\x03\x02\x01\x02"])
def test_what_is_no_stamp_is_refused(token: bytes, folder: Path) -> None:
    with pytest.raises(Integrity):
        TimeAuthority("", folder / "root.pem").time(token, DATA)


def test_an_answer_to_another_question_is_refused(authority: TimeAuthority, folder: Path) -> None:
    """A token of the same bytes that somebody recorded: its nonce is not the one of this question."""
    recorded = authority.stamp(DATA)

    with service(folder, recorded) as url, pytest.raises(Integrity, match="Nonce"):
        TimeAuthority(url, folder / "root.pem").stamp(DATA)


def test_a_service_that_does_not_answer_is_said_and_certificates_that_are_not_there(folder: Path, tmp_path: Path) -> None:
    with service(folder) as url:
        pass
    with pytest.raises(Unavailable, match="does not answer"):
        TimeAuthority(url, folder / "root.pem").stamp(DATA)
    with pytest.raises(Misconfigured, match="no certificates"):
        TimeAuthority("", tmp_path / "none.pem").time(b"", DATA)


def test_every_entry_of_a_home_with_the_setting_is_stamped_and_verify_finds_a_rewritten_past(
    folder: Path, tmp_path: Path
) -> None:
    with service(folder) as url:
        settings = PipelineSettings(home=tmp_path / "home", timestamp_url=url, timestamp_roots=folder / "root.pem")
        parts = Platform(settings)
        for number in range(2):
            parts.ledger.append(Event.STOPPED, model="toy", actor="me", at=NOON, facts={"number": number})
        assert list(parts.stamps.all()) == [1, 2]
        (check,) = (check for check in parts.checks() if check.subject == "time stamps")
        assert (check.holds, found_by([check])) == ("2 time stamps of the ledger hold; they cover 2 of 2 entries.", [])

    settings.ledger_path.unlink()
    settings.ledger_path.with_suffix(".head.json").unlink()
    rewriter = Platform(settings.model_copy(update={"timestamp_url": ""}))
    rewriter.ledger.append(Event.STOPPED, model="toy", actor="me", at=NOON, facts={"number": "a new past"})
    findings = found_by([check for check in rewriter.checks() if check.subject == "time stamps"])
    assert [finding.where for finding in findings] == ["ledger entry 1", "ledger entry 2"]
    assert "does not hold" in findings[0].problem
    assert "removed" in findings[1].problem


def test_an_entry_is_recorded_also_while_the_service_is_away(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with service(folder) as url:
        authority = TimeAuthority(url, folder / "root.pem")
    stamps = StampFolder(tmp_path / "stamps")
    ledger = StampedLedger(FakeLedger(), authority, stamps)

    ledger.append(Event.STOPPED, model="toy", actor="me", at=NOON, facts={})

    assert len(ledger.entries()) == 1
    assert stamps.all() == {}
    assert "is recorded and has no time stamp" in caplog.text


def test_stamps_that_nothing_can_check_do_not_pass(folder: Path, tmp_path: Path) -> None:
    parts = Platform(PipelineSettings(home=tmp_path))
    parts.stamps.add(1, b"a stamp")

    (finding,) = found_by([check for check in parts.checks() if check.subject == "time stamps"])
    assert "cannot be checked" in finding.problem
    with pytest.raises(Misconfigured, match="without STEWARD_TIMESTAMP_ROOTS"):
        PipelineSettings.read(home=tmp_path, timestamp_url="http://127.0.0.1:9")
