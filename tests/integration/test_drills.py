"""Drills on a small trained home, with real reports and alerts, in seconds: the whole of them is in tests/e2e."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.clock import end_of_day
from models.usecase import Source
from pipelines.drills import quiet
from pipelines.drills.catalogue import DRILLS, START
from pipelines.drills.injectors.deliveries import Faulty
from pipelines.drills.injectors.outages import tampered_bundle
from pipelines.drills.plant import Home
from pipelines.drills.quiet import Quiet, bootstrap, live_quietly
from tests.trained import Trained

pytestmark = pytest.mark.integration
SMALL = 1_500


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Source:
    """Quiet months of few accounts."""
    monkeypatch.setattr(quiet, "BASE", replace(quiet.BASE, accounts=SMALL))
    return bootstrap(2)


def lived(trained: Trained, folder: Path, source: Source, windows: int) -> Quiet:
    home = Home(trained.in_force, source).copied(folder / "home", source)
    return live_quietly(home, source, windows, lambda _: None)


def test_quiet_windows_call_nobody(trained: Trained, drawn: Source, tmp_path: Path) -> None:
    found = lived(trained, tmp_path, drawn, 2)
    assert (found.windows, found.paged) == (2, 0)


def test_another_unit_calls_somebody_in_its_first_window(trained: Trained, drawn: Source, tmp_path: Path) -> None:
    """So the test before can fail."""
    fault = DRILLS["unit-change"].fault
    assert fault
    found = lived(trained, tmp_path, _FromTheFirst(drawn, START, fault), 1)
    assert "unit_change" in found.pages[0]


class _FromTheFirst(Faulty):
    """There is no month before the first one drawn: it stands in for itself."""

    def cohort(self, month, as_of):  # type: ignore[no-untyped-def]
        cohort = self.source.cohort(month, as_of)
        return self.fault(cohort, cohort)


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
    shutil.rmtree(home.folder)
