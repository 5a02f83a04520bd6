"""The commands about records: make a past decision again, delete what was kept long enough, rotate the keys of pseudonyms."""

from argparse import Namespace
from functools import partial

from models.catalog import names
from models.errors import Integrity
from models.governance.answerable import answerable
from models.governance.ledger import Event
from monitoring.retention import retain as expire
from pipelines.commands.loop import Ended
from pipelines.redecision import Published, ensure_unedited, find, redecide, told
from pipelines.wiring import platform


def replay_decision(chosen: Namespace) -> Ended:
    """Raises `NotFound`, `Expired`, and `Integrity` naming what came out otherwise."""
    parts = platform(use_case=chosen.model or "")
    decision = find(parts.decisions, parts.lake, chosen.id)
    print("\n".join(told(decision)))
    ensure = partial(ensure_unedited, parts.decisions, parts.attested(), parts.chain_keys, chosen.id)
    if not decision.inputs:
        ensure()  # before it is called expired
    published = Published.of(parts.channel, parts.trust(), decision.model, decision.bundle)
    if found := redecide(decision, parts.released_bundle(decision.bundle), parts.scorer, published):
        print("\n".join(f"  {each.sentence}" for each in found))
        raise Integrity(
            f"decision {chosen.id} comes out otherwise: {found[0].sentence}",
            hint="the log was edited, or this machine computes otherwise: see `make verify`, then the golden rows",
        )
    ensure()
    print("made again from its record: the same in everything that was answered")
    return Ended.DONE


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
