"""The commands that carry a release from home to home: send, receive, and the next step where it arrived."""

import re
from argparse import Namespace

from models.errors import Conflict, Integrity
from models.governance.answerable import answerable
from models.governance.delivery import sent
from models.governance.ledger import Event
from models.governance.release import champion
from models.governance.requests import requested
from models.governance.rollout_records import read
from models.governance.signers import signers
from models.governance.signing import Trust
from models.governance.waivers import waived
from pipelines.commands import governing, rolling_out
from pipelines.commands.loop import Ended, follow
from pipelines.delivery.advancing import Next, Step, next_step
from pipelines.delivery.receiving import receive as take_in
from pipelines.wiring import Platform, platform

_DIGEST = re.compile(r"[0-9a-f]{64}")
SHARE = 0.1
"""Of the accounts, that a canary decides for unless it is said otherwise."""


def make_sender(chosen: Namespace) -> Ended:
    own = platform().senders.make(chosen.name)
    print(f"{chosen.name} sends with this key: {own.public()}")
    print(f'Next, in the home that receives: make admit-sender NAME={chosen.name} KEY={own.public()} BY=… REASON="…"')
    return Ended.DONE


def admit(chosen: Namespace) -> Ended:
    parts = platform()
    answerable(chosen.by, chosen.reason)
    _ = parts.office  # a new local home makes its keys
    _note(parts, chosen, changed := parts.senders.proposed(chosen.name, chosen.key))  # first: nobody counts unrecorded
    parts.senders.write(changed)
    print(f"{chosen.name} may deliver here from now on; what arrives still needs its approvals")
    return Ended.DONE


def dismiss(chosen: Namespace) -> Ended:
    parts = platform()
    answerable(chosen.by, chosen.reason)
    changed = parts.senders.without(chosen.name)
    parts.senders.write(changed)  # first: a ledger that is broken must keep nobody in
    _note(parts, chosen, changed)
    print(f"{chosen.name} may not deliver here any more; what arrived before stays as it is")
    return Ended.DONE


def send(chosen: Namespace) -> Ended:
    parts = platform(use_case=chosen.model or "")
    made = sent(parts.office, parts.packs, parts.senders.own(chosen.name), parts.use_case.name)
    parts.pack_up(made, chosen.to)
    said = made.statement.document
    people = ", ".join(sorted(signed.signer for signed in made.approvals)) or "nobody"
    print(f"{said['model']}: version {said['version']}, bundle {said['bundle'][:12]}, signed by {chosen.name}: {chosen.to}")
    print(f"  evidence {said['evidence'][:12]}, approvals of {people}")
    print(f'Next, in the home that receives: make receive FROM={chosen.to} BY=… REASON="…"')
    return Ended.DONE


def parcel(chosen: Namespace) -> Ended:
    """For scripts: nothing is verified, and whatever is done with it verifies all of it. Raises `Integrity`.

    It is a digest and nothing else: a workflow writes it where each further line would be a setting of the runner.
    """
    said = str(platform().unpack(chosen.parcel).statement.document.get("bundle", ""))
    if not _DIGEST.fullmatch(said):
        raise Integrity(f"{chosen.parcel} names no bundle: {said[:80]!r} is no digest", hint="find out who made that parcel")
    print(said)
    return Ended.DONE


def receive(chosen: Namespace) -> Ended:
    parts = platform(use_case=chosen.model or "")
    by, reason = answerable(chosen.by, chosen.reason)
    carried = parts.unpack(chosen.parcel)
    came = take_in(parts.desk, parts.shelves, parts.scorer, carried, parts.use_case.name, by=by, reason=reason)
    said = came.found.said
    if came.before:
        print(f"{said.model}: bundle {said.bundle[:12]} is in force here already, as version {came.version}")
        return Ended.DONE
    print(f"{said.model}: bundle {said.bundle[:12]} from {carried.statement.signer} is version {came.version} here, and waits")
    print(f"  it is version {said.version} there; evidence {said.evidence[:12]}; the golden rows score the same here")
    print(f"  approvals that count here: {', '.join(each.signer for each in came.found.approvals) or 'none yet'}")
    for signer, why in came.found.refused.items():
        print(f"  not counted, of {signer}: {why}")
    print(f'Next: make requests, make approve, then make advance BUNDLE={said.bundle[:12]} BY=… REASON="…"')
    return Ended.DONE


def advance(chosen: Namespace) -> Ended:
    """One step further. Raises `Conflict` where the canary did not pass, `Held` while people must sign."""
    parts = platform(use_case=chosen.model or "")
    bundle = governing.digest_of(parts, chosen.bundle)
    chosen = Namespace(**{**vars(chosen), "bundle": bundle, "challenger": bundle})
    found = _next(parts, bundle)
    if found.step is Step.JUDGE:
        rolling_out.judge(chosen)
        found = _next(parts, bundle)
    print(f"{bundle[:12]}: {found.why}")
    if found.step is Step.STOP:
        raise Conflict(
            f"bundle {bundle[:12]} goes no further: {found.why}",
            hint="the champion decides for everybody; read the verdict (make rollouts), then make canary again or make reject",
        )
    if found.step is Step.BEGIN:
        rolling_out.canary(chosen)
        return Ended.HELD
    if found.step is Step.PROMOTE:
        return governing.promote(chosen)
    if found.step is Step.NOTHING:
        follow(parts)
        return Ended.DONE
    return Ended.HELD


def _next(parts: Platform, bundle: str) -> Next:
    office, model = parts.office, parts.use_case.name
    documents, _ = read(office.channel, office.trust, model)
    answered = waived(office, requested(office, model, bundle))
    return next_step(office.channel, documents, model, bundle, champion(office, model), office.clock.now(), answered)


def _note(parts: Platform, chosen: Namespace, changed: Trust) -> None:
    facts = signers(changed) | {"reason": chosen.reason}
    parts.ledger.append(Event.SIGNERS_NOTED, model="", actor=chosen.by, at=parts.clock.now(), facts=facts)
