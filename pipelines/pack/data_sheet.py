"""Data sheet: which rows, what counts as bad, what the outcome has meant so far, and which columns are never used."""

from models.contract import Role
from pipelines.pack.artefacts import Artefacts, Unit
from pipelines.pack.files import CONTRACT, DATA, LEDGER, OUTCOMES
from pipelines.pack.gates import LINEAGE, control
from pipelines.pack.prose import Cell, Document, Section, points, say, section, table


def data_sheet(a: Artefacts) -> Document:
    return Document("data", "Data sheet", (_partitions(a), _outcome(a), _columns(a)))


def _partitions(a: Artefacts) -> Section:
    return section(
        "Which rows",
        say(
            "Cohorts for development: {count}. Out of time is {month}, kept for judging. Models judged on it until this"
            " one was trained, this one included: {opening}.",
            count=a.figure(DATA, "/development", Unit.COUNT),
            month=a.figure(DATA, "/out_of_time", Unit.TEXT),
            opening=a.figure(DATA, "/out_of_time_opening", Unit.COUNT),
        ),
        say("Cohorts that had matured and were left out: {count}.", count=a.figure(DATA, "/left_out", Unit.COUNT)),
        table(
            say("Every partition that was read (control {lineage}).", lineage=control(a, "lineage")),
            ("Table", "Month", "Version", "Rows", "Recorded at (UTC)", "Digest"),
            [
                (
                    a.figure(DATA, f"{part}/table", Unit.TEXT),
                    a.figure(DATA, f"{part}/month", Unit.TEXT),
                    a.figure(DATA, f"{part}/version", Unit.PLAIN),
                    a.figure(DATA, f"{part}/rows", Unit.COUNT),
                    a.figure(DATA, f"{part}/recorded_at", Unit.INSTANT),
                    a.figure(DATA, f"{part}/digest", Unit.DIGEST, LINEAGE),
                )
                for part in a.names(DATA, "/partitions")
            ],
        ),
    )


def _outcome(a: Artefacts) -> Section:
    definitions = a.names(OUTCOMES, "/definitions")
    heads = [say("Definition {number}", number=a.figure(OUTCOMES, each, Unit.KEY)) for each in definitions]
    held = [pointer for pointer in a.names(LEDGER, "/entries") if a.at(LEDGER, pointer)["event"] == "hold_opened"]
    return section(
        "What counts as bad",
        say(
            "Bad is: {rule} (definition {version}).",
            rule=a.figure(OUTCOMES, f"/definitions/{a.at(OUTCOMES, '/definition')}", Unit.TEXT),
            version=a.figure(OUTCOMES, "/definition", Unit.PLAIN),
        ),
        say(
            "A change of what the outcome means is held for a person (control {control}). Readings known: {count}.",
            control=control(a, "definitions"),
            count=a.figure(OUTCOMES, "/definitions", Unit.COUNT),
        ),
        points(
            *(
                say(
                    "definition {number}: {rule}",
                    number=a.figure(OUTCOMES, pointer, Unit.KEY),
                    rule=a.figure(OUTCOMES, pointer, Unit.TEXT),
                )
                for pointer in definitions
            )
        ),
        table(
            say("Bad rate by month under each definition that can read its coding."),
            ("Month", "Coded", "Known on", "Accounts", *heads),
            [
                (
                    a.figure(OUTCOMES, f"{month}/month", Unit.TEXT),
                    a.figure(OUTCOMES, f"{month}/coding", Unit.TEXT),
                    a.figure(OUTCOMES, f"{month}/matured_at", Unit.TEXT),
                    a.figure(OUTCOMES, f"{month}/rows", Unit.COUNT),
                    *(_reading(a, month, pointer.rsplit("/", 1)[-1]) for pointer in definitions),
                )
                for month in a.names(OUTCOMES, "/months")
            ],
        ),
        points(
            *(
                say(
                    "{month}: {what}",
                    month=a.figure(LEDGER, f"{pointer}/facts/month", Unit.TEXT),
                    what=a.figure(LEDGER, f"{pointer}/facts/what", Unit.TEXT),
                )
                for pointer in held
            )
        )
        if held
        else None,
        say("Holds on record when this version was registered: {count}.", count=a.figure(LEDGER, "/holds", Unit.COUNT)),
    )


def _reading(a: Artefacts, month: str, definition: str) -> Cell:
    rates = a.at(OUTCOMES, f"{month}/bad_rates")
    return a.figure(OUTCOMES, f"{month}/bad_rates/{definition}", Unit.SHARE) if definition in rates else ""


def _columns(a: Artefacts) -> Section:
    by_role = {role: [p for p in a.names(CONTRACT, "/columns") if a.at(CONTRACT, p)["role"] == role.value] for role in Role}
    return section(
        "Which columns",
        table(
            say("What the model reads: {count} inputs.", count=a.figure(OUTCOMES, "/inputs", Unit.COUNT)),
            ("Input", "Meaning"),
            [_column(a, pointer) for pointer in by_role[Role.INPUT]],
        ),
        table(
            say("Audit columns: no estimator, scorer or request reads them (control {wall}).", wall=control(a, "audit-wall")),
            ("Audit column", "Meaning"),
            [_column(a, pointer) for pointer in by_role[Role.AUDIT]],
        ),
    )


def _column(a: Artefacts, pointer: str) -> tuple[Cell, Cell]:
    return a.figure(CONTRACT, f"{pointer}/name", Unit.TEXT), a.figure(CONTRACT, f"{pointer}/meaning", Unit.TEXT)
