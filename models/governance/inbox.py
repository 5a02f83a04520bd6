"""What waits for people who approve: requests nobody has decided yet, and a champion whose signatures do not count."""

from dataclasses import dataclass

from models.errors import NotApproved
from models.governance.acceptance import gates_to_accept
from models.governance.approval import Approval
from models.governance.canaries import untried
from models.governance.checking import approvals_that_count, people_only
from models.governance.ledger import Entry, Event
from models.governance.requests import Office, Request, needed
from models.governance.waivers import waived


@dataclass(frozen=True)
class Waiting:
    """A request that nobody has decided yet. `stale`: the champion is no longer the one that it was compared with.

    `gates` were not passed and must be accepted in writing. `in_force`: it was promoted, and too few approvals count now.
    `untried`: what it lacks of the canary that its tier asks for, "" if nothing; `waived`: said by who answers for going without.
    """

    wanted: Request
    asked_at: str
    needed: int
    approvals: tuple[Approval, ...]
    people_only: str
    stale: bool
    place: str
    gates: tuple[str, ...] = ()
    in_force: bool = False
    untried: str = ""
    waived: str = ""


def waiting(office: Office, model: str, champion: str) -> list[Waiting]:
    """Requests neither promoted nor rejected since, oldest first; before them the champion, if too few approvals count.

    So it is with a champion of the local profile where people approve, and with one whose approvals have ended.
    """
    found: dict[str, Entry] = {}
    for entry in office.ledger.entries(model):
        if entry.event is Event.REQUESTED:
            found.pop(entry.facts["bundle"], None)
            found[entry.facts["bundle"]] = entry
        elif entry.event in (Event.PROMOTED, Event.REJECTED):
            found.pop(entry.facts["bundle"], None)
    found.pop(champion, None)
    asked = [*office.noted(Event.REQUESTED, model, champion)[-1:], *found.values()]
    wishes = [_waiting(office, Request(model=model, **entry.facts), entry.recorded_at, champion) for entry in asked]
    return [wish for wish in wishes if not wish.in_force or len(wish.approvals) < wish.needed]


def _waiting(office: Office, wanted: Request, asked_at: str, champion: str) -> Waiting:
    try:
        approvals = approvals_that_count(office, wanted)
    except NotApproved:
        approvals = ()
    in_force = wanted.bundle == champion
    return Waiting(
        wanted,
        asked_at,
        needed(office, wanted),
        approvals,
        people_only(office, wanted),
        stale=not in_force and wanted.compared_with != champion,
        place=office.dossiers.place(wanted.model, wanted.bundle, wanted.evidence),
        gates=gates_to_accept(office, wanted),
        in_force=in_force,
        untried=untried(office, wanted),
        waived=waived(office, wanted),
    )
