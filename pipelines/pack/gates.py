"""The gates that a figure of a pack can fail, beside the checks by which a version was judged (`Artefacts.check`)."""

from collections.abc import Mapping
from typing import Any

from pipelines.pack.artefacts import Artefacts, Figure, Gate, Unit, Verdict
from pipelines.pack.files import ASSESSMENT, CONTROLS, FAIRNESS

OWNED = Gate("inventory", "nothing left out, or neither promoted nor served", Verdict.BINDING)
EXPOSED = Gate("exposure", "the largest ratio to what is declared, and no graver tier; or nothing is trained", Verdict.BINDING)
NOT_REFUSED = Gate("pack", "the digests agree, or nothing is sealed", Verdict.BINDING)
_RULED = {"within": Verdict.PASSED, "outside": Verdict.FAILED, "insufficient": Verdict.INSUFFICIENT}


def control(a: Artefacts, name: str) -> Figure:
    """The control of the map that shows a claim: tests and artefacts stand there."""
    return a.figure(CONTROLS, f"/controls/{name}/name", Unit.TEXT)


def of(a: Artefacts) -> Gate:
    """The decision as a whole."""
    refused = a.at(ASSESSMENT, "/gate/outcome") == "refuse"
    return Gate("gate", "every floor and every proof holds", Verdict.FAILED if refused else Verdict.PASSED)


def passed(a: Artefacts, pointer: str) -> Figure:
    """Whether a check was passed, as a figure that can fail it."""
    return a.figure(ASSESSMENT, f"{pointer}/passed", Unit.PASSED, a.check(a.at(ASSESSMENT, f"{pointer}/name")))


def told(a: Artefacts, name: str) -> Figure:
    """A check of the gate in its own words. Raises `Integrity` if it was not made."""
    gate = a.check(name)
    places = (pointer for pointer in a.names(ASSESSMENT, "/gate/checks") if a.at(ASSESSMENT, pointer)["name"] == name)
    return a.figure(ASSESSMENT, f"{next(places)}/sentence", Unit.TEXT, gate)


def fairness(a: Artefacts, pointer: str = "") -> Gate:
    """The worst verdict on all of it, or that of the gate at a pointer."""
    ruled = a.at(FAIRNESS, pointer or "/verdict")
    name = pointer.rsplit("/", 1)[-1] or "fairness"
    return Gate(name, "the limits of every jurisdiction", _RULED[ruled])


def ruled(ruling: Mapping[str, Any], name: str) -> Gate:
    """By one jurisdiction, with its limit."""
    sides = ((">=", ruling["limit_low"]), ("<=", ruling["limit_high"]))
    limit = " and ".join(f"{sign} {end:.10g}" for sign, end in sides if end is not None)
    return Gate(name, f"{ruling['jurisdiction']}: {limit}", _RULED[ruling["verdict"]])


def unruled(name: str) -> Gate:
    """No limit is no pass."""
    return Gate(name, "no jurisdiction has a limit for it", Verdict.INSUFFICIENT)


def joined(verdict: str) -> Gate:
    """Whether the audit columns of every account were found."""
    return Gate("fairness.join", "no account without audit columns", _RULED[verdict])


def monitored(name: str) -> Gate:
    """A limit of the policy that a month's verdict checks."""
    return Gate(f"monitoring.{name}", "this limit, every month", Verdict.REPORTED)


LINEAGE = Gate("lineage", "the recorded digest, or nothing is sealed", Verdict.BINDING)
