"""A cluster out of a base backup, as it was at a moment: PostgreSQL reads its archived log up to there, and goes on anew."""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from threading import Event

from infra.topology.clusters import LOG, alone, ask, let_in, run, scratch
from infra.topology.databases import PASSWORDS
from infra.topology.description import Place
from infra.topology.supervised import ROOT
from models.errors import Integrity, NotFound, PlatformError, Unavailable

SCRIPT = ROOT / "infra" / "postgres" / "restore.sh"
SUFFIX = ".gz"
_ONLY_US = "local all postgres trust\n"
"""Until it has the passwords of its new place only who may open its folder can connect."""
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_A_LOG = 0x100
"""Segments of 16 MB in what their names call a log."""


@contextmanager
def recovered(place: Place, base: Path, into: Path, *, moment: datetime | None, archive: Path | None) -> Iterator[None]:
    """It runs alone in `into`, with the passwords of `place`; without a moment as the backup is.

    Raises `Integrity` for a segment that is missing or damaged, `NotFound` if the archive ends before the moment.
    """
    with scratch(Path(place.data("postgres-log"))) as log:
        for path in sorted(archive.glob(f"*{SUFFIX}")) if archive else ():
            shutil.copy(path, log)  # it may lie where PostgreSQL's user cannot read
        held = _unpack(base, into, log, moment)
        let_in(into, log, SCRIPT.parent)
        try:
            with alone(into):
                while ask(into, place, "-A", "-t", "-c", "SELECT pg_is_in_recovery()").strip() == "t":
                    Event().wait(0.1)  # who only reads is let in before the end
                ask(into, place, "-c", "ALTER SYSTEM RESET ALL", "-f", str(PASSWORDS))
                yield
        except Unavailable as error:
            if reason := _reason(into, [*held, *(path.stem for path in log.iterdir())], moment):
                raise reason from error
            raise


def _unpack(base: Path, into: Path, log: Path, moment: datetime | None) -> list[str]:
    """The segments that the backup brings itself."""
    for name, folder in (("base.tar.gz", into), ("pg_wal.tar.gz", into / "pg_wal")):
        folder.mkdir(mode=0o700, exist_ok=True)
        run(["tar", "--extract", "--no-same-owner", "--file", base / name, "--directory", folder], None)
    (into / LOG).unlink(missing_ok=True)
    (into / "pg_hba.conf").write_text(_ONLY_US)
    (into / "recovery.signal").touch()
    settings = {"restore_command": f"sh ''{SCRIPT}'' %p %f ''{log}''"}
    if moment:
        settings |= {"recovery_target_time": moment.isoformat(), "recovery_target_action": "promote"}
    with (into / "postgresql.auto.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    return [path.name for path in (into / "pg_wal").iterdir()]


def _reason(cluster: Path, segments: Sequence[str], moment: datetime | None) -> PlatformError | None:
    """What PostgreSQL's own words mean."""
    said = (cluster / LOG).read_text(errors="replace") if (cluster / LOG).exists() else ""
    if damaged := re.search(r"restore\.sh: \S*/(\w+)\.gz is damaged", said):
        return Integrity(
            f"segment {damaged[1]} of the archive is damaged, so {moment} cannot be reached",
            hint=f"take it from a copy of the archive; without it AT can be {_last_commit(said)} at most",
        )
    if "recovery ended before configured recovery target was reached" not in said:
        return None
    if missing := first_gap(segments):
        return Integrity(
            f"segment {missing} is missing from the archive, and later ones are there",
            hint=f"take it from a copy of the archive; without it AT can be {_last_commit(said)} at most",
        )
    return NotFound(
        f"the archive ends at {_last_commit(said)}, before {moment}",
        hint="is ARCHIVE the newest copy? What was written last is archived after a minute, or by make backup",
    )


def first_gap(names: Sequence[str]) -> str:
    """The first segment that is missing between the first and the last; "" if none is."""
    there = sorted({name for name in names if _SEGMENT.fullmatch(name)})
    followed = pairwise(there)
    return next((_next(name) for name, then in followed if name[:8] == then[:8] and _next(name) != then), "")


def _next(name: str) -> str:
    number = int(name[8:16], 16) * _A_LOG + int(name[16:], 16) + 1
    return f"{name[:8]}{number // _A_LOG:08X}{number % _A_LOG:08X}"


def _last_commit(said: str) -> str:
    found = re.findall(r"last completed transaction was at log time (.+)", said)
    return found[-1].strip() if found else "the moment of the backup"
