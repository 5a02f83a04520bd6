"""Asking for a promotion: the maker asks, and what is asked stands in the ledger until a checker has decided."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from models.bundle import Bundle
from models.channel import APPROVERS_OF_A_POLICY_CHANGE, ReleaseChannel, approvers_needed, check_compatible, verified
from models.clock import Clock
from models.errors import Integrity, NotFound
from models.governance.dossier import Dossiers
from models.governance.ledger import Entry, Event, Ledger
from models.governance.signing import Signer, Trust
from models.governance.yardstick import edited, yardstick


@dataclass(frozen=True)
class Office:
    """Who and what a release needs. `demonstration` is the local profile's approver; None means that people approve.

    `canaries`: customers are decided about here, so a release is tried on some of them first where its tier asks for it.
    """

    channel: ReleaseChannel
    ledger: Ledger
    trust: Trust
    publisher: Signer
    clock: Clock
    dossiers: Dossiers
    demonstration: Signer | None = None
    canaries: bool = False

    def note(self, event: Event, model: str, actor: str, facts: Mapping[str, Any]) -> None:
        self.ledger.append(event, model=model, actor=actor, at=self.clock.now(), facts=facts)

    def note_once(self, event: Event, model: str, actor: str, facts: Mapping[str, Any]) -> None:
        """Note it unless the newest such entry about this bundle already says the same."""
        known = self.noted(event, model, facts["bundle"])
        if not known or dict(known[-1].facts) != facts:
            self.note(event, model, actor, facts)

    def noted(self, event: Event, model: str, bundle: str) -> list[Entry]:
        """The entries of one kind about one bundle, oldest first."""
        return [entry for entry in self.ledger.entries(model) if entry.event is event and entry.facts.get("bundle") == bundle]


@dataclass(frozen=True)
class Request:
    """A wish to promote: which bundle, made by whom, and the champion that it was compared with ("" for none).

    `override` is the written reason why the gate's refusal should not stand, and `requester` whose reason it is.
    """

    model: str
    version: int
    bundle: str
    evidence: str
    trainer: str
    compared_with: str
    reason: str
    override: str = ""
    requester: str = ""


def request(office: Office, wanted: Request) -> None:
    """Record the wish; the bundle must be in the channel already. Asking the same again changes nothing.

    If its policy is not the one that earlier results were judged with, that is recorded first, field by field.
    Raises `Integrity` if its contract breaks the callers of the champion: nobody is to sign what would not be served.
    """
    bundle = verified(office.channel, wanted.model, wanted.bundle)
    check_compatible(office.channel, bundle, wanted.compared_with)
    before, changes = policy_changes(office, wanted, bundle)
    if changes:
        facts = {"bundle": wanted.bundle, "before": before, "changes": changes}
        office.note_once(Event.POLICY_CHANGED, wanted.model, wanted.trainer, facts)
    facts = {name: value for name, value in asdict(wanted).items() if name != "model"}
    office.note_once(Event.REQUESTED, wanted.model, wanted.requester or wanted.trainer, facts)


def requested(office: Office, model: str, bundle: str) -> Request:
    """The newest request for a bundle. Raises `NotFound`."""
    found = office.noted(Event.REQUESTED, model, bundle)
    if not found:
        raise NotFound(f"nobody asked to promote bundle {bundle[:12]} of {model}", hint="run `make train` or `make retrain`")
    return Request(model=model, **found[-1].facts)


def needed(office: Office, wanted: Request) -> int:
    """How many different approvers must sign: what the tier asks for; two if the policy was edited after results were seen."""
    bundle = verified(office.channel, wanted.model, wanted.bundle)
    least = approvers_needed(office.channel, bundle, wanted.compared_with)
    return max(least, APPROVERS_OF_A_POLICY_CHANGE) if policy_changes(office, wanted, bundle)[1] else least


def policy_changes(office: Office, wanted: Request, bundle: Bundle) -> tuple[str, dict[str, list[Any]]]:
    """The bundle that was judged before with another policy or inventory ("" if none), and what differs: field -> [before, now].

    With a champion its yardstick is the measure. Without one, that of every candidate whose results anybody has seen. What
    was noted once by that measure stays true. Raises `Integrity` if a changed yardstick is gone with its bundle.
    """
    for digest, noted in reversed(_judged_before(office, wanted)):
        if noted != yardstick(bundle) and (changes := edited(_seen(office, wanted.model, digest), bundle)):
            return digest, changes
    for entry in office.noted(Event.POLICY_CHANGED, wanted.model, wanted.bundle):
        if wanted.compared_with in ("", entry.facts["before"]):
            return entry.facts["before"], entry.facts["changes"]
    return "", {}


@dataclass(frozen=True)
class Withdrawal:
    """A person's word against a bundle: rolled back, or rejected. Only approvals signed after it count."""

    what: str
    reason: str
    at: datetime


def withdrawn(office: Office, wanted: Request) -> Withdrawal | None:
    """The last word against this bundle."""
    return withdrawal(office.ledger.entries(wanted.model), wanted.bundle)


def withdrawal(entries: Iterable[Entry], bundle: str) -> Withdrawal | None:
    """The last word against a bundle, by the entries of its model."""
    found = None
    for entry in entries:
        rolled_back = entry.event is Event.ROLLED_BACK and entry.facts["previous"] == bundle
        if rolled_back or (entry.event is Event.REJECTED and entry.facts["bundle"] == bundle):
            what = "rolled back" if rolled_back else "rejected"
            found = Withdrawal(what, entry.facts["reason"], datetime.fromisoformat(entry.recorded_at))
    return found


def _judged_before(office: Office, wanted: Request) -> list[tuple[str, Mapping[str, str] | None]]:
    """Bundles with the yardstick that the ledger noted of them (None in earlier releases), oldest first.

    The champion; without one, everything registered before this bundle was.
    """
    entries = [entry for entry in office.ledger.entries(wanted.model) if entry.event is Event.REGISTERED]
    noted = {entry.facts["bundle"]: entry.facts.get("yardstick") for entry in entries}
    if wanted.compared_with:
        return [(wanted.compared_with, noted.get(wanted.compared_with))]
    judged = list(noted)
    earlier = judged[: judged.index(wanted.bundle)] if wanted.bundle in noted else judged
    return [(digest, noted[digest]) for digest in earlier]


def _seen(office: Office, model: str, digest: str) -> Bundle:
    try:
        return verified(office.channel, model, digest)
    except NotFound as error:
        raise Integrity(
            f"bundle {digest[:12]} of {model}, whose results were seen, is not in the release channel: whether policy or"
            " inventory were edited since cannot be told",
            hint="put it back from a copy of the channel; the registry has its files too",
        ) from error
