"""SQL over records that every engine runs as it is."""

from collections.abc import Sequence

from monitoring.adapters.statements import quoted


def repeated(names: Sequence[str], most: int) -> str:
    """Values of these columns that stand together in more than one row."""
    columns = ", ".join(map(quoted, names))
    return f"SELECT {columns} FROM stored GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT {most}"  # noqa: S608
