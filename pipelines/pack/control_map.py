"""Control map: each control, the rules that it supports, and the tests and artefacts that show it."""

from pipelines.pack.artefacts import Artefacts, Unit
from pipelines.pack.files import CONTROLS
from pipelines.pack.prose import Cell, Document, Section, say, section, table


def control_map(a: Artefacts) -> Document:
    return Document("controls", "Control map", (_controls(a), _rules(a)))


def _controls(a: Artefacts) -> Section:
    return section(
        "Controls",
        say(
            "Controls: {count}. To support a rule is not to fulfil it: that is for those who sign. The tests named are run by"
            " the project's own suite, not by the flow that built this page.",
            count=a.figure(CONTROLS, "/controls", Unit.COUNT),
        ),
        table(
            say("What each control does, the rules that it supports, and what shows it."),
            ("Control", "What it does", "Supports", "Shown by tests", "Shown by artefacts"),
            [_control(a, pointer) for pointer in a.names(CONTROLS, "/controls")],
        ),
    )


def _control(a: Artefacts, pointer: str) -> tuple[Cell, ...]:
    named, claim = (a.figure(CONTROLS, f"{pointer}/{field}", Unit.TEXT) for field in ("name", "claim"))
    listed = (
        tuple(a.figure(CONTROLS, each, Unit.TEXT) for each in a.names(CONTROLS, f"{pointer}/{field}"))
        for field in ("rules", "tests", "artefacts")
    )
    return named, claim, *listed


def _rules(a: Artefacts) -> Section:
    rows = [(a.figure(CONTROLS, p, Unit.KEY), a.figure(CONTROLS, p, Unit.TEXT)) for p in a.names(CONTROLS, "/rules")]
    return section("Rules", table(say("What the rules ask for, in short."), ("Rule", "What"), rows))
