"""What stands in the inbox of people who approve, and on the page of one request."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.channel import history
from models.errors import NotFound
from models.governance import release
from models.governance.acceptance import gates_to_accept
from models.governance.approval import Approval
from models.governance.canaries import untried
from models.governance.checking import approvals_that_count, people_only
from models.governance.inbox import Waiting, waiting
from models.governance.ledger import Entry, Event, Hold, open_holds
from models.governance.release import earlier
from models.governance.requests import Office, Request, needed, requested
from models.governance.signing import Duty
from models.governance.stop import Stop
from models.governance.waivers import waived
from monitoring.console.pages.releases import Release, champion, noted, releases
from monitoring.console.pages.today import known, stopped
from monitoring.console.sources import Sources, Trouble, or_trouble
from monitoring.packs import Version, versions

DECIDED = (
    *(Event.APPROVED, Event.REJECTED, Event.PROMOTED, Event.REPROMOTED, Event.ROLLED_BACK, Event.STOPPED, Event.RESUMED),
    *(Event.OVERRIDE_REQUESTED, Event.CANARY_WAIVED, Event.KEPT),
)
DECIDED_SHOWN = 20


@dataclass(frozen=True)
class Post:
    """What can be decided about one model: what waits, what is in force, and what it would fall back to."""

    model: str
    waiting: Sequence[Waiting] | Trouble
    holds: Sequence[Hold]
    champion: Release | Trouble | None
    stopped: Stop | Trouble | None
    fallbacks: Sequence[Release]  # those that were in force before, newest first, each once
    back_to: int  # the version that a roll-back would bring, 0 for none


@dataclass(frozen=True)
class Inbox:
    posts: Sequence[Post]
    decided: Sequence[Entry]  # newest first


@dataclass(frozen=True)
class RequestPage:
    """`approvers` are trusted to sign; `demonstration`: the local profile's may, too, unless the request is for people only."""

    wish: Waiting
    version: Version | None
    demonstration: bool
    approvers: Sequence[str]
    in_force: bool
    rejected: Entry | None

    @property
    def wanted(self) -> Request:
        return self.wish.wanted

    @property
    def enough(self) -> bool:
        return len(self.wish.approvals) >= self.wish.needed

    @property
    def ready(self) -> bool:
        """Whether it could be brought into force."""
        return self.enough and not self.in_force and (not self.wish.untried or bool(self.wish.waived))

    @property
    def signed_by(self) -> Sequence[Approval]:
        return self.wish.approvals


def inbox(sources: Sources) -> Inbox:
    entries = or_trouble(sources.ledger.entries)
    decided = [] if isinstance(entries, Trouble) else [entry for entry in reversed(entries) if entry.event in DECIDED]
    return Inbox([_post(sources, model) for model in known(sources)], decided[:DECIDED_SHOWN])


def request_page(sources: Sources, model: str, bundle: str) -> RequestPage:
    """Of the bundle that begins so. Raises `NotFound`."""
    office, digest = sources.office(), bundle_of(sources, model, bundle)
    wanted, in_force = requested(office, model, digest), release.champion(office, model)
    found = [wish for wish in waiting(office, model, in_force) if wish.wanted.bundle == digest]
    entries = sources.ledger.entries(model)
    said_no = [entry for entry in entries if entry.event is Event.REJECTED and entry.facts["bundle"] == digest]
    return RequestPage(
        wish=found[0] if found else _settled(office, wanted, in_force),
        version=next((each for each in versions(entries, sources.packs, model) if each.bundle == digest), None),
        demonstration=office.demonstration is not None,
        approvers=[name for name in sorted(office.trust.keys.get(Duty.APPROVE, {})) if not _job(office, name)],
        in_force=digest == in_force,
        rejected=said_no[-1] if said_no and not found else None,
    )


def bundle_of(sources: Sources, model: str, beginning: str) -> str:
    """The digest that begins like this, of all that a promotion was asked for. Raises `NotFound`."""
    asked = {str(entry.facts["bundle"]) for entry in sources.ledger.entries(model) if entry.event is Event.REQUESTED}
    found = [digest for digest in asked if digest.startswith(beginning)]
    if len(found) != 1 or len(beginning) < 6:
        raise NotFound(f"nobody asked to promote a bundle {beginning!r} of {model}", hint="open it from Approvals")
    return found[0]


def _settled(office: Office, wanted: Request, in_force: str) -> Waiting:
    """A request that waits for nobody any more, as it stands."""
    return Waiting(
        wanted,
        office.noted(Event.REQUESTED, wanted.model, wanted.bundle)[-1].recorded_at,
        needed(office, wanted),
        approvals_that_count(office, wanted),
        people_only(office, wanted),
        stale=wanted.bundle != in_force and wanted.compared_with != in_force,
        place=office.dossiers.place(wanted.model, wanted.bundle, wanted.evidence),
        gates=gates_to_accept(office, wanted),
        in_force=wanted.bundle == in_force,
        untried=untried(office, wanted),
        waived=waived(office, wanted),
    )


def _job(office: Office, name: str) -> bool:
    return office.demonstration is not None and name == office.demonstration.name


def _post(sources: Sources, model: str) -> Post:
    def wishes() -> Sequence[Waiting]:
        if not noted(sources, model):  # a home that never recorded anything may have no keys to act with
            return []
        office = sources.office()
        return waiting(office, model, release.champion(office, model))

    entries = or_trouble(lambda: noted(sources, model))
    current = or_trouble(lambda: champion(sources, model) if sources.channel.pointers(model) else None)
    before = or_trouble(lambda: _before(sources, model))
    fallbacks, back_to = ([], 0) if isinstance(before, Trouble) else before
    return Post(
        model=model,
        waiting=or_trouble(wishes),
        holds=[] if isinstance(entries, Trouble) else open_holds(entries),
        champion=current,
        stopped=or_trouble(lambda: stopped(sources, model)),
        fallbacks=fallbacks,
        back_to=back_to,
    )


def _before(sources: Sources, model: str) -> tuple[list[Release], int]:
    pointers = history(sources.channel, sources.trust(), model) if sources.channel.pointers(model) else []
    if not pointers:
        return [], 0
    target = earlier(pointers)
    known_as = {pointer.bundle: pointer.version for pointer in pointers}
    others = {
        each.pointer.bundle: each for each in reversed(releases(sources, model)) if each.pointer.bundle != pointers[-1].bundle
    }
    return list(reversed(others.values())), known_as.get(target, 0)
