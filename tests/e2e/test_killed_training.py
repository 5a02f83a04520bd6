"""`kill -9` at any step of training, then the same command again: it completes, and nothing is there twice."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from models.channel import release
from models.governance.ledger import Event
from models.lake import OUTCOMES, SNAPSHOTS
from models.scoring import check_golden_rows
from pipelines.wiring import Platform, platform

pytestmark = pytest.mark.soak

# What a run leaves behind, in the order in which it does: each is a moment to kill it.
MOMENTS = (
    "lake/credit_default/snapshots/month=2005-06/v0001.parquet",
    "lake/credit_default/outcomes/month=2005-07/v0001.parquet",
    "studies/*",
    "evidence/credit_default/*/manifest.json",
    "mlflow/mlflow.db",
    "channel/bundles/*",
    "channel/pointers/credit_default/*",
)
COMMAND = [sys.executable, "-m", "pipelines", "train", "--as-of", "2005-08-31", "--trials", "6"]
PATIENCE = 600.0


def start(home: Path) -> subprocess.Popen[bytes]:
    with (home / "train.log").open("ab") as log:
        return subprocess.Popen(COMMAND, env=os.environ | {"STEWARD_HOME": str(home)}, stdout=log, stderr=log)


def kill_once_there(home: Path, moment: str) -> None:
    process, deadline = start(home), time.monotonic() + PATIENCE
    while not list(home.glob(moment)):
        assert process.poll() is None, (home / "train.log").read_text()
        assert time.monotonic() < deadline, f"{moment} never came"
        threading.Event().wait(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()


def finish(home: Path) -> None:
    assert start(home).wait(PATIENCE) == 0, (home / "train.log").read_text()


def nothing_is_there_twice(parts: Platform) -> None:
    for table in (SNAPSHOTS, OUTCOMES):
        for month in parts.lake.versions(table):
            assert len(parts.lake.history(table, month.month)) == 1
            assert parts.lake.read([month])
    assert [list(version.aliases) for version in parts.registry.versions("credit_default")] == [["champion"]]
    assert parts.channel.pointers("credit_default") == 1
    events = [entry.event for entry in parts.ledger.entries("credit_default")]
    released = [event for event in events if event not in (Event.RETRAINING_BEGUN, Event.RETRAINING_ENDED)]
    assert released == ["out_of_time_opened", "registered", "requested", "approved", "promoted"]
    assert events.count(Event.RETRAINING_BEGUN) > events.count(Event.RETRAINING_ENDED), "the killed ones have no ending"
    found = release(parts.channel, parts.office.trust, "credit_default", now=parts.clock.now())
    check_golden_rows(found.bundle, parts.scorer(found.bundle.graph))


@pytest.mark.timeout(3600)
def test_a_training_killed_at_every_step_completes_and_leaves_nothing_twice(tmp_path: Path) -> None:
    for moment in MOMENTS:
        kill_once_there(tmp_path, moment)
    finish(tmp_path)
    parts = platform(home=tmp_path)
    nothing_is_there_twice(parts)
    finish(tmp_path)
    nothing_is_there_twice(parts)
