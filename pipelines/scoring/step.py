"""The steps of the flow: what is to be scored, and scoring it."""

from pathlib import Path

from models.clock import Month
from models.contract import REQUEST_ROLES
from models.errors import InputRefused, NotFound
from models.lake import SNAPSHOTS
from pipelines.scoring.parts import Plan
from pipelines.scoring.run import Summary, planned, score
from pipelines.wiring import Platform


def plan_batch(platform: Platform, month: str, source: str, output: str, label: str) -> Plan:
    """A month of the lake, or what lies at a path. Raises `InputRefused` if it is both or neither."""
    if bool(month) == bool(source):
        raise InputRefused("a batch is a month of the lake, or lies at a path", hint="make score MONTH=…, or INPUT=… OUTPUT=…")
    if source and not output:
        raise InputRefused("nobody said where the answers go", hint="make score INPUT=… OUTPUT=…")
    if month:
        source, default = _of_the_lake(platform, Month.parse(month), label)
        output = output or str(default)
    settings, model = platform.settings, platform.use_case.name
    files = platform.files_at(source)
    return planned(platform.batch_desk, model, source, output, files, part_rows=settings.part_rows, label=label)


def carry_out(platform: Platform, plan: Plan) -> Summary:
    return score(platform.batch_desk, plan, lambda done, total: platform.progress.count("scored", done, total))


def _of_the_lake(platform: Platform, month: Month, label: str) -> tuple[str, Path]:
    """The newest version of a month, checked against its digests, and where its answers go."""
    history = platform.stored.history(SNAPSHOTS, month)
    if not history:
        known = ", ".join(str(part.month) for part in platform.stored.versions(SNAPSHOTS))
        raise NotFound(f"the lake has no snapshot of {month}", hint=f"it has {known or 'nothing'}; make ingest takes in more")
    newest = history[-1]
    platform.stored.check(newest, platform.use_case.contract.named(*REQUEST_ROLES))
    name = f"{month}-v{newest.version}{f'-{label}' if label else ''}"
    return str(platform.stored.path(newest)), platform.settings.home / "scored" / platform.use_case.name / name
