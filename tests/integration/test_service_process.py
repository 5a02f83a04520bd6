"""The replay's service adapter against the real service, in a process of its own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.adapters.file_ledger import FileLedger
from models.adapters.folder_channel import FolderChannel
from models.adapters.key_files import DEMONSTRATION_APPROVER, PUBLISHER, WITNESS, make_local_keys, signer, trust
from models.bundle import Bundle
from models.clock import FileClock
from models.errors import Unavailable
from models.governance.registration import note_registered
from models.governance.release import champion, promote
from models.governance.requests import Office, Request, request
from models.governance.signing import Duty
from pipelines.adapters.service_process import ServiceProcess
from pipelines.replay.days import records
from tests.office import PaperDossiers, paper_evidence_digest
from tests.samples import SAMPLE, ensemble, rows, sealed

pytestmark = pytest.mark.integration

ROWS = records(SAMPLE.contract, {"account_id": [f"A{n:05d}" for n in range(50)], "snapshot_month": ["2005-08"] * 50, **rows(50)})


@pytest.fixture
def office(tmp_path: Path) -> Office:
    clock = FileClock(tmp_path / "clock")
    clock.set(datetime(2005, 8, 31, 23, tzinfo=UTC))
    keys, trusted = tmp_path / "keys", tmp_path / "keys" / "trust.json"
    make_local_keys(keys, trusted)
    return Office(
        channel=FolderChannel(tmp_path / "channel"),
        ledger=FileLedger(tmp_path / "ledger.jsonl", lambda: signer(keys, WITNESS, Duty.ATTEST)),
        trust=trust(trusted, demonstration=True),
        publisher=signer(keys, PUBLISHER, Duty.PUBLISH),
        clock=clock,
        dossiers=PaperDossiers(),
        demonstration=signer(keys, DEMONSTRATION_APPROVER, Duty.APPROVE),
    )


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ServiceProcess]:
    environment = {
        "STEWARD_HOME": str(tmp_path),
        "STEWARD_CLOCK_FILE": str(tmp_path / "clock"),
        "STEWARD_SERVING_POLL_SECONDS": "0.1",
    }
    process = ServiceProcess(SAMPLE.name, environment, tmp_path / "serving.log")
    yield process
    process.stop()


def release(office: Office, bundle: Bundle, version: int) -> None:
    office.channel.add_bundle(bundle.digest, bundle.files)
    evidence, before = paper_evidence_digest(bundle.digest), champion(office, SAMPLE.name)
    note_registered(office, SAMPLE.name, version=version, bundle=bundle.digest, evidence=evidence, run="run", actor="training")
    request(office, Request(SAMPLE.name, version, bundle.digest, evidence, "training", before, "test"))
    promote(office, SAMPLE.name, bundle.digest)


def test_the_running_service_swaps_and_a_retry_after_a_restart_gets_the_first_answer(
    office: Office, service: ServiceProcess
) -> None:
    first, second = sealed(seed=1), sealed(ensemble(high=2.5), seed=2)
    release(office, first, 1)
    service.start()
    before = service.score(ROWS, "key-1")
    assert (before.bundle, before.version, len(before.probabilities)) == (first.digest, 1, 50)

    release(office, second, 2)
    service.await_bundle(second.digest)
    after = service.score(ROWS, "key-2")
    assert after.bundle == second.digest
    assert after.probabilities != before.probabilities

    service.start()
    assert service.score(ROWS, "key-1") == before


def test_a_stopped_service_is_unavailable(office: Office, service: ServiceProcess) -> None:
    release(office, sealed(), 1)
    service.start()
    service.kill()
    with pytest.raises(Unavailable, match="does not answer"):
        service.score(ROWS, "key")


def test_a_service_that_cannot_start_says_its_last_words(tmp_path: Path) -> None:
    process = ServiceProcess(SAMPLE.name, {"STEWARD_HOME": str(tmp_path), "STEWARD_SERVING_POLL_SECONDS": "0"}, tmp_path / "log")
    with pytest.raises(Unavailable, match="POLL_SECONDS is wrong"):
        process.start()
    process.stop()
