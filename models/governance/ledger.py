"""The append-only record of everything that changed what may decide: hash-chained, so that edits show."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from models.bundle import canonical, sha256
from models.errors import Integrity
from models.governance.signing import Duty, Signed, Signer


class Event(StrEnum):
    OUT_OF_TIME_OPENED = "out_of_time_opened"
    REGISTERED = "registered"
    REQUESTED = "requested"
    RECEIVED = "received"
    PACK_SEALED = "pack_sealed"
    SWAP_SET_SEALED = "swap_set_sealed"
    POLICY_CHANGED = "policy_changed"
    OVERRIDE_REQUESTED = "override_requested"
    CANARY_WAIVED = "canary_waived"
    APPROVED = "approved"
    REJECTED = "rejected"
    PROMOTED = "promoted"
    REPROMOTED = "repromoted"
    KEPT = "kept"
    RETRAINING_BEGUN = "retraining_begun"
    RETRAINING_ENDED = "retraining_ended"
    ROLLED_BACK = "rolled_back"
    STOPPED = "stopped"
    RESUMED = "resumed"
    ROLLOUT_BEGUN = "rollout_begun"
    ROLLOUT_JUDGED = "rollout_judged"
    ROLLOUT_ENDED = "rollout_ended"
    TRUSTED = "trusted"
    DISTRUSTED = "distrusted"
    SIGNERS_NOTED = "signers_noted"
    KEYS_ROTATED = "keys_rotated"
    API_KEY_ISSUED = "api_key_issued"
    API_KEY_REVOKED = "api_key_revoked"
    USER_MADE = "user_made"
    USER_REMOVED = "user_removed"
    ANCHORED = "anchored"
    INPUTS_EXPIRED = "inputs_expired"
    DECISIONS_SEALED = "decisions_sealed"
    HOLD_OPENED = "hold_opened"
    DEFINITION_ACCEPTED = "definition_accepted"
    HOLD_RELEASED = "hold_released"
    ALERT_ACKNOWLEDGED = "alert_acknowledged"
    ALERT_CLOSED = "alert_closed"


_SEALS = frozenset({"chain", "witness", "attestation"})


@dataclass(frozen=True)
class Entry:
    """`chain` is the SHA-256 of this entry with the chain value of the one before.

    `attestation` is the signature of `witness` under number and chain value (`Duty.ATTEST`), so under everything up to here.
    `cause` is the id of the flow run, command or request that did it, as log lines and MLflow's runs have it; "" if unknown.
    """

    number: int
    event: Event
    model: str
    actor: str
    recorded_at: str
    facts: Mapping[str, Any]
    previous: str
    chain: str = ""
    witness: str = ""
    attestation: str = ""
    cause: str = ""

    def written(self) -> dict[str, Any]:
        """As it is stored. Entries of before there were causes have none, and their chain values stay what they were."""
        return {key: value for key, value in asdict(self).items() if key != "cause" or value}

    def sealed(self) -> "Entry":
        body = {key: value for key, value in self.written().items() if key not in _SEALS}
        return replace(self, chain=sha256(canonical(body)))

    def attested(self, witness: Signer) -> "Entry":
        """The same sealed entry, signed."""
        signed = witness.sign(self.head())
        return replace(self, witness=signed.signer, attestation=signed.signature)

    def head(self) -> dict[str, Any]:
        """What stands for the whole ledger up to here."""
        return {"number": self.number, "chain": self.chain}

    def signed_head(self) -> Signed:
        return Signed(self.head(), self.witness, Duty.ATTEST, self.attestation)


class Ledger(Protocol):
    def append(self, event: Event, *, model: str, actor: str, at: datetime, facts: Mapping[str, Any]) -> Entry:
        """Durable when it returns."""
        ...

    def entries(self, model: str | None = None) -> list[Entry]:
        """Oldest first."""
        ...

    def heads(self) -> list[tuple[str, Signed]]:
        """Every signed head that is kept, with where. Unverified; see `models.governance.audit`."""
        ...


def verify_chain(entries: Sequence[Entry]) -> None:
    """Raises `Integrity` naming the first entry that was edited, removed or reordered."""
    previous = ""
    for number, entry in enumerate(entries, start=1):
        if what := _broken(entry, number, previous):
            raise Integrity(
                f"ledger entry {number} was edited, removed or reordered: {what}", hint="restore the ledger from its backup"
            )
        previous = entry.chain


def head_of(signed: Signed, where: str) -> tuple[int, str]:
    """Number and chain value of the entry that a signed head stands for; 0 and "" before the first.

    Raises `Integrity` for what is no head.
    """
    number, chain = signed.document.get("number"), signed.document.get("chain")
    if type(number) is not int or number < 0 or not isinstance(chain, str):
        raise Integrity(f"{where} is no head of a ledger: it names no entry", hint="restore it from its backup, then make verify")
    return number, chain


def _broken(entry: Entry, number: int, previous: str) -> str:
    if entry.number != number:
        return f"entry {entry.number} stands in its place"
    try:
        chain = entry.sealed().chain
    except (ValueError, RecursionError):  # no process of ours can have written that
        return "its facts are none that could be sealed"
    if chain != entry.chain:
        return "its content is not what its chain value was made of"
    return "" if entry.previous == previous else "it does not follow the entry before it"


@dataclass(frozen=True)
class Hold:
    """Retraining waits. `month` is the snapshot or outcome month that it is about, `column` the column whose codes changed.

    `coding` is how an outcome was coded; it is empty if the hold is about an input. Without a column it is about a whole
    delivery that has not come.
    """

    month: str
    what: str
    opened_at: str
    coding: str = ""
    column: str = ""

    @property
    def command(self) -> str:
        """What a person runs to release it."""
        if self.coding:
            return 'make accept-definition VERSION=… BY=… REASON="…"'
        column = f" COLUMN={self.column}" if self.column else ""
        return f'make accept-input MONTH={self.month}{column} BY=… REASON="…"'


def open_holds(entries: Sequence[Entry]) -> list[Hold]:
    """The holds not yet released, oldest first."""
    holds: dict[tuple[str, str], Hold] = {}
    for entry in entries:
        if entry.event is Event.HOLD_OPENED:
            hold = hold_of(entry)
            holds[hold.month, hold.what] = hold
        elif entry.event is Event.HOLD_RELEASED:
            holds.pop((entry.facts["month"], entry.facts["what"]), None)
    return list(holds.values())


def hold_of(entry: Entry) -> Hold:
    """The hold that this entry opened."""
    facts = entry.facts
    return Hold(facts["month"], facts["what"], entry.recorded_at, facts.get("coding", ""), facts.get("column", ""))


def known(entries: Sequence[Entry], known_at: datetime) -> list[Entry]:
    """What the ledger said at an instant: later acceptances, holds and releases did not exist yet."""
    return [entry for entry in entries if datetime.fromisoformat(entry.recorded_at) <= known_at]


def accepted_definition(entries: Sequence[Entry], as_coded: Mapping[str, int], coding: str) -> int:
    """The version of the outcome definition in force for a coding: the one accepted last, else the codes as they stand."""
    version = as_coded[coding]
    for entry in entries:
        if entry.event is Event.DEFINITION_ACCEPTED and coding in entry.facts["codings"]:
            version = int(entry.facts["version"])
    return version
