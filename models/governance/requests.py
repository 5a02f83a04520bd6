"""Asking for a promotion: the maker asks, and what is asked stands in the ledger until a checker has decided."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from models.bundle import Bundle
from models.channel import APPROVERS_OF_A_POLICY_CHANGE, POLICY, ReleaseChannel, approvers_needed, check_compatible, verified
from models.clock import Clock
from models.errors import NotFound
from models.governance.dossier import Dossiers
from models.governance.ledger import Entry, Event, Ledger
from models.governance.signing import Signer, Trust


@dataclass(frozen=True)
class Office:
    """Who and what a release needs. `demonstration` is the local profile's approver; None means that people approve."""

    channel: ReleaseChannel
    ledger: Ledger
    trust: Trust
    publisher: Signer
    clock: Clock
    dossiers: Dossiers
    demonstration: Signer | None = None

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
    """The bundle that was judged before with another policy ("" if none), and what differs: field -> [before, now].

    With a champion its policy is the measure. Without one, that of every candidate whose results anybody has seen.
    """
    before = [wanted.compared_with] if wanted.compared_with else _judged_before(office, wanted)
    for digest in reversed(before):
        try:
            policy = verified(office.channel, wanted.model, digest).files[POLICY]
        except NotFound:
            continue  # a refused candidate of long ago, deleted by then
        if policy != bundle.files[POLICY]:
            return digest, _differences(json.loads(policy), json.loads(bundle.files[POLICY]))
    return "", {}


@dataclass(frozen=True)
class Withdrawal:
    """A person's word against a bundle: rolled back, or rejected. Only approvals signed after it count."""

    what: str
    reason: str
    at: datetime


def withdrawn(office: Office, wanted: Request) -> Withdrawal | None:
    """The last word against this bundle."""
    found = None
    for entry in office.ledger.entries(wanted.model):
        rolled_back = entry.event is Event.ROLLED_BACK and entry.facts["previous"] == wanted.bundle
        if rolled_back or (entry.event is Event.REJECTED and entry.facts["bundle"] == wanted.bundle):
            what = "rolled back" if rolled_back else "rejected"
            found = Withdrawal(what, entry.facts["reason"], datetime.fromisoformat(entry.recorded_at))
    return found


def _judged_before(office: Office, wanted: Request) -> list[str]:
    """Registered before this bundle was, oldest first."""
    judged = [entry.facts["bundle"] for entry in office.ledger.entries(wanted.model) if entry.event is Event.REGISTERED]
    return judged[: judged.index(wanted.bundle)] if wanted.bundle in judged else judged


def _differences(before: Any, now: Any, path: str = "") -> dict[str, list[Any]]:
    if isinstance(before, dict) and isinstance(now, dict):
        found: dict[str, list[Any]] = {}
        for name in sorted({*before, *now}):
            found |= _differences(before.get(name), now.get(name), f"{path}.{name}" if path else name)
        return found
    return {} if before == now else {path: [before, now]}
