"""Columns of the lake's files that were found right: checked once, and again as soon as a file is another."""

from collections.abc import Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pyarrow import fs

from models.adapters.places import Place
from models.errors import Integrity, NotFound
from models.lake import Lake, Location, PartitionVersion

_RESTORE = "restore the file, or seal the month again"


class Intact:
    """No engine knows the lake's digests. So before one reads columns of a file, the lake reads and compares them, in batches.

    The digests are over values: no engine may conclude anything from the statistics in a Parquet footer.
    """

    def __init__(self, lake: Lake, threads: int) -> None:
        self._lake, self._threads = lake, threads
        self._found: dict[Hashable, set[str]] = {}  # by file as it was then

    def check(self, partition: PartitionVersion, names: Iterable[str]) -> None:
        """Raises `Integrity`, naming the file, unless these columns are what was sealed; `NotFound` if it is gone."""
        intact = self._found.setdefault(_as_it_is(self._lake.path(partition)), set())
        missing = sorted(set(names) - intact)
        with ThreadPoolExecutor(self._threads) as threads:
            list(threads.map(lambda name: self._lake.check(partition, [name]), missing))
        intact |= set(missing)


def check_rows(where: Location, partition: PartitionVersion, counted: int) -> None:
    """Raises `Integrity` unless as many rows were counted as were sealed."""
    if counted != partition.rows:
        raise damaged(where, f"it does not hold the {partition.rows:,} rows that were sealed")


def damaged(where: Location, how: str) -> Integrity:
    return Integrity(f"{where} is damaged: {how}", hint="restore the file from its backup, or remove it and seal the month again")


def _as_it_is(where: Location) -> Hashable:
    """Another value once somebody wrote it anew. Raises `NotFound`."""
    if isinstance(where, Path):
        try:
            found = where.stat()
        except OSError as error:
            raise NotFound(f"the lake has no {where}: {error.strerror}", hint=_RESTORE) from error
        return where, found.st_ino, found.st_size, found.st_mtime_ns
    place = Place.at(str(where))
    with place.told():
        info = place.system.get_file_info(place.root)
    if info.type is not fs.FileType.File:
        raise NotFound(f"the lake has no {where}", hint=_RESTORE)
    return where, info.size, info.mtime_ns
