"""Values as a person would write them: dates, shares, counts, and what a ledger entry says."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from monitoring.console.charts.values import figure
from monitoring.findings import percent
from monitoring.rollout.findings import e_valued
from monitoring.verdict import counted

DIGEST = re.compile(r"[0-9a-f]{64}")
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}\S*")
STAMP = "%Y%m%dT%H%M%S%fZ"
LONG = 40  # characters from which a fact gets a line of its own


def day(iso: str) -> str:
    moment = datetime.fromisoformat(iso)
    return f"{moment.day} {moment:%B %Y}"


def instant(iso: str) -> str:
    return f"{day(iso)}, {datetime.fromisoformat(iso):%H:%M} UTC"


def stamped(stamp: str) -> str:
    """When a report was recorded, from its place in the folder: 20051003T235959999999Z-002 is the second of its instant."""
    written, number = stamp.rsplit("-", 1)
    said = instant(datetime.strptime(written, STAMP).replace(tzinfo=UTC).isoformat())
    return said if int(number) == 1 else f"{said} ({int(number)})"


def aged(days: int) -> str:
    """How long something has been so."""
    return "since today" if days == 0 else "for one day" if days == 1 else f"for {days:,} days"


def words(name: str) -> str:
    """A name of the code as a person would write it: hold_opened, Hold opened."""
    return name.replace("_", " ").capitalize()


def share(value: float) -> str:
    """Number and sign stay on one line."""
    return percent(value).replace(" ", "\N{NO-BREAK SPACE}")


def amount(value: float) -> str:
    """With as many digits as its size asks for: 5,412; 12.3; 0.019."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def short(value: float | None) -> str:
    """A finding's value or limit: a count or a ratio; "" where the rule has none."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value == round(value) else f"{value:.3f}"


def facts(noted: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """Name, value and whether it is long, of every fact of a ledger entry that says something; sentences come first."""
    said = [(words(name), text) for name, value in noted.items() if (text := fact(value))]
    return sorted(((name, text, len(text) > LONG) for name, text in said), key=lambda told: not told[2])


def fact(value: Any) -> str:
    """Digests are shortened, instants are days, of a signed document only the signer counts here."""
    if isinstance(value, Mapping):
        return str(value["signer"]) if "signer" in value else "; ".join(f"{key}: {fact(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(fact, value))
    text = str(value)
    if DIGEST.fullmatch(text):
        return text[:12]
    return day(text) if INSTANT.fullmatch(text) else text


FILTERS: dict[str, Callable[..., Any]] = {
    "aged": aged,
    "amount": amount,
    "counted": counted,
    "day": day,
    "facts": facts,
    "figure": figure,
    "instant": instant,
    "percent": share,
    "e_valued": e_valued,
    "short": short,
    "stamped": stamped,
    "words": words,
}
