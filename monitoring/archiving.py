"""Whether what a database writes reaches the archive of its log: without that no moment after the last backup can be restored."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Archiving:
    failing: bool
    """Its last try failed, and none has gone well since."""
    behind: int
    """Bytes that were written after the last part of the log that is archived. A few megabytes are always on their way."""
