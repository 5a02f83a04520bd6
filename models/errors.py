"""Everything the platform says when it will not go on.

    PlatformError
    ├── InputRefused      data breaks the contract; `details` names record, field, value and rule
    ├── NotFound          a model, version, month, report or decision that is not there
    │   ├── NoChampion    nothing has been promoted yet
    │   └── Expired       it was kept for as long as it had to be, then deleted
    ├── Conflict          somebody else was first: a lost compare-and-swap, a reused idempotency key
    ├── Held              waits for a person
    ├── BatchRejected     a batch went to quarantine; nothing downstream has seen it
    ├── NotEnoughData     too few months have matured for what was asked
    ├── Integrity         a digest, a signature, a golden row or a ledger entry does not match
    ├── NotApproved       no valid approval covers what was asked
    ├── Unavailable       a dependency does not answer
    └── Misconfigured     a setting is wrong

The tree knows nothing of HTTP; `serving/paths/problems.py` owns that table. Foreign errors are translated once, at the border of
the adapter that met them.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class PlatformError(Exception):
    """A problem in plain words, and a hint that says what to do about it."""

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.problem}\n  -> {self.hint}" if self.hint else self.problem


@dataclass(frozen=True)
class Detail:
    """One broken rule: the record's index, the field, the offending value as text, and the rule."""

    record: int
    field: str
    value: str
    rule: str


class InputRefused(PlatformError):
    def __init__(self, problem: str, details: Sequence[Detail] = (), hint: str = "") -> None:
        super().__init__(problem, hint)
        self.details = tuple(details)


class NotFound(PlatformError): ...


class NoChampion(NotFound): ...


class Expired(NotFound): ...


class Conflict(PlatformError): ...


class Held(PlatformError): ...


class BatchRejected(PlatformError): ...


class NotEnoughData(PlatformError): ...


class Integrity(PlatformError): ...


class NotApproved(PlatformError): ...


class Unavailable(PlatformError): ...


class Misconfigured(PlatformError): ...
