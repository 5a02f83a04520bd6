"""Fairness report: groups, crossings, proxies and alternatives, each with what the jurisdictions say of it."""

from collections.abc import Sequence
from typing import Any

from models.governance.fairness.figures import CROSSED, Kind, Verdict
from pipelines.pack import gates
from pipelines.pack.artefacts import Artefacts, Unit
from pipelines.pack.files import FAIRNESS
from pipelines.pack.prose import Cell, Document, Picture, Section, Table, points, say, section, table

SHOWN = 8
LIMITS = {
    Kind.IMPACT_RATIO.value: "adverse impact ratio, at least",
    Kind.SCORE_DIFFERENCE.value: "standardised mean difference of the score, either sign, at most",
    Kind.TRUE_POSITIVE_GAP.value: "gap in true positive rate, either sign, at most",
    Kind.FALSE_POSITIVE_GAP.value: "gap in false positive rate, either sign, at most",
    Kind.CALIBRATION_RATIO.value: "predicted over observed bad rate, from and to",
    Kind.PROXY_AUC.value: "power to tell a group (AUC), at most",
}
"""By the name of the policy's field, which is the figure's kind."""
KINDS = (Kind.IMPACT_RATIO, Kind.SCORE_DIFFERENCE, Kind.TRUE_POSITIVE_GAP, Kind.FALSE_POSITIVE_GAP, Kind.CALIBRATION_RATIO)
HEADS = (
    "Column",
    "Group",
    "Accounts",
    "Favoured",
    "Impact ratio",
    "Score difference",
    "TPR gap",
    "FPR gap",
    "Predicted / observed",
)


def fairness(a: Artefacts) -> Document:
    return Document("fairness", "Fairness report", (_verdict(a), _groups(a), _crossed(a), _proxies(a), _alternatives(a)))


def _verdict(a: Artefacts) -> Section:
    favourable = [a.figure(FAIRNESS, pointer, Unit.TEXT) for pointer in a.names(FAIRNESS, "/limits/favourable")]
    return section(
        "Verdict",
        say("{sentence}", sentence=a.figure(FAIRNESS, "/sentence", Unit.TEXT, gates.fairness(a))),
        say(
            "Within: the whole interval is inside the limits. Outside: the value itself is not. Insufficient: between the two, or"
            " too small a cell (control {fairness}).",
            fairness=gates.control(a, "fairness"),
        ),
        *(say("Favourable is {decision}.", decision=each) for each in favourable),
        say("On review: {how}.", how=a.figure(FAIRNESS, "/limits/review_counts", Unit.TEXT)),
        say("{other}", other=a.figure(FAIRNESS, "/other_reading", Unit.TEXT)),
        say("Limits are policy, by jurisdiction:"),
        points(
            *(
                say(
                    "{name}: {rule}",
                    name=a.figure(FAIRNESS, each, Unit.KEY),
                    rule=a.figure(FAIRNESS, f"{each}/rule", Unit.TEXT),
                )
                for each in a.names(FAIRNESS, "/limits/jurisdictions")
            )
        ),
        _limits(a),
        table(
            say("Accounts that the restricted table does not know; they form groups of their own."),
            ("Sample", "Accounts"),
            [_unknown(a, sample) for sample in a.names(FAIRNESS, "/unjoined")],
        ),
        table(
            say("Worst verdict by gate."),
            ("Gate", "Verdict"),
            [
                (a.figure(FAIRNESS, pointer, Unit.KEY), a.figure(FAIRNESS, pointer, Unit.TEXT, gates.fairness(a, pointer)))
                for pointer in a.names(FAIRNESS, "/gates")
            ],
        ),
    )


def _limits(a: Artefacts) -> Table:
    """What each jurisdiction asks of each figure, as sealed in the bundle's policy."""
    places = a.names(FAIRNESS, "/limits/jurisdictions")
    rows: list[tuple[Cell, ...]] = []
    for kind, title in LIMITS.items():
        found: list[Cell] = []
        for place in places:
            pointer = f"{place}/{kind}"
            ends = a.names(FAIRNESS, pointer) if isinstance(a.at(FAIRNESS, pointer), list) else [pointer]
            found.append(tuple(a.figure(FAIRNESS, end, Unit.PLAIN) for end in ends))
        rows.append((title, *found))
    judged = tuple(tuple(a.figure(FAIRNESS, p, Unit.TEXT) for p in a.names(FAIRNESS, f"{place}/columns")) for place in places)
    heads = [say("{name}", name=a.figure(FAIRNESS, place, Unit.KEY)) for place in places]
    return table(
        say("What each jurisdiction asks, the whole interval of it."), ("Of", *heads), [*rows, ("audit columns", *judged)]
    )


def _unknown(a: Artefacts, sample: str) -> tuple[Cell, ...]:
    verdict = Verdict.INSUFFICIENT if a.at(FAIRNESS, sample) else Verdict.WITHIN
    gate = gates.joined(verdict.value)
    return a.figure(FAIRNESS, sample, Unit.KEY), a.figure(FAIRNESS, sample, Unit.COUNT, gate)


