"""Who answers for an act, and why: no door lets anybody act without saying both."""

from models.errors import InputRefused


def answerable(by: str, reason: str) -> tuple[str, str]:
    """Who and why, without blanks around. Raises `InputRefused` if one of them is missing."""
    by, reason = by.strip(), reason.strip()
    if not by or not reason:
        raise InputRefused("a person answers for this, and for a reason", hint='give both: BY=… REASON="…"')
    return by, reason
