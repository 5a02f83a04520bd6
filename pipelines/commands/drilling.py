"""`make drill`: what the platform notices of faults that were put in on purpose."""

from argparse import Namespace
from pathlib import Path

from models.clock import SystemClock
from models.errors import PlatformError
from pipelines.commands.loop import Ended
from pipelines.drills.catalogue import find
from pipelines.drills.run import run
from pipelines.drills.table import table, told, write
from pipelines.wiring import commit


def drill(chosen: Namespace) -> Ended:
    names, made_by = find(chosen.drill), commit()
    came = run(names, say=lambda text: print(text, flush=True))
    if chosen.write:
        page = Path(chosen.write)
        lines = table(came.lived, came.quiet, on=SystemClock().now(), commit=made_by, seconds=came.seconds)
        page.write_text(write(page, list(lines)), encoding="utf-8")
        print(f"wrote {page}")
    if came.quiet:
        print("\n".join(told(came.quiet)))
    print(f"{len(names)} drills in {came.seconds / 60:.1f} minutes")
    if came.missed:
        raise PlatformError(
            f"{len(came.missed)} of {len(names)} drills were missed: {', '.join(came.missed)}",
            hint="a detector is too late, blind or too loud: mend its cause, never the drill",
        )
    return Ended.DONE
