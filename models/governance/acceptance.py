"""Gates that the evidence did not pass, and what it takes to go on: everybody who signs accepts them by name, in writing.

The evidence says which they are (`dossier.open_gates`), the approval's signed document repeats them with the reason, and a
promotion compares the two. The tier decides whether a pack, and so a verdict on fairness, is asked for at all.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from models.channel import verified
from models.errors import NotApproved
from models.governance.dossier import FIGURES, open_gates
from models.governance.inventory import declared, oversight
from models.governance.requests import Office, Request

FEWEST_WORDS = 3
"""Of a written reason."""
FOR_DEMONSTRATION = "accepted for demonstration only: no person has answered for it"


def gates_to_accept(office: Office, wanted: Request) -> tuple[str, ...]:
    """What must be accepted before this bundle comes into force, as `dossier.open_gates` says it; empty if nothing must be."""
    files = office.dossiers.files(wanted.model, wanted.bundle, wanted.evidence)
    rules = oversight(declared(verified(office.channel, wanted.model, wanted.bundle)))
    return open_gates(files) if rules.pack or FIGURES in files else ()


def check_acceptance(gates: Iterable[str], acceptance: str) -> None:
    """Raises `NotApproved` if gates are open and nobody wrote why that is accepted."""
    if (names := ", ".join(gates)) and len(acceptance.split()) < FEWEST_WORDS:
        raise NotApproved(
            f"the evidence did not pass {names}; {acceptance!r} is no reason to accept that",
            hint='read them, then reject it, or name your reason: make approve … ACCEPT="why it may be used all the same"',
        )


def says(document: Mapping[str, Any], wanted: Request, gates: tuple[str, ...]) -> bool:
    """Whether an approval's document is of this evidence and override, and accepts exactly the gates that are open."""
    asked = {"evidence": wanted.evidence, "override": wanted.override, "accepted": list(gates)}
    said = {name: document.get(name) for name in asked} | {"accepted": list(document.get("accepted", ()))}
    return said == asked and (not gates or bool(str(document.get("acceptance", "")).strip()))
