"""SQL that every engine runs as it is: question marks are values, `stored` is what is read from."""

from collections.abc import Sequence


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def distinct(name: str, by: str, stored: str = "stored") -> str:
    """For each value of a column the number of different values of another."""
    return f"SELECT {quoted(by)}, count(DISTINCT {quoted(name)}) FROM {stored} GROUP BY 1 ORDER BY 1"  # noqa: S608


def sampled(names: Sequence[str], key: str, where: str = "", stored: str = "stored") -> str:
    """The rows whose hashed key is smallest; the values are that of `where`, if it is asked for, and how many rows."""
    chosen, condition = ", ".join(map(quoted, names)), f"WHERE {quoted(where)} = ?" if where else ""
    hashed = f"md5(CAST({quoted(key)} AS STRING))"  # a hash that all engines know: they draw the same rows
    return f"SELECT {chosen} FROM {stored} {condition} ORDER BY {hashed}, {quoted(key)} LIMIT ?"  # noqa: S608
