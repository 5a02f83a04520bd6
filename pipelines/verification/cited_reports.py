"""Are the reports that made the platform retrain still those that it saw? The check for `make verify`."""

from collections.abc import Iterator, Sequence

from models.errors import NotFound
from models.governance.ledger import Entry, Event
from models.governance.retrainings import Cited, Trigger
from models.governance.verification import Finding
from monitoring.report import ReportKey, ReportStore

_EVENTS = (Event.RETRAINING_BEGUN, Event.RETRAINING_ENDED)


def check_cited(store: ReportStore, entries: Sequence[Entry]) -> Iterator[Finding]:
    """A report that is there no longer says nothing: its owner may have deleted it. One that is there must be the same."""
    cited: dict[Cited, Entry] = {}
    for entry in entries:
        if entry.event in _EVENTS:
            for trigger in map(Trigger.read, entry.facts["triggers"]):
                cited |= {one: entry for one in trigger.evidence if one.kind == "report" and one not in cited}
    for one, entry in cited.items():
        now = _digest(store, one.name)
        if now and now != one.digest:
            problem = f"entry {entry.number} of the ledger cites it as {one.digest[:12]}, here it is {now[:12]}"
            yield Finding(f"report {one.name}", problem, "put it back from a backup, and find out who changed it")


def _digest(store: ReportStore, name: str) -> str:
    try:
        return store.digest(ReportKey(*name.split("/")))
    except (NotFound, TypeError):  # gone, or no place of a report
        return ""
