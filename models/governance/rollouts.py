"""Who may begin and end a roll-out, and what the ledger has of it. What it is: `models.rollout`.

The signed documents of the channel are the truth, and the ledger follows from them. To begin needs a ledger that holds; to end
does not: nothing may keep a challenger from being taken away from customers.
"""

from dataclasses import replace
from datetime import datetime

from models.channel import head, verified
from models.errors import Conflict, InputRefused, Integrity, NotFound, PlatformError
from models.governance.answerable import answerable
from models.governance.attestation import ensure_attested
from models.governance.canaries import check_terms
from models.governance.checking import ensure_approved
from models.governance.ledger import Event
from models.governance.registration import check_registered
from models.governance.requests import Office, Request, request, requested
from models.governance.rollout_records import noted_of, read, reconcile
from models.governance.stop import newest as newest_stop
from models.governance.trial import challenger
from models.guardrails import Guardrails
from models.rollout import End, Mode, Outcome, Rollout, check_share, lapsed, newest


def begin(
    office: Office,
    model: str,
    mode: Mode,
    *,
    bundle: str,
    share: float,
    ends: datetime,
    asked_by: str,
    reason: str,
    guardrails: Guardrails,
) -> Rollout:
    """Try a registered bundle beside the champion until `ends`.

    Raises `InputRefused` without a name or a reason, for a share that is none, or for fewer accounts than the tier asks for;
    `NoChampion`; `Conflict` if the model is stopped, a roll-out applies, or the challenger is the champion or was compared with
    another one; `NotFound` for a bundle that nobody registered, or, as a canary, asked to promote; `Held` or `NotApproved` for a
    canary without its approvals; `Integrity` if its contract breaks the champion's callers, or the ledger does not hold.
    """
    asked_by, reason = answerable(asked_by, reason)
    now = office.clock.now()
    _check_terms(mode, share, now, ends)
    ensure_attested(office)
    reconcile(office, model)
    pointer = head(office.channel, office.trust, model)
    _check_free(office, model, now)
    if pointer.bundle == bundle:
        raise Conflict(f"bundle {bundle[:12]} of {model} is the champion", hint="name another version")
    if mode is Mode.CANARY:
        wanted = _approved(office, model, bundle, pointer.bundle)
        check_terms(office, verified(office.channel, model, bundle), guardrails)
    else:
        wanted = registered(office, model, bundle)
        check_registered(office, wanted)
    begun = Rollout(
        model=model,
        number=office.channel.rollouts(model) + 1,
        mode=mode,
        challenger=bundle,
        challenger_version=wanted.version,
        champion=pointer.bundle,
        champion_version=pointer.version,
        share=share,
        started_at=now.isoformat(),
        ends_at=ends.isoformat(),
        asked_by=asked_by,
        reason=reason,
        guardrails=guardrails,
        pointer=pointer.sequence,
        stop=office.channel.stops(model),
    )
    challenger(office.channel, office.trust, begun, now)  # as serving will see it
    office.channel.add_rollout(model, begun.number, office.publisher.sign(begun.to_document()))
    reconcile(office, model)
    return begun


def end(office: Office, begun: Rollout, outcome: Outcome, *, asked_by: str, reason: str, evidence: str = "") -> End:
    """End this roll-out; the first end that is written counts, and asking again returns it.

    Raises `InputRefused` without a name or a reason; `Conflict` if another roll-out was begun since; `Integrity` if it was
    ended and the ledger could not record that.
    """
    asked_by, reason = answerable(asked_by, reason)
    found = newest(office.channel, office.trust, begun.model)
    if isinstance(found, End) and found.rollout == begun.number:
        ended = found
    elif isinstance(found, Rollout) and found.number == begun.number:
        number = max(office.channel.rollouts(begun.model), *_noted_numbers(office, begun.model), 0) + 1
        at = office.clock.now().isoformat()
        ended = End(begun.model, number, begun.number, outcome, at, asked_by, reason, evidence)
        office.channel.add_rollout(begun.model, number, office.publisher.sign(ended.to_document()))
    else:
        raise Conflict(f"roll-out {begun.number} of {begun.model} is not the newest any more", hint="see make rollouts")
    _record(office, ended)
    return ended


