"""Where records should be and are not: a home whose ledger was taken away still shows what was done in it."""

from collections.abc import Iterator, Sequence

from models.channel import ReleaseChannel
from models.governance.ledger import Entry, Event
from models.governance.verification import Finding

_UNREGISTERED = "find out who put it there; if a run was killed just before it registered the bundle, run it again"


def check_traces(entries: Sequence[Entry], channel: ReleaseChannel, traces: Sequence[str]) -> Iterator[Finding]:
    """`traces` are the places of this home that only a run with a ledger leaves; see `pipelines.adapters.traces`."""
    if not entries and traces:
        more = f" and {len(traces) - 1} more" if len(traces) > 1 else ""
        yield Finding(
            "ledger",
            f"it is empty or gone, and models were made here: there is {traces[0]}{more}",
            "put ledger, head and release channel back from their backup; if the first run was killed at once, run it again",
        )
        return
    registered = {entry.facts["bundle"] for entry in entries if entry.event is Event.REGISTERED}
    for place in channel.strays():
        yield Finding(place, "it lies among the approvals, and is none; serving passes it over", "find out who put it there")
    for digest in channel.bundles():
        if digest not in registered:
            yield Finding(f"bundle {digest[:12]}", "it lies in the release channel, and was never registered", _UNREGISTERED)
