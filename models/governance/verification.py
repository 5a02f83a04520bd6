"""`make verify` is a list of checks. A check says what holds when it finds nothing; what it finds says what to do about it.

Whoever keeps a record writes its check as a plain function that returns findings, beside the record's own rules. Wiring
puts it on the list: `pipelines/wiring/verifying.py`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from models.errors import PlatformError


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was recorded: where, what, and what to do ("" if only a person can tell)."""

    where: str
    problem: str
    hint: str = ""


@dataclass(frozen=True)
class Check:
    """`holds` is the sentence that is true when `findings` gives none."""

    subject: str
    holds: str
    findings: Callable[[], Iterable[Finding]]


def found_by(checks: Sequence[Check]) -> list[Finding]:
    """What all checks find, in their order. A record that cannot be read at all is a finding, and the other checks go on."""
    return [finding for check in checks for finding in _found(check)]


def _found(check: Check) -> list[Finding]:
    try:
        return list(check.findings())
    except PlatformError as error:
        return [Finding(check.subject, error.problem, error.hint)]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        problem = f"a record cannot be read, so the rest was not looked at: {type(error).__name__}: {error}"
        return [Finding(check.subject, problem, "something stands in it that no release of the platform writes")]
