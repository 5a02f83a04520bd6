"""When a model decided last: a look at the end of an index, which neither makes nor migrates a database."""

from datetime import datetime
from functools import cached_property
from pathlib import Path

from sqlalchemy import Engine, make_url, select
from sqlalchemy.exc import SQLAlchemyError

from models.errors import Unavailable
from monitoring.adapters.sql_schema import DECISIONS, engine, has_decisions


class LastDecided:
    """For whoever only watches: console, scheduler. Connects when it is first asked."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)

    @cached_property
    def _engine(self) -> Engine:
        return engine(self._url.render_as_string(hide_password=False))

    def __call__(self, model: str) -> datetime | None:
        """When the last decision on the newest business month was recorded; None if there is none. Raises `Unavailable`."""
        months = select(DECISIONS.c.month).where(DECISIONS.c.model == model).order_by(DECISIONS.c.month.desc()).limit(1)
        if self._url.drivername == "sqlite" and not Path(self._url.database or "").is_file():
            return None
        try:
            if not has_decisions(self._engine):
                return None
            with self._engine.connect() as connection:
                of_month = DECISIONS.c.model == model, DECISIONS.c.month == months.scalar_subquery()
                last = select(DECISIONS.c.recorded_at).where(*of_month).order_by(DECISIONS.c.number.desc()).limit(1)
                found = connection.execute(last).scalar_one_or_none()
        except SQLAlchemyError as error:
            raise Unavailable(
                f"the decision log does not answer: {type(error).__name__}", hint="see to its database (STEWARD_DATABASE_URL)"
            ) from error
        return datetime.fromisoformat(found) if found else None
