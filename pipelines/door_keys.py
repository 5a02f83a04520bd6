"""Issue API keys of the scoring service, revoke them, and check them against the ledger."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from models.clock import Clock
from models.errors import Conflict, Integrity, PlatformError
from models.governance.api_keys import ApiKey, ApiKeys
from models.governance.ledger import Entry, Event, Ledger
from models.governance.verification import Finding


def keep(keys: ApiKeys, ledger: Ledger, key: ApiKey, *, by: str, reason: str) -> None:
    """Let a new key open. Raises `Conflict` if its name was given before."""
    keys.ensure_free(key.name)
    shown = key.model_dump(mode="json", exclude={"digest", "issued_at", "revoked_at"})
    # Recorded first: nothing is opened that the ledger does not know.
    _note(ledger, Event.API_KEY_ISSUED, key, by, key.issued_at, shown | {"reason": reason})
    keys.add(key)


def revoke(keys: ApiKeys, ledger: Ledger, clock: Clock, name: str, *, by: str, reason: str) -> None:
    """Let a key open nothing any more. Raises `NotFound`; `Conflict` if that is done and recorded; `Integrity` if it is done and
    cannot be recorded: run it again when the ledger is mended."""
    key, now = keys.find(name), clock.now()
    if key.revoked_at is None:
        key = key.model_copy(update={"revoked_at": now})
        keys.replace(key)  # first: a ledger that is broken must keep nobody in
    elif _noted(ledger.entries()).get(name) == key.record:
        raise Conflict(f"{name} was revoked on {key.revoked_at:%Y-%m-%d}", hint="see make api-keys")
    try:
        _note(ledger, Event.API_KEY_REVOKED, key, by, now, {"name": name, "reason": reason})
    except PlatformError as error:
        raise Integrity(f"{name} opens nothing any more, but that is not recorded: {error.problem}", error.hint) from error


def check_keys(entries: Sequence[Entry], keys: Sequence[ApiKey]) -> Iterator[Finding]:
    """Every key is as the ledger's newest entry about it says. A key that is gone opens nothing, and is no finding."""
    noted = _noted(entries)
    for key in keys:
        where, hint = f"API key {key.name}", f"find out who wrote it; then make revoke-api-key NAME={key.name}"
        if key.name not in noted:
            yield Finding(where, "it may open the service, and the ledger does not say who issued it", hint)
        elif noted[key.name] != key.record:
            yield Finding(where, "its file is not what the ledger says of it: scope, end, revocation or key were edited", hint)


def _noted(entries: Iterable[Entry]) -> dict[str, str]:
    """What the newest entry about each key says of its record."""
    about = (entry for entry in entries if entry.event in (Event.API_KEY_ISSUED, Event.API_KEY_REVOKED))
    return {entry.facts["name"]: entry.facts["record"] for entry in about}


def _note(ledger: Ledger, event: Event, key: ApiKey, by: str, at: datetime, facts: dict[str, Any]) -> None:
    ledger.append(event, model="", actor=by, at=at, facts=facts | {"record": key.record})