def end_newest(office: Office, model: str, *, asked_by: str, reason: str) -> End:
    """End the open roll-out by a person's word; or whatever the newest document is about, where nobody can read it: services try
    nothing then, and would again if it were taken away.

    Raises as `open_rollout` and `end`.
    """
    asked_by, reason = answerable(asked_by, reason)
    documents, unreadable = read(office.channel, office.trust, model)
    last = office.channel.rollouts(model)
    if last not in unreadable:
        return end(office, open_rollout(office, model), Outcome.ENDED, asked_by=asked_by, reason=reason)
    number, over = max([last, *_noted_numbers(office, model)]) + 1, tuple(sorted(unreadable))
    begun = max((found.number for found in documents if isinstance(found, Rollout)), default=0)
    ended = End(model, number, begun, Outcome.ENDED, office.clock.now().isoformat(), asked_by, reason, over=over)
    office.channel.add_rollout(model, number, office.publisher.sign(ended.to_document()))
    _record(office, ended)
    return ended


def _record(office: Office, ended: End) -> None:
    try:
        ensure_attested(office)
        reconcile(office, ended.model)
    except PlatformError as error:
        noted = ended.number in _noted_numbers(office, ended.model)
        so_far = "and the ledger has it, but" if noted else "but the ledger could not record it:"
        raise Integrity(f"{ended.what} is ended, {so_far} {error.problem}", error.hint) from error


def open_rollout(office: Office, model: str) -> Rollout:
    """The roll-out that no document has ended, whether it still applies or not.

    Raises `NotFound` if there is none, when what a killed command left unrecorded stands in the ledger; `Integrity` if that
    cannot be, or the newest document cannot be read; `NotApproved` if nobody who may signed it.
    """
    found = newest(office.channel, office.trust, model)
    if isinstance(found, Rollout):
        return found
    ensure_attested(office)
    reconcile(office, model)
    raise NotFound(f"no roll-out of {model} is open", hint="begin one: make shadow CHALLENGER=…, make canary CHALLENGER=…")


def ask_for_promotion(office: Office, begun: Rollout, *, reason: str) -> Request:
    """Ask again for the challenger's promotion, which was asked for before it became a canary, with what was seen since."""
    before = requested(office, begun.model, begun.challenger)
    wanted = replace(before, compared_with=begun.champion, reason=reason)
    request(office, wanted)
    return wanted


def registered(office: Office, model: str, bundle: str) -> Request:
    """What a registration says of a bundle, in the form of a request that nobody made. Raises `NotFound`."""
    entries = office.noted(Event.REGISTERED, model, bundle)
    if not entries:
        raise NotFound(f"nobody registered bundle {bundle[:12]} of {model}", hint="see make versions")
    facts = entries[-1].facts
    return Request(model, facts["version"], bundle, facts["evidence"], entries[-1].actor, "", "")


def _check_terms(mode: Mode, share: float, now: datetime, ends: datetime) -> None:
    try:
        check_share(mode, share)
    except ValueError as error:
        raise InputRefused(str(error), hint="a canary takes SHARE=.1, for example") from error
    if ends <= now:
        raise InputRefused("a roll-out that ends before it begins", hint="give it a day at least: DAYS=7")


def _check_free(office: Office, model: str, now: datetime) -> None:
    stopped = newest_stop(office.channel, office.trust, model)
    if stopped and stopped.stopped:
        raise Conflict(f"{model} is stopped: {stopped.reason}", hint="nothing is rolled out until it goes on: make resume")
    found = newest(office.channel, office.trust, model)
    if isinstance(found, Rollout) and not lapsed(office.channel, found, now):
        raise Conflict(
            f"roll-out {found.number} of {model} applies: version {found.challenger_version} as a {found.mode}",
            hint="one at a time; end it first: make end-rollout",
        )


def _approved(office: Office, model: str, bundle: str, champion: str) -> Request:
    """As for a promotion in the champion's place."""
    try:
        wanted = requested(office, model, bundle)
    except NotFound as error:
        hint = "a canary decides, so it needs what a promotion needs; where the gate kept the champion: make override"
        raise NotFound(error.problem, hint=hint) from error
    if wanted.compared_with != champion:
        raise Conflict(
            f"bundle {bundle[:12]} of {model} was compared with {wanted.compared_with[:12] or 'nothing'}, not with the champion"
            f" {champion[:12]}",
            hint="somebody promoted meanwhile; compare it with the champion in force: make retrain",
        )
    check_registered(office, wanted)
    ensure_approved(office, wanted)
    return wanted


def _noted_numbers(office: Office, model: str) -> list[int]:
    """Those that the ledger knows; none if nothing rests on it, for that must keep nobody from ending a roll-out."""
    try:
        ensure_attested(office)
        return [*noted_of(office.ledger.entries(model), model)]
    except PlatformError:
        return []
