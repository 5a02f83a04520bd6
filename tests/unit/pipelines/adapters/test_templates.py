"""A new home starts from the environment's migrated database, and an old one keeps its own."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.adapters import templates


@pytest.fixture(autouse=True)
def _an_environment_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))


def database(path: Path, row: str) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE content (row TEXT)")
        connection.execute("INSERT INTO content VALUES (?)", (row,))
    return path


def content(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT row FROM content").fetchone()[0])


def test_a_new_home_starts_from_the_template(tmp_path: Path) -> None:
    templates.keep("mlflow", database(tmp_path / "made.db", "migrated"))
    templates.begin("mlflow", tmp_path / "new.db")
    assert content(tmp_path / "new.db") == "migrated"
    assert sorted(path.name for path in tmp_path.glob("new*")) == ["new.db"]


def test_a_database_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    templates.keep("mlflow", database(tmp_path / "made.db", "migrated"))
    old = database(tmp_path / "old.db", "runs of years")
    templates.begin("mlflow", old)
    assert content(old) == "runs of years"


def test_without_a_template_the_tool_makes_its_own(tmp_path: Path) -> None:
    templates.begin("mlflow", tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()
