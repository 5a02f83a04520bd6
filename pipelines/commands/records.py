"""The commands about records: make a past decision again, delete what was kept long enough, rotate the keys of pseudonyms."""

from argparse import Namespace
from contextlib import suppress

from models.catalog import names
from models.errors import PlatformError
from models.governance.answerable import answerable
from models.governance.ledger import Event
from monitoring.decisions import LoggedDecision
from monitoring.differences import Difference
from monitoring.redecision import Published, edit, ensure_same, find, redecide, told
from monitoring.retention import retain as expire
from pipelines.commands.loop import Ended
from pipelines.wiring import Platform, platform


def replay_decision(chosen: Namespace) -> Ended:
    """Raises `NotFound`, `Expired`, and `Integrity` naming what was edited, came out otherwise or is missed."""
    parts = platform(use_case=chosen.model or "")
    entries = parts.attested()
    past = find(parts.decisions, parts.lake, chosen.id)
    print("\n".join(told(past)))
    problem = edit(parts.decisions, entries, parts.chain_keys, past)  # before anything rests on the record
    found = [] if problem else _differences(parts, past.decision)
    if problem:
        with suppress(PlatformError):  # what an edited record leads to may be anything
            found = _differences(parts, past.decision)
    print("\n".join(f"  {each.sentence}" for each in found), end="\n" if found else "")
    ensure_same(past, problem, found, entries)
    print("made again from its record: the same in everything that was answered")
    return Ended.DONE


def _differences(parts: Platform, decision: LoggedDecision) -> list[Difference]:
    published = Published.of(parts.channel, parts.trust(), decision.model, decision.bundle)
    return redecide(decision, parts.released_bundle(decision.bundle), parts.scorer, published)


def account(chosen: Namespace) -> Ended:
    """An id is hidden before anything is looked for."""
    parts = platform(use_case=chosen.model or "")
    found = parts.decisions.of_account(parts.use_case.name, parts.accounts.known_as(chosen.id))
    for decision in found:
        print(f"{decision.decision_id}  {decision.month}  {decision.action}  {decision.probability!r}")
    print(f"{len(found)} decisions of {parts.use_case.name} on this account")
    return Ended.DONE


def retain(chosen: Namespace) -> Ended:
    parts = platform(use_case=chosen.model or "")
    parts.attested()
    months = parts.use_case.policy.retention_months
    done = expire(parts.archive, parts.use_case.name, months, parts.trainer)
    print(
        f"{parts.use_case.name}: inputs are kept for {months} months; what was decided before {done.before:%Y-%m-%d} loses them"
    )
    for month, count in done.decisions.items():
        print(f"  {month}: inputs of {count:,} decisions deleted")
    print(f"  {sum(done.decisions.values()):,} inputs, {done.answers:,} stored answers, {done.sealed} sealed months written anew")
    return Ended.DONE


def rotate_keys(chosen: Namespace) -> Ended:
    by, reason = answerable(chosen.by, chosen.reason)
    parts = platform()
    facts = {"generation": parts.accounts.newest + 1, "reason": reason}
    # Recorded first: nothing is done that the ledger does not know.
    parts.ledger.append(Event.KEYS_ROTATED, model="", actor=by, at=parts.clock.now(), facts=facts)
    generation = parts.add_keys()
    written = [part for name in names() for part in platform(use_case=name).rekey_audit()]
    print(f"Accounts are hidden under generation {generation} of the keys from now on; {len(written)} audit partitions follow.")
    print("What is stored stays as it is and joins on. Running services follow within five seconds.")
    return Ended.DONE
