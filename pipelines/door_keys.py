"""Issue and revoke the API keys of the scoring service, so that the ledger knows of it first, and check them against it."""

from collections.abc import Iterator, Sequence
from typing import Any

from models.clock import Clock
from models.errors import Conflict
from models.governance.api_keys import ApiKey, ApiKeys, State
from models.governance.ledger import Entry, Event, Ledger
from models.governance.verification import Finding


def keep(keys: ApiKeys, ledger: Ledger, key: ApiKey, *, by: str, reason: str) -> None:
    """Let a new key open. Raises `Conflict` if its name was given before."""
    keys.ensure_free(key.name)
    shown = key.model_dump(mode="json", exclude={"digest", "issued_at", "revoked_at"})
    # Recorded first: nothing is opened that the ledger does not know.
    _note(ledger, Event.API_KEY_ISSUED, key, by, key.issued_at, shown | {"reason": reason})
    keys.add(key)


def revoke(keys: ApiKeys, ledger: Ledger, clock: Clock, name: str, *, by: str, reason: str) -> ApiKey:
    """Let a key open nothing any more. Raises `NotFound`, or `Conflict` if it was revoked before."""
    key, now = keys.find(name), clock.now()
    if key.state(now) is State.REVOKED:
        raise Conflict(f"{name} was revoked on {key.revoked_at:%Y-%m-%d}", hint="see make api-keys")
    revoked = key.model_copy(update={"revoked_at": now})
    _note(ledger, Event.API_KEY_REVOKED, revoked, by, now, {"name": name, "reason": reason})
    keys.replace(revoked)
    return revoked


def check_keys(entries: Sequence[Entry], keys: Sequence[ApiKey]) -> Iterator[Finding]:
    """Every key is as the ledger's newest entry about it says. A key that is gone opens nothing, and is no finding."""
    noted: dict[str, str] = {}
    for entry in entries:
        if entry.event in (Event.API_KEY_ISSUED, Event.API_KEY_REVOKED):
            noted[entry.facts["name"]] = entry.facts["record"]
    for key in keys:
        where, hint = f"API key {key.name}", f"find out who wrote it; then make revoke-api-key NAME={key.name}"
        if key.name not in noted:
            yield Finding(where, "it may open the service, and the ledger does not say who issued it", hint)
        elif noted[key.name] != key.record:
            yield Finding(where, "its file is not what the ledger says of it: scope, end, revocation or key were edited", hint)


def _note(ledger: Ledger, event: Event, key: ApiKey, by: str, at: Any, facts: dict[str, Any]) -> None:
    ledger.append(event, model="", actor=by, at=at, facts=facts | {"record": key.record})
