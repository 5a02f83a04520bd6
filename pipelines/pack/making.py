"""How it was made and whether it can be made again: rebuild, bill of materials, licences."""

from pipelines.pack.artefacts import Artefacts, Gate, Unit, Verdict
from pipelines.pack.files import LINEAGE, REBUILD
from pipelines.pack.gates import control
from pipelines.pack.prose import Document, Section, say, section, table
from pipelines.supply import BILL, LICENCES


def making(a: Artefacts) -> Document:
    return Document("making", "How it was made", (_rebuilt(a), _supply(a)))


def _rebuilt(a: Artefacts) -> Section:
    if not a.has(REBUILD):
        return section(
            "Rebuild",
            say(
                "It was not made again for this pack; the command is make evidence with REBUILD=yes (control {name}).",
                name=control(a, "lineage"),
            ),
        )
    verdict = Verdict.PASSED if a.at(REBUILD, "/reproduced") else Verdict.FAILED
    gate = Gate("rebuild", f"a golden row's probability differs by at most {a.at(REBUILD, '/tolerance'):g}", verdict)
    return section(
        "Rebuild",
        say("Made again from its record: {likeness}.", likeness=a.figure(REBUILD, "/likeness", Unit.TEXT, gate)),
        say("Differences in data: {data}.", data=a.figure(REBUILD, "/data", Unit.COUNT, gate)),
        say(
            "Differences in what came out: {parts}; in the circumstances: {around}.",
            parts=a.figure(REBUILD, "/parts", Unit.COUNT, gate),
            around=a.figure(REBUILD, "/circumstances", Unit.COUNT),
        ),
    )


def _supply(a: Artefacts) -> Section:
    refused = a.at(LICENCES, "/refused")
    gate = Gate("licences", "none is refused", Verdict.FAILED if refused else Verdict.PASSED)
    return section(
        "Bill of materials and licences",
        say(
            "Made in an environment of {libraries} components, the interpreter among them, listed by version and digest as {form}"
            " {edition}.",
            libraries=a.figure(BILL, "/components", Unit.COUNT),
            form=a.figure(BILL, "/bomFormat", Unit.TEXT),
            edition=a.figure(BILL, "/specVersion", Unit.TEXT),
        ),
        say("Licences that the policy refuses: {refused}.", refused=a.figure(LICENCES, "/refused", Unit.COUNT, gate)),
        say("The digest of the lock file is {lock}.", lock=a.figure(LINEAGE, "/lineage/lock_sha256", Unit.DIGEST)),
        table(
            say("Exceptions that the licence policy makes, with the reason."),
            ("Library", "Reason"),
            [(a.figure(LICENCES, p, Unit.KEY), a.figure(LICENCES, p, Unit.TEXT)) for p in a.names(LICENCES, "/exceptions")],
        ),
    )
