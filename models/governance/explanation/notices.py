"""What a policy would have the bank say: every reason has a code, a name and a text of its own, and the text says something."""

from collections.abc import Iterator

from models.errors import Misconfigured
from models.governance.explanation.statements import EXAMPLES, objection
from models.policy import Adverse


def check_notices(adverse: Adverse) -> None:
    """Raises `Misconfigured` for the first reason group or rule that cannot be told to a customer."""
    for problem, hint in _wrong(adverse):
        raise Misconfigured(problem, hint=hint)


def _wrong(adverse: Adverse) -> Iterator[tuple[str, str]]:
    for field, sense in (
        ("code", "the log counts by it"),
        ("name", "people read it"),
        ("notice", "it is what the customer is told"),
    ):
        seen: dict[str, int] = {}
        for number, group in enumerate(adverse.groups, start=1):
            text = " ".join(getattr(group, field).casefold().split())
            if not text:
                yield f"reason group {number} has no {field}", f"give it one of its own: {sense}"
            if text in seen:
                yield f"reason groups {seen[text]} and {number} have one {field}", f"tell them apart: {sense}"
            seen[text] = number
    for group in adverse.groups:
        if why := objection(group.notice):
            yield f"the notice of reason group {group.code} {why}", f"say what was scored, for example {EXAMPLES}"
    for rule in adverse.no_notice:
        if not (rule.name.strip() and rule.basis.strip()):
            yield f"a rule by which no notice is due, {rule.name!r}, lacks its name or its basis", "name the rule that excuses it"
