"""`make rebuild`: finding what was registered under a number, making it again, and saying how alike the two are."""

from collections.abc import Sequence
from pathlib import Path

from models.bundle import Bundle
from models.errors import Integrity, NotFound
from models.governance.ledger import Entry, Event
from pipelines.rebuild.compare import TOLERANCE, Likeness, Rebuilt, rebuild
from pipelines.supply import versions
from pipelines.wiring import Platform


def run(parts: Platform, version: int) -> Rebuilt:
    """Nothing is written. Raises `NotFound`, `Integrity`, `Unavailable`."""
    bundle = registered(parts, version)
    evidence = parts.evidence.files(bundle.model, bundle.digest)
    return rebuild(parts.use_case, parts.lake, parts.workshop, bundle, evidence=evidence, libraries=versions(parts.libraries))


def registered(parts: Platform, version: int) -> Bundle:
    """The bundle that the ledger says was registered under this number: from the channel, else from the registry."""
    model = parts.use_case.name
    digest = _digest(parts.ledger.entries(model), model, version)
    try:
        return parts.released_bundle(digest)
    except NotFound:
        for found in parts.registry.versions(model):
            if found.bundle_digest == digest:
                return Bundle.verified(parts.registry.bundle(found), digest)
        raise


def _digest(entries: Sequence[Entry], model: str, version: int) -> str:
    made = {int(entry.facts["version"]): str(entry.facts["bundle"]) for entry in entries if entry.event is Event.REGISTERED}
    if version not in made:
        known = ", ".join(map(str, sorted(made))) or "none"
        raise NotFound(f"{model} has no version {version}", hint=f"registered here: {known}; see `make train`")
    return made[version]


def lines(found: Rebuilt, model: str, version: int, home: Path) -> list[str]:
    """What came out, what is not as it was, and how to try it with the code of then."""
    recorded = found.recorded
    verdict = "is reproduced" if found.reproduced else "is NOT reproduced"
    said = [f"{model} version {version} {verdict}: {found.likeness}."]
    said.append(f"  bundle {recorded.digest[:12]} recorded, {found.made.digest[:12] if found.made else 'none'} made")
    if found.made and found.likeness is not Likeness.BUNDLE:
        said.append(f"  largest difference of a golden row's probability: {found.largest:.3g}; allowed: {TOLERANCE:g}")
    for title, group in (
        ("the data", found.data),
        ("what came out", found.parts),
        ("the circumstances", found.circumstances),
    ):
        if group:
            said += [f"  {title} differ{'s' if title == 'what came out' else ''}:", *(f"    {one.sentence}" for one in group)]
    return said + (_exactly(recorded, version, home) if found.circumstances and not found.reproduced else [])


def _exactly(recorded: Bundle, version: int, home: Path) -> list[str]:
    commit = recorded.lineage["git_commit"]
    if len(commit) != 40:
        return [f"  the code of then cannot be fetched: the commit is recorded as {commit}, which no checkout gives back"]
    folder = home.resolve() / "rebuild" / commit[:12]
    return [
        "  with the code and the environment of then:",
        f"    git worktree add --detach {folder} {commit}",
        f'    STEWARD_HOME="{home.resolve()}" make -C {folder} rebuild MODEL={recorded.model} VERSION={version}',
        f"    git worktree remove --force {folder}",
    ]


def ensure_reproduced(found: Rebuilt, model: str, version: int) -> None:
    """Raises `Integrity`."""
    if not found.reproduced:
        differing = found.data or found.circumstances or found.parts
        raise Integrity(
            f"{model} version {version} cannot be made again: {differing[0].sentence if differing else 'the scores differ'}",
            hint="every difference stands above; without the recorded data and code nobody can show how this model came to be",
        )
