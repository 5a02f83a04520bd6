"""A service that starts again in its home, after somebody set the release channel back."""

from pathlib import Path

import pytest

from models.adapters import durable
from models.adapters.folder_channel import FolderChannel
from models.bundle import canonical
from models.clock import FileClock
from models.errors import NoChampion
from serving import wiring
from serving.answers import Ask
from tests.bundles import MODEL, NOW, Office, real_bundle, record

pytestmark = pytest.mark.integration


def started() -> wiring.Service:
    """As `python -m serving` joins it, after its first look."""
    service = wiring.service(wiring.settings())
    service.watcher.look()
    return service


def test_a_champion_that_was_deleted_is_missed_by_a_service_that_starts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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

    newest = tmp_path / "channel" / "pointers" / MODEL / "00000002.json"
    signed = newest.read_bytes()
    newest.unlink()
    again = started()
    [refused] = again.predictor.prepare([Ask(MODEL, canonical(record()), "r")])
    assert isinstance(refused, NoChampion)
    assert "were taken away from the release channel" in str(again.watcher.obstacle())

    durable.replace(newest, signed)
    again.watcher.look()
    assert again.predictor.models[MODEL].pointer.version == 2
    again.close()
