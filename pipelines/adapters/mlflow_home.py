"""MLflow's database in a home: where it comes from, and that the places in it follow the home.

MLflow writes absolute places, but a home may be moved or copied. And MLflow spends seconds on migrating an empty
database, so a new home starts from one that was migrated when the environment was made.
"""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.adapters import templates

TOOL, FOLDER, DATABASE, ARTIFACTS = "mlflow", "mlflow", "mlflow.db", "artifacts"
_PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)
_PATIENCE = 20.0  # seconds that another process may hold the database


def open_home(database: Path, artifacts: Path) -> None:
    """Everything that MLflow does not do by itself before it connects to a home, new or old. Raises `sqlite3.Error`."""
    database.parent.mkdir(parents=True, exist_ok=True)
    templates.begin(TOOL, database)
    if database.exists():
        _follow(database, artifacts)


def has_versions(database: Path) -> bool:
    """Whether a model was ever registered here. Nothing is made, opened for writing or imported for the answer."""
    if not database.is_file():
        return False
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'model_versions'").fetchall()
        return bool(known) and bool(connection.execute("SELECT 1 FROM model_versions LIMIT 1").fetchall())


def _follow(database: Path, artifacts: Path) -> None:
    """Make every place that `database` names lie below `artifacts`, where it lay below the same folder of an earlier home.

    One transaction: a killed process leaves the old places or the new ones. Experiments that keep their files where a
    person chose are left alone.
    """
    with closing(sqlite3.connect(database, timeout=_PATIENCE)) as connection, connection:
        known = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not known.issuperset(table for table, _ in _PLACES):
            return  # a database that MLflow has yet to fill
        for old in _earlier(connection, artifacts):
            for table, column in _PLACES:
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",  # noqa: S608
                    (artifacts.as_uri(), len(old) + 1, len(old) + 1, f"{old}/"),
                )


def _earlier(connection: sqlite3.Connection, artifacts: Path) -> set[str]:
    """The artifact folders of earlier homes, as URIs: an experiment's files lie in `<home>/mlflow/artifacts/<its name>`."""
    places = [place or "" for (place,) in connection.execute("SELECT artifact_location FROM experiments")]
    folders = {place.rpartition("/")[0] for place in places}
    return {folder for folder in folders if folder.endswith(f"/{artifacts.parent.name}/{artifacts.name}")} - {artifacts.as_uri()}


def make_template() -> None:
    """Migrate an empty database once for this environment."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    with TemporaryDirectory() as folder:
        database = Path(folder) / FOLDER / DATABASE
        database.parent.mkdir()
        SqlAlchemyStore(f"sqlite:///{database}", (database.parent / ARTIFACTS).as_uri())  # type: ignore[no-untyped-call]
        templates.keep(TOOL, database)