def _groups(a: Artefacts) -> Section:
    tables = []
    for sample in dict.fromkeys(row["sample"] for row in a.at(FAIRNESS, "/groups")):
        mine = [pointer for pointer in a.names(FAIRNESS, "/groups") if a.at(FAIRNESS, pointer)["sample"] == sample]
        caption = say("{sample}.", sample=a.figure(FAIRNESS, f"{mine[0]}/sample", Unit.TEXT))
        tables.append(table(caption, HEADS, [_group(a, pointer) for pointer in mine]))
    return section(
        "By group",
        say(
            "A mark is that of the jurisdiction that ruled most severely: point at a figure for its name and limit (control"
            " {fairness}).",
            fairness=gates.control(a, "fairness"),
        ),
        *tables,
        Picture("fairness/impact_ratio.png", "Adverse impact ratio by group, with intervals and limits."),
        Picture("fairness/calibration.png", "Predicted over observed bad rate by group."),
    )


def _group(a: Artefacts, pointer: str) -> tuple[Cell, ...]:
    """A group's row: its figures as ruled; the reference group is compared with nothing."""
    row = a.at(FAIRNESS, pointer)
    found = {
        each["kind"]: place
        for place in a.names(FAIRNESS, "/figures")
        if (each := a.at(FAIRNESS, place))["sample"] == row["sample"]
        and (each["column"], each["group"]) == (row["column"], row["group"])
    }
    rate: Cell = a.figure(FAIRNESS, f"{pointer}/favourable_rate", Unit.SHARE) if "favourable_rate" in row else "insufficient"
    measured = [_ruled(a, found.get(kind.value, ""), reference=row["reference"]) for kind in KINDS]
    named = (a.figure(FAIRNESS, f"{pointer}/{field}", Unit.TEXT) for field in ("column", "group"))
    return *named, a.figure(FAIRNESS, f"{pointer}/accounts", Unit.COUNT), rate, *measured


def _ruled(a: Artefacts, pointer: str, *, reference: bool = False) -> Cell:
    """A figure with its worst ruling, or the word that stands in its place."""
    if not pointer:
        return "reference" if reference else ""
    figure = a.at(FAIRNESS, pointer)
    gate = gates.ruled(_gravest(figure["rulings"]), figure["gate"]) if figure["rulings"] else gates.unruled(figure["gate"])
    if figure["value"] is None:
        return a.figure(FAIRNESS, f"{pointer}/shortfall", Unit.TEXT, gate)
    return a.figure(FAIRNESS, pointer, Unit.POINTS, gate)


def _gravest(rulings: Sequence[Any]) -> Any:
    """What one jurisdiction says of a figure, of those that say the worst the first."""
    order = [each.value for each in Verdict]
    return max(rulings, key=lambda ruling: order.index(ruling["verdict"]))


def _crossed(a: Artefacts) -> Section:
    crossed = [p for p in _of(a, Kind.IMPACT_RATIO) if CROSSED in a.at(FAIRNESS, p)["column"]]
    caption = say("The lowest impact ratios among crossings of two audit columns.")
    return section("Crossings", _listed(a, caption, sorted(crossed, key=lambda p: a.at(FAIRNESS, p)["value"])))


def _proxies(a: Artefacts) -> Section:
    caption = say("What tells a group best (AUC of the group against everybody else, turned above chance).")
    strongest = sorted(_of(a, Kind.PROXY_AUC), key=lambda p: -a.at(FAIRNESS, p)["value"])
    return section(
        "Proxies", _listed(a, caption, strongest), Picture("fairness/proxies.png", "Power of features and score to tell a group.")
    )


def _of(a: Artefacts, kind: Kind) -> list[str]:
    """Figures of a kind that have a number."""
    return [
        pointer
        for pointer in a.names(FAIRNESS, "/figures")
        if a.at(FAIRNESS, pointer)["kind"] == kind.value and a.at(FAIRNESS, pointer)["value"] is not None
    ]


def _listed(a: Artefacts, caption: Any, pointers: Sequence[str]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for pointer in pointers[:SHOWN]:
        rulings = a.names(FAIRNESS, f"{pointer}/rulings")
        whys = tuple(a.figure(FAIRNESS, f"{place}/why", Unit.TEXT) for place in rulings)
        rows.append((_ruled(a, pointer), a.figure(FAIRNESS, f"{pointer}/sentence", Unit.TEXT), whys))
    return table(caption, ("Value", "In words", "Ruled"), rows)


def _alternatives(a: Artefacts) -> Section:
    gate = gates.fairness(a, "/gates/fairness.alternative")
    return section(
        "Less discriminatory alternatives",
        say("{reason}", reason=a.figure(FAIRNESS, "/alternatives/reason", Unit.TEXT, gate)),
        say("{sentence}", sentence=a.figure(FAIRNESS, "/confirmation/sentence", Unit.TEXT, gate)),
        table(
            say("What was tried, on development rows out of fold (control {search}).", search=gates.control(a, "alternatives")),
            ("Candidate", "AUC", "Worst impact ratio", "Where", "Gain in impact ratio"),
            [
                (
                    a.figure(FAIRNESS, f"{point}/name", Unit.TEXT),
                    a.figure(FAIRNESS, f"{point}/auc", Unit.FINE),
                    a.given(FAIRNESS, f"{point}/impact_ratio", Unit.POINTS),
                    a.given(FAIRNESS, f"{point}/worst", Unit.TEXT),
                    a.given(FAIRNESS, f"{point}/impact_gain", Unit.POINTS),
                )
                for point in a.names(FAIRNESS, "/alternatives/points")
            ],
        ),
        Picture("fairness/alternatives.png", "AUC against worst impact ratio of everything that was tried."),
    )
