"""The ledger's part of a pack: what is counted, and what its caption says of what is left out."""

from typing import Any

from models.governance.ledger import Entry, Event
from pipelines.pack.gather import recorded
from tests.office import MODEL, Bank

FIRST, SECOND = "1" * 64, "2" * 64


def ledger(*events: tuple[Event, str]) -> list[Entry]:
    bank = Bank()
    for event, bundle in events:
        bank.office.note(event, MODEL, "somebody", {"bundle": bundle})
    return bank.ledger.entries()


def events_in(found: dict[str, Any]) -> list[tuple[int, str]]:
    return [(entry["number"], entry["event"]) for entry in found["entries"]]


def test_an_override_of_this_version_is_not_one_before_it() -> None:
    entries = ledger(
        (Event.REGISTERED, FIRST),
        (Event.OVERRIDE_REQUESTED, FIRST),
        (Event.REGISTERED, SECOND),
        (Event.OVERRIDE_REQUESTED, SECOND),
    )
    second, first = recorded(entries, SECOND), recorded(entries, FIRST)
    assert (second["overrides_before"], second["overrides"]) == (1, 1)
    assert (first["overrides_before"], first["overrides"]) == (0, 1)


def test_what_is_shown_of_the_ledger_is_what_its_caption_says() -> None:
    """Everything before the registration but what names evidence; after it, of this version alone, what is no approval."""
    every = list(Event)
    before = [(event, FIRST) for event in every]
    later = [(event, bundle) for bundle in (FIRST, SECOND) for event in every if event is not Event.REGISTERED]
    entries = ledger(*before, (Event.REGISTERED, SECOND), *later)
    found = events_in(recorded(entries, SECOND))

    naming = {Event.REGISTERED, Event.REQUESTED, Event.PACK_SEALED}
    assert [event for number, event in found if number <= len(before)] == [event for event in every if event not in naming]
    own = {event for number, event in found if number > len(before)}
    assert own == {Event.OUT_OF_TIME_OPENED, Event.POLICY_CHANGED, Event.KEPT, Event.OVERRIDE_REQUESTED}
    assert all(entries[number - 1].facts["bundle"] == SECOND for number, _ in found if number > len(before))
