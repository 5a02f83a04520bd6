"""A home may be moved or copied, yet MLflow writes absolute places into its database. They follow the home when it is opened."""

import sqlite3
from contextlib import closing
from pathlib import Path

_PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)
_PATIENCE = 20.0  # seconds that another process may hold the database


def follow(database: Path, artifacts: Path) -> None:
    """Make every place that `database` names lie below `artifacts`, where it lay below the same folder of an earlier home.

    One transaction: a killed process leaves the old places or the new ones. Experiments that keep their files elsewhere,
    somewhere a person chose, are left alone. Raises `sqlite3.Error`.
    """
    if not database.is_file():
        return
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
    own = f"/{artifacts.parent.name}/{artifacts.name}"
    found = {
        place.removesuffix(f"/{name}")
        for name, place in connection.execute("SELECT name, artifact_location FROM experiments")
        if place and place.endswith(f"{own}/{name}")
    }
    return found - {artifacts.as_uri()}
