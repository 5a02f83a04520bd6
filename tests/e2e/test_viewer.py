"""`python -m monitoring` as a person starts it: on a fresh clone, on a home that was named, and on a slip of the pen."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from urllib.request import urlopen

import pytest

from monitoring.__main__ import main
from monitoring.wiring import SCENARIOS
from pipelines.replay import scripts

pytestmark = pytest.mark.integration

STEWARD = {name for name in os.environ if name.startswith("STEWARD_")}


def command(folder: Path, **settings: str) -> dict[str, object]:
    clean = {name: value for name, value in os.environ.items() if name not in STEWARD}
    environment = clean | {f"STEWARD_{name.upper()}": value for name, value in settings.items()}
    return {"args": [sys.executable, "-m", "monitoring"], "cwd": folder, "env": environment, "text": True}


def refused(folder: Path, **settings: str) -> str:
    """What it says. In this process: starting another is most of the time."""
    said, nothing = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stderr(said), redirect_stdout(nothing):
        patch.chdir(folder)
        for name, value in settings.items():
            patch.setenv(f"STEWARD_{name.upper()}", value)
        code = main()
    assert (code, nothing.getvalue()) == (1, "")
    return said.getvalue()


@contextmanager
def viewer(folder: Path, **settings: str) -> Iterator[str]:
    """The address of a running viewer."""
    started = command(folder, monitoring_port="0", **settings)
    with subprocess.Popen(**started, stdout=subprocess.PIPE) as process:  # type: ignore[call-overload]
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        yield found.group()
        process.terminate()


def test_a_fresh_clone_opens_to_what_can_be_run_and_nothing_is_created(tmp_path: Path) -> None:
    with viewer(tmp_path) as address, urlopen(address) as page:
        assert "make train" in page.read().decode()
    assert list(tmp_path.iterdir()) == []


def test_a_scenario_nobody_lived_through_is_refused_with_those_there_are(tmp_path: Path) -> None:
    for name in ("2005", ".2005.discarded"):
        (tmp_path / "replay" / name).mkdir(parents=True)
    said = refused(tmp_path, home="replay/nope")
    assert "there is no replay 'nope'" in said
    assert "there are 2005;" in said
    assert "make replay SCENARIO=2005 or make replay SCENARIO=shift" in said
    assert not (tmp_path / "replay" / "nope").exists()


def test_before_the_first_replay_it_is_said_how_to_make_one(tmp_path: Path) -> None:
    assert "none was lived through yet; to make one: make replay SCENARIO=2005" in refused(tmp_path, home="var/replay/2005")


def test_a_home_that_was_misspelt_is_refused_and_not_created(tmp_path: Path) -> None:
    assert "STEWARD_HOME is vra, which does not exist" in refused(tmp_path, home="vra")
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    assert "which is a file" in refused(tmp_path, home="home")


def test_a_port_that_is_no_number_is_named_without_a_traceback(tmp_path: Path) -> None:
    said = refused(tmp_path, monitoring_port="many")
    assert said.startswith("STEWARD_MONITORING_PORT is wrong")
    assert "Traceback" not in said


def test_every_scenario_that_is_named_can_be_lived_through() -> None:
    assert set(SCENARIOS) == set(scripts.SCRIPTS)
