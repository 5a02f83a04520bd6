"""A service that starts again in its home, after somebody set the release channel back."""

import shutil
from pathlib import Path

import pytest

from models.adapters import durable
from models.adapters.folder_channel import FolderChannel
from models.bundle import canonical
from models.clock import FileClock
from models.errors import NoChampion
from serving import wiring
from serving.answers.answer import Ask
from tests.bundles import MODEL, NOW, Office, real_bundle, record

pytestmark = pytest.mark.integration


def started() -> wiring.Service:
    """As `python -m serving` joins it, after its first look."""
    service = wiring.service(wiring.settings())
    service.watcher.look()
    return service


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two champions were promoted, and the second one was served."""
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    monkeypatch.setenv("STEWARD_CLOCK_FILE", str(tmp_path / "clock"))
    FileClock(tmp_path / "clock").set(NOW)
    office, channel = Office(), FolderChannel(tmp_path / "channel")
    durable.replace(tmp_path / "keys" / "trust.json", canonical(office.trust.keys))
    for version, base in enumerate((0.1, 0.2), start=1):
        office.promote(channel, real_bundle(base), version=version)
    first = started()
    assert first.predictor.models[MODEL].pointer.version == 2
    first.close()
    return tmp_path


def newest_pointer(home: Path) -> Path:
    return home / "channel" / "pointers" / MODEL / "00000002.json"


def test_a_service_that_starts_again_answers_on_with_a_champion_that_was_deleted_and_says_so(home: Path) -> None:
    newest_pointer(home).unlink()
    again = started()
    assert again.predictor.models[MODEL].pointer.version == 2
    assert again.watcher.seen.stale == {MODEL}
    assert "were taken away from the release channel" in str(again.watcher.seen.models[MODEL])
    again.close()


def test_without_its_local_copy_it_answers_nobody_until_the_champion_is_back(home: Path) -> None:
    signed = newest_pointer(home).read_bytes()
    newest_pointer(home).unlink()
    shutil.rmtree(home / "serving" / "copies")
    again = started()
    [refused] = again.predictor.prepare([Ask(MODEL, canonical(record()), "r")])
    assert isinstance(refused, NoChampion)
    assert "were taken away from the release channel" in str(again.watcher.obstacle())

    durable.replace(newest_pointer(home), signed)
    again.watcher.look()
    assert again.predictor.models[MODEL].pointer.version == 2
    assert again.watcher.seen.stale == frozenset()
    again.close()
