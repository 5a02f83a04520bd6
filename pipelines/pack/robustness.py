"""Directions, uncertainty and robustness: what the sealed bundle was shown to do, and what wrong input does to it."""

from pipelines.pack.artefacts import FREE, Artefacts, Figure, Gate, Unit
from pipelines.pack.files import ASSESSMENT
from pipelines.pack.gates import control, told
from pipelines.pack.prose import Document, Picture, Section, say, section, table

PROOFS = "/proofs"


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
            steps=_proof(a, "/monotone/steps", Unit.COUNT, gate),
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
    gate, growth = a.check("interval_coverage"), a.check("review_growth")
    halves = [p.removeprefix(PROOFS) for p in a.names(ASSESSMENT, f"{PROOFS}/uncertainty/crosswise")]
    rows = [_covered(a, half, gate) for half in halves]
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
            share=_proof(a, "/uncertainty/reviewed/in_force", Unit.SHARE, growth),
        ),
    )


def _covered(a: Artefacts, where: str, gate: Gate | None = None) -> tuple[Figure, ...]:
    fields = (("name", Unit.TEXT), ("width", Unit.SHARE), ("worst", Unit.POINTS), ("allowed", Unit.POINTS))
    return tuple(_proof(a, f"{where}/{name}", unit, gate) for name, unit in fields)


def _disturbed(a: Artefacts) -> Section:
    gate = a.check("disturbances")
    fields = (
        ("part", Unit.TEXT),
        ("refused", Unit.SHARE),
        ("flagged", Unit.SHARE),
        ("moved", Unit.POINTS),
        ("changed", Unit.SHARE),
    )
    return section(
        "Disturbed input",
        say("{flags}", flags=told(a, "false_flags")),
        say("{worst}", worst=told(a, "disturbances")),
        say("{caught}", caught=told(a, "caught")),
        table(
            say("What each disturbance does. Moved: the change in log-odds that nearly all silent accounts stay below."),
            ("Disturbance", "Refused", "Flagged", "Moved", "Other action"),
            [
                tuple(_proof(a, f"{p.removeprefix(PROOFS)}/{name}", unit, gate) for name, unit in fields)
                for p in a.names(ASSESSMENT, f"{PROOFS}/robustness/effects")
            ],
        ),
    )


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
                    a.figure(ASSESSMENT, what, Unit.COUNT, gate),
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
