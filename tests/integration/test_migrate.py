"""The job that migrates before services start."""

from pathlib import Path

import pytest

from monitoring import migrate
from monitoring.adapters.sql_schema import engine, is_current

pytestmark = pytest.mark.integration


def test_the_job_makes_the_schema_and_may_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'decisions.db'}"
    monkeypatch.setenv("STEWARD_DATABASE_URL", url)
    assert migrate.main() == 0
    database = engine(url)
    assert is_current(database)
    database.dispose()
    assert migrate.main() == 0


def test_a_database_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("STEWARD_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    assert migrate.main() == 1
    assert "the decision log does not answer" in capsys.readouterr().err
