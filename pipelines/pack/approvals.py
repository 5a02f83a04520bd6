"""Approvals and overrides: who must sign, and what the ledger holds about this model that a pack can hold."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from models.governance.dossier import unpassed
from pipelines.pack.artefacts import Artefacts, Figure, Gate, Unit, Verdict
from pipelines.pack.files import LEDGER, OVERSIGHT, SUBJECT
from pipelines.pack.gates import OWNED, control
from pipelines.pack.prose import Cell, Document, Section, say, section, table

SIGNED = "approvals"
CHAINED = Gate("ledger", "the chain of the ledger holds, or nothing is sealed", Verdict.BINDING)
DETAILS = ("reason", "comment", "override", "conditions", "what", "month", "watermark")


def approvals(a: Artefacts) -> Document:
    return Document(SIGNED, "Approvals and overrides", (_needed(a), _recorded(a)))


def with_gates(document: Document, a: Artefacts, figures: Sequence[Figure]) -> Document:
    """The same document, with the gates that these figures did not pass, as an approval must name them."""
    left = unpassed((figure.gate.name, figure.gate.verdict.value) for figure in figures)
    asked = section(
        "What must be accepted in writing",
        say(
            "A gate that was not passed blocks promotion until everybody who signs has accepted it, by name and with a reason"
            " (control {name}). The demonstration approver of the local profile accepts it for demonstration only.",
            name=control(a, "acceptance"),
        ),
        table(
            say("Gates that were not passed, each with one of its figures."), ("Gate", "Verdict", "Figure"), _left(left, figures)
        ),
    )
    return replace(document, sections=(document.sections[0], asked, *document.sections[1:]))


def _left(left: Mapping[str, str], figures: Sequence[Figure]) -> list[tuple[Cell, ...]]:
    shown = {(figure.gate.name, figure.gate.verdict.value): figure for figure in reversed(figures)}
    return [(gate, verdict, shown[gate, verdict]) for gate, verdict in left.items()]


def _needed(a: Artefacts) -> Section:
    return section(
        "Who must sign",
        say(
            "Approvers who must sign: {approvers}. Who trained it cannot approve it: {trainer}.",
            approvers=a.figure(OVERSIGHT, "/approvers", Unit.COUNT, OWNED),
            trainer=a.figure(SUBJECT, "/trainer", Unit.TEXT),
        ),
        say(
            "An approval of this version signs the digest of the bundle and the digest of this folder, so it cannot stand inside."
            " The viewer shows it above this page (control {name}).",
            name=control(a, "approval"),
        ),
    )


def _recorded(a: Artefacts) -> Section:
    entries = a.names(LEDGER, "/entries")
    return section(
        "What is on record",
        say(
            "Overrides of the gate asked for before this version was registered: {before}; for this version, until this pack was"
            " made: {own}.",
            before=a.figure(LEDGER, "/overrides_before", Unit.COUNT, CHAINED),
            own=a.figure(LEDGER, "/overrides", Unit.COUNT, CHAINED),
        ),
        table(
            say(
                "Entries of the ledger shown: {count}. From before this version was registered: all about this model but"
                " registrations, requests and packs. Of this version: openings of its month, changes of its policy, what the gate"
                " refused, and overrides. Its approvals sign this pack and cannot stand inside.",
                count=a.figure(LEDGER, "/entries", Unit.COUNT, CHAINED),
            ),
            ("Entry", "What", "By", "Recorded at (UTC)", "In words"),
            [_entry(a, pointer) for pointer in entries],
        ),
    )


def _entry(a: Artefacts, pointer: str) -> tuple[Cell, ...]:
    facts = a.at(LEDGER, f"{pointer}/facts")
    told = next((name for name in DETAILS if facts.get(name)), "")
    words: Cell = a.figure(LEDGER, f"{pointer}/facts/{told}", Unit.TEXT) if told else ""
    cells: list[Figure] = [
        a.figure(LEDGER, f"{pointer}/number", Unit.PLAIN, CHAINED),
        *(a.figure(LEDGER, f"{pointer}/{name}", Unit.TEXT) for name in ("event", "actor")),
        a.figure(LEDGER, f"{pointer}/recorded_at", Unit.INSTANT),
    ]
    return *cells, words
