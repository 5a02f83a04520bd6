"""Is every swap-set report that the ledger names here as it was written, and does the ledger name every one that is here?"""

from collections.abc import Iterator, Sequence

from models.bundle import sha256
from models.governance.ledger import Entry, Event
from models.governance.verification import Finding
from pipelines.swap_set.report import PAGE, REPORT
from pipelines.verification.packs import Shelf

AGAIN = "put it back from its backup, or write it again: make swap-set CHALLENGER=… AGAINST=…"


def check_swap_sets(shelf: Shelf, entries: Sequence[Entry]) -> Iterator[Finding]:
    named = {str(e.facts["report"]): e for e in entries if e.event is Event.SWAP_SET_SEALED}
    here = {}
    for where, folder, files in shelf.stored():
        digest = sha256(files.get(REPORT, b""))
        here[digest] = where
        if digest not in named:
            yield Finding(where, "no entry of the ledger names this swap-set report", "it was edited, or put there: take it away")
        elif not digest.startswith(folder):
            yield Finding(where, f"the report in this folder is {digest[:12]}: it was moved", AGAIN)
        elif sha256(files.get(PAGE, b"")) != named[digest].facts["page"]:
            yield Finding(where, "its page is not the one that was written with it", AGAIN)
    for digest, entry in named.items():
        if digest not in here:
            yield Finding(
                f"swap set {digest[:12]}", f"entry {entry.number} names it, and it is not here as it was written", AGAIN
            )
