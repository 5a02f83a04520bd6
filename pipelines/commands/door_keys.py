"""The commands about API keys: who may ask the scoring service for what."""

from argparse import Namespace

from pydantic import ValidationError

from models.catalog import names
from models.errors import InputRefused
from models.governance.answerable import answerable
from models.governance.api_keys import EVERY, Action, Allowance, issue, new_secret
from pipelines.commands.loop import Ended
from pipelines.door_keys import keep, revoke
from pipelines.wiring import platform


def issue_key(chosen: Namespace) -> Ended:
    by, reason = answerable(chosen.by, chosen.reason)
    parts, secret = platform(), new_secret()
    if unknown := [name for name in chosen.models if name not in [EVERY, *names()]]:
        raise InputRefused(f"{unknown[0]!r} is no model", hint=f"models: {', '.join(names())}, or {EVERY}")
    key = issue(
        secret,
        chosen.name,
        models=chosen.models,
        actions=list(Action) if EVERY in chosen.actions else chosen.actions,
        days=chosen.days,
        now=parts.clock.now(),
        reviewers=chosen.reviewers,
        allowance=_allowance(chosen),
    )
    keep(parts.api_keys, parts.ledger, key, by=by, reason=reason)
    print(secret)
    print(f"{key.name} may {', '.join(key.actions)} with {', '.join(key.models)} until {key.expires_at:%Y-%m-%d %H:%M} UTC.")
    print("The key is shown this once and kept nowhere. Running services know it within five seconds.")
    print("Clients send it as: Authorization: Bearer …")
    return Ended.DONE


def list_keys(_chosen: Namespace) -> Ended:
    parts = platform()
    keys, now = parts.api_keys.all(), parts.clock.now()
    for key in keys:
        much = key.allowance
        print(f"{key.name}  {key.state(now)}  until {key.expires_at:%Y-%m-%d %H:%M} UTC")
        print(f"  may {', '.join(key.actions)} with {', '.join(key.models)}; reviews as {', '.join(key.reviewers)}")
        print(
            f"  {much.requests_per_second:g} requests a second, {much.burst} at once, {much.in_flight} in flight; "
            f"{much.decisions_per_second:g} decisions a second"
        )
    if not keys:
        print("There are no keys: the service answers on this machine only, and only in the local profile.")
    return Ended.DONE


def revoke_key(chosen: Namespace) -> Ended:
    by, reason = answerable(chosen.by, chosen.reason)
    parts = platform()
    revoke(parts.api_keys, parts.ledger, parts.clock, chosen.name, by=by, reason=reason)
    print(f"{chosen.name} opens nothing any more; running services know it within five seconds.")
    return Ended.DONE


def _allowance(chosen: Namespace) -> Allowance:
    try:
        return Allowance(**{name: getattr(chosen, name) for name in Allowance.model_fields})
    except ValidationError as error:
        wrong = error.errors()[0]
        raise InputRefused(f"{wrong['loc'][0]}: {wrong['msg']}", hint="see --help for the defaults") from error
