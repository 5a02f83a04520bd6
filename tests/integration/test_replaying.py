from pathlib import Path

import pytest

from models.errors import Misconfigured, NotFound
from pipelines.replay.run import run

pytestmark = pytest.mark.integration


def test_an_unknown_scenario_is_told_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    with pytest.raises(NotFound, match="known: 2005, shift"):
        run("1929")


def test_a_folder_that_is_no_replays_home_is_never_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    mine = tmp_path / "replay" / "2005" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(Misconfigured, match="is not a replay's home"):
        run("2005")
    assert mine.read_text() == "mine"
