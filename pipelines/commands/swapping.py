"""The command that compares two versions on the same accounts before one takes the other's place."""

from argparse import Namespace

from pipelines.commands.loop import Ended
from pipelines.swap_set.step import keep, swap_set
from pipelines.wiring import platform


def compare(chosen: Namespace) -> Ended:
    parts = platform(use_case=chosen.model or "")
    parts.attested()
    report = swap_set(parts, chosen.challenger, chosen.against)
    page = keep(parts, report)
    print(report.sentence)
    for cell in report.flips:
        print(f"  {cell.champion} to {cell.challenger}: {cell.accounts:,}")
    for cost in report.costs:
        print(f"  {cost.reading}: {cost.difference:+,.1f} {report.currency} an account ({cost.low:+,.1f} to {cost.high:+,.1f})")
    for note in report.notes:
        print(f"  {note}")
    print(f"  {page}")
    print(f"Named in the ledger by {report.digest[:12]}. Next: read it before the promotion; make monitor shows it, too.")
    return Ended.DONE
