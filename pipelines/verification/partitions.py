"""Does the lake still hold what models were made of, byte by byte?"""

from collections.abc import Iterator, Sequence

from models.errors import PlatformError
from models.governance.verification import Finding
from models.lake import Lake, Location, PartitionVersion

RESTORE = "put the file back from its backup, or run make ingest: it restores what the source still delivers unchanged"


def check_partitions(lake: Lake, recorded: Sequence[PartitionVersion] = ()) -> Iterator[Finding]:
    """Every stored version is hashed anew, and each of those `recorded` in a lineage is there, under its number and digest.

    Where a lost number was given away once, the content may stand under another one.
    """
    there: dict[Location, bool] = {}
    sound = set()
    for path, found in lake.examined():
        there[path] = isinstance(found, PartitionVersion)
        if isinstance(found, PlatformError):
            yield Finding(str(path), found.problem, found.hint)
        else:
            sound.add((found.table, found.month, found.digest))
    for part in recorded:
        path, held = lake.path(part), f"digest {part.digest[:12]}, of which a registered model was made"
        if path not in there:
            yield Finding(str(path), f"it is gone. It held {held}", RESTORE)
        elif there[path] and (part.table, part.month, part.digest) not in sound:  # what is damaged has been named
            yield Finding(str(path), f"it holds other content than {held}", RESTORE)
