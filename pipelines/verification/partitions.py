"""Does the lake still hold what models were made of, byte by byte?"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from models.errors import PlatformError
from models.governance.verification import Finding
from models.lake import Lake, PartitionVersion

RESTORE = "put the file back from its backup, or run make ingest: it restores what the source still delivers unchanged"


def check_partitions(lake: Lake, recorded: Sequence[PartitionVersion] = ()) -> Iterator[Finding]:
    """Every stored version is hashed anew, and each of those `recorded` in a lineage is there under its digest.

    A lake that was taken in anew may have the content under another number.
    """
    there: dict[Path, bool] = {}
    sound = set()
    for path, found in lake.examined():
        there[path] = isinstance(found, PartitionVersion)
        if isinstance(found, PlatformError):
            yield Finding(str(path), found.problem, found.hint)
        else:
            sound.add((found.table, found.month, found.digest))
    for part in recorded:
        path = lake.path(part)
        if (part.table, part.month, part.digest) in sound or there.get(path) is False:
            continue  # what is damaged has been named
        what = "holds other content than" if path in there else "is gone. It held"
        yield Finding(str(path), f"it {what} digest {part.digest[:12]}, of which a registered model was made", RESTORE)
