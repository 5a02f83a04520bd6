"""What a profile means."""

from pathlib import Path

import pytest

from models.adapters.folder_channel import FolderChannel
from models.adapters.key_files import make_local_keys
from models.clock import SystemClock
from models.settings import PlatformSettings
from monitoring.settings import MonitoringSettings
from monitoring.wiring.acting import office
from pipelines.settings import PipelineSettings
from pipelines.wiring import Platform


@pytest.mark.parametrize(
    ("profile", "demonstrated", "canaries"),
    [("local", True, False), ("staging", False, False), ("production", False, True)],
)
def test_every_door_asks_for_people_and_for_a_canary_where_the_profile_says_so(
    profile: str, demonstrated: bool, canaries: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEWARD_PROFILE", profile)
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    make_local_keys(tmp_path / "keys", tmp_path / "keys" / "trust.json")
    console = office(MonitoringSettings.read(), FolderChannel(tmp_path / "channel"), SystemClock())
    for found in (console, Platform(PipelineSettings.read()).office):
        assert (found.demonstration is not None, found.canaries) == (demonstrated, canaries)
    assert PlatformSettings.read().canaries is canaries
