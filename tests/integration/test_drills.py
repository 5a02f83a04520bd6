"""Drills on a small trained home, with real reports and alerts, in seconds: the whole of them is in tests/e2e."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.clock import end_of_day
from models.usecase import Source
from pipelines.drills.catalogue import DRILLS, START
from pipelines.drills.injectors.deliveries import Faulty
from pipelines.drills.injectors.outages import tampered_bundle
from pipelines.drills.plant import Home
from pipelines.drills.quiet import Quiet, bootstrap, live_quietly
from serving.settings import ServingSettings
from tests.trained import Trained

pytestmark = pytest.mark.integration


def lived(trained: Trained, folder: Path, source: Source) -> Quiet:
    home = Home(trained.in_force, source).copied(folder / "home", source)
    return live_quietly(home, source, 2, lambda _: None)


def test_a_drill_stays_in_its_own_home_whatever_log_lake_and_channel_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEWARD_DATABASE_URL", f"sqlite:///{tmp_path / 'real.db'}")
    monkeypatch.setenv("STEWARD_CHANNEL", str(tmp_path / "real"))
    monkeypatch.setenv("STEWARD_LAKE", "s3://real/lake")
    home = Home(tmp_path / "drill", bootstrap(1))
    own = home.parts().settings
    for name, value in home.environment.items():
        monkeypatch.setenv(name, value)
    for told in (own, ServingSettings.read()):  # the steps', and those of the service that it starts
        assert told.channel_folder == tmp_path / "drill" / "channel"
        assert told.lake_of("credit_default") == str(tmp_path / "drill" / "lake" / "credit_default")
        assert told.database == f"sqlite:///{tmp_path / 'drill' / 'decisions.db'}"


def test_quiet_windows_call_nobody(trained: Trained, tmp_path: Path) -> None:
    found = lived(trained, tmp_path, bootstrap(2))
    assert (found.windows, found.paged) == (2, 0)


def test_another_unit_calls_somebody_in_its_first_window_and_not_before(trained: Trained, tmp_path: Path) -> None:
    """So the test before can fail."""
    fault = DRILLS["unit-change"].fault
    assert fault
    before, after = lived(trained, tmp_path, Faulty(bootstrap(2), START.plus(1), fault)).pages
    assert before == ()
    assert "unit_change" in after


def test_a_bundle_that_was_written_in_calls_somebody_though_nothing_else_goes_on(trained: Trained, tmp_path: Path) -> None:
    home = Home(trained.in_force, bootstrap(1)).copied(tmp_path / "home", bootstrap(1))
    home.at(end_of_day(START.last_day))
    opened: list[Mapping[str, str]] = []
    for hour, fault in ((1, None), (2, tampered_bundle)):
        home.at(datetime(2005, 10, 1, hour, tzinfo=UTC))
        if fault:
            with fault(home.folder):
                pass
        home.look_around()
        opened.append({alert.kind: alert.severity.value for alert in home.alerts() if alert.is_open})
    assert "tampered" not in opened[0]
    assert opened[1]["tampered"] == "page"
