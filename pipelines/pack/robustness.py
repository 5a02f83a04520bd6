"""Directions, uncertainty and robustness: what the sealed bundle was shown to do, and what wrong input does to it."""

from dataclasses import replace

from pipelines.pack.artefacts import FREE, Artefacts, Figure, Gate, Unit
from pipelines.pack.files import ASSESSMENT, POLICY
from pipelines.pack.gates import control, told
from pipelines.pack.limits import between
from pipelines.pack.prose import Document, Picture, Section, say, section, table

PROOFS = "/proofs"
SILENT = (("moved", Unit.POINTS), ("changed", Unit.SHARE))
"""What a disturbance does to accounts that are neither refused nor flagged, as the policy limits it."""


def robustness(a: Artefacts) -> Document:
    return Document(
        "robustness", "Directions, uncertainty, robustness", (_directions(a), _intervals(a), _disturbed(a), _refused(a))
    )


def _directions(a: Artefacts) -> Section:
    gate = a.check("monotone")
    return section(
        "Directions",
        say(
            "Steps against a direction of the policy: {violations}, of {steps} steps on real accounts.",
            violations=_proof(a, "/monotone/violations", Unit.COUNT, gate),
            steps=_proof(a, "/monotone/steps", Unit.COUNT),
        ),
        table(
            say("Pairs of leaves in the wrong order, by feature with a direction ({name}).", name=control(a, "directions")),
            ("Feature", "Contradictions"),
            [
                (_proof(a, p.removeprefix(PROOFS), Unit.KEY, gate), _proof(a, p.removeprefix(PROOFS), Unit.COUNT, gate))
                for p in a.names(ASSESSMENT, f"{PROOFS}/monotone/trees")
            ],
        ),
    )


def _intervals(a: Artefacts) -> Section:
    halves = [p.removeprefix(PROOFS) for p in a.names(ASSESSMENT, f"{PROOFS}/uncertainty/crosswise")]
    rows = [_covered(a, half, judged=True) for half in halves]
    later = "/uncertainty/later"
    return section(
        "Uncertainty",
        say(
            "Every probability has a Venn-Abers interval. Out of time its mean width is {width}, the widest is {widest}.",
            width=_proof(a, f"{later}/width", Unit.SHARE),
            widest=_proof(a, f"{later}/widest", Unit.SHARE),
        ),
        table(
            say(
                "Gap between bad rate and intervals at worst over bands of score, in standard errors (control {name}).",
                name=control(a, "uncertainty"),
            ),
            ("Accounts", "Mean width", "Worst gap", "Allowed by chance"),
            [*rows, _covered(a, later)],
        ),
        Picture("plots/doubt.png", "Intervals by score, and the review range that follows from them."),
        say("{coverage}", coverage=told(a, "interval_coverage")),
        say("{growth}", growth=told(a, "review_growth")),
        say(
            "In all {share} of the accounts out of time go to a person.",
            share=_proof(a, "/uncertainty/reviewed/in_force", Unit.SHARE),
        ),
    )


def _covered(a: Artefacts, where: str, *, judged: bool = False) -> tuple[Figure, ...]:
    """Each half has its own allowance, and the gate takes the half that comes nearest to it, or goes furthest beyond."""
    allowed = _proof(a, f"{where}/allowed", Unit.POINTS)
    worst = _proof(a, f"{where}/worst", Unit.POINTS)
    if judged:
        gate = between("interval_coverage", worst.number, high=allowed.number, of="standard errors")
        worst = replace(worst, gate=gate)
    return _proof(a, f"{where}/name", Unit.TEXT), _proof(a, f"{where}/width", Unit.SHARE), worst, allowed


def _disturbed(a: Artefacts) -> Section:
    effects = [pointer.removeprefix(PROOFS) for pointer in a.names(ASSESSMENT, f"{PROOFS}/robustness/effects")]
    return section(
        "Disturbed input",
        say("{flags}", flags=told(a, "false_flags")),
        say("{worst}", worst=told(a, "disturbances")),
        say("{caught}", caught=told(a, "caught")),
        table(
            say("What each disturbance does. Moved: the change in log-odds that nearly all silent accounts stay below."),
            ("Disturbance", "Refused", "Flagged", "Moved", "Other action"),
            [_effect(a, pointer) for pointer in effects],
        ),
    )


def _effect(a: Artefacts, pointer: str) -> tuple[Figure, ...]:
    """What the policy limits of this kind of disturbance, and no other cell, can fail."""
    kind, limits = a.at(ASSESSMENT, f"{PROOFS}{pointer}/kind"), a.at(POLICY, "/robustness")
    bounded, least = limits["bounded"].get(kind, {}), limits["caught"].get(kind)
    refused, flagged = (_proof(a, f"{pointer}/{name}", Unit.SHARE) for name in ("refused", "flagged"))
    if least is not None:
        together = between("caught", refused.number + flagged.number, low=least)
        gate = replace(together, limit=f"refused and flagged together {together.limit}")
        refused, flagged = (replace(each, gate=gate) for each in (refused, flagged))
    silent = [_bounded(_proof(a, f"{pointer}/{name}", unit), bounded.get(name)) for name, unit in SILENT]
    return _proof(a, f"{pointer}/part", Unit.TEXT), refused, flagged, *silent


def _bounded(figure: Figure, most: float | None) -> Figure:
    return figure if most is None else replace(figure, gate=between("disturbances", figure.number, high=most))


def _refused(a: Artefacts) -> Section:
    gate, offered = a.check("refusals"), f"{PROOFS}/robustness/refusals/offered"
    return section(
        "Broken input",
        table(
            say("Records broken on purpose, and how many the contract took (control {name}).", name=control(a, "robustness")),
            ("What was broken", "Offered", "Taken"),
            [
                (
                    a.figure(ASSESSMENT, what, Unit.KEY),
                    a.figure(ASSESSMENT, what, Unit.COUNT),
                    a.figure(ASSESSMENT, what.replace("/offered/", "/taken/"), Unit.COUNT, gate),
                )
                for what in a.names(ASSESSMENT, offered)
            ],
        ),
    )


def _proof(a: Artefacts, pointer: str, unit: Unit, gate: Gate | None = None) -> Figure:
    """A number can fail its gate; a name cannot."""
    judged = gate if gate and unit not in (Unit.TEXT, Unit.KEY) else FREE
    return a.figure(ASSESSMENT, f"{PROOFS}{pointer}", unit, judged)
