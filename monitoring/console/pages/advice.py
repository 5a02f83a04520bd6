"""What a person should do now about a model, why, and the command that does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.governance.ledger import Entry, Event, Hold, open_holds
from monitoring.verdict import CAUSES_FIRST, Finding, Kind, Level, Suggestion, Verdict

ACCEPT_DEFINITION = 'make accept-definition VERSION=… BY=… REASON="…"'
STOP = 'make stop BY=… REASON="…"'
WITHOUT_SCENARIO = ("make train", "make retrain", "make ingest")
"""These work on the usual home only: a replay trains by its own script."""


@dataclass(frozen=True)
class NextStep:
    sentence: str
    command: str = ""


# By what was found. `{}` stands for the subjects: columns, or a month.
SETTLE: dict[Kind, NextStep] = {
    "missing": NextStep("Find out why nothing was decided in {}: was the service up, and was it asked?", "make serve"),
    "snapshots_late": NextStep("Ask the data owner for the accounts of {}, then take them in.", "make ingest"),
    "decisions_late": NextStep("Find out why nothing was decided on {}: is the service up, and is it asked?", "make serve"),
    "outcomes_late": NextStep("Ask the data owner for the outcomes of {}, then take them in.", "make ingest"),
    "volume": NextStep("Find out from whoever sends the requests which accounts were sent in {}."),
    "duplicate_batch": NextStep("Find out who sent a batch of {} twice, and act once on each account."),
    "stuck_upstream": NextStep(
        "Do not act on {}: ask for the right file, and have the accounts decided on again.", "make ingest"
    ),
    "skew": NextStep("Find out which is right for {}: what the service was asked about, or what the lake has."),
    "not_reproduced": NextStep("Find out whether the log of {} was edited or the machine computes otherwise.", "make verify"),
    "constant_score": NextStep("Stop the model, since its {} says nothing; then go back to the version before.", STOP),
    "unit_change": NextStep("Find out in which unit {} comes now. Until that is settled, stop the model.", STOP),
    "tampered": NextStep("Find out who wrote on the release channel, and put the {} back from a copy of it.", "make verify"),
    "unavailable": NextStep("Start the {}; the end of its log says why it stopped.", "make serve"),
    "errors": NextStep("Read the log of the {}: is the database, the spool or the disk in trouble?"),
    "unrecorded": NextStep("Look at the database of the decision log: the {} holds decisions that it does not take."),
    "unreadable": NextStep("Find out why it cannot be seen {}; until then alerts about it stay as they are.", "make verify"),
    "no_value": NextStep(
        "Find out what wrote records without {} to the log: the service refuses them. Nothing is retrained before."
    ),
    "out_of_range": NextStep(
        "Find out what wrote {} outside the contract's range to the log: the service refuses it. Was a unit changed?"
    ),
    "unseen_code": NextStep("Find out what the unknown codes of {} mean. Nothing is retrained on them before."),
    "code_mix": NextStep(
        "Find out why the coding of {} has changed. The ingest checks it and holds it for a person.", "make ingest"
    ),
    "definition": NextStep("Find out what counts as bad since {}, then accept the definition that holds.", ACCEPT_DEFINITION),
}
WATCH: dict[Kind, NextStep] = {
    "report_late": NextStep("Report on the model now, and see why the schedule did not.", "make report"),
    "repeated_accounts": NextStep("Ask which of the records of an account in {} is right."),
    "latency": NextStep("Look at the load of the {} and at its database."),
    "not_comparable": NextStep(
        "Decide whether the new outcome of {} is what the model should predict; if so, accept its definition.", ACCEPT_DEFINITION
    ),
    "insufficient": NextStep("Wait for more rows: nothing can be concluded from so few ({})."),
    "score_shift": NextStep("Nothing to do yet: watch whether the score moves on."),
    "input_shift": NextStep("Nothing to do yet: watch whether {} moves on."),
    "decision_shift": NextStep("Nothing to do yet: the decisions follow the score. Check that the teams can handle the new mix."),
    "favourable_rate": NextStep(
        "Check whether so many favourable decisions are what the policy wants ({}): more or fewer are now."
    ),
    "reason_mix": NextStep("Read some of the newest notices: other {} stand first than at training."),
    "segment_shift": NextStep("Look at the inputs of the segment {} in the report; among all accounts it may not show."),
    "since_first": NextStep("Compare the {} with the first approved version's: was every step since then meant?"),
}


@dataclass(frozen=True)
class Situation:
    """All that the next step depends on. `reported_at` is when the verdict was recorded; `entries` are the model's."""

    verdict: Verdict | None
    reported_at: str = ""
    entries: Sequence[Entry] = ()
    champion: bool = True
    trouble: bool = False  # something that decides could not be read or verified
    stopped: str = ""  # why a person stopped the model
    alerts: Sequence[str] = ()  # what the open ones say, pages first
    unapproved: int = 0  # the version in force, if no approval of it holds any more
    late: bool = False  # nobody reported on it for longer than its tier allows
    scenario: str = ""


def next_step(now: Situation) -> NextStep:
    """The most urgent thing. What cannot be done in a replay is said without a command."""
    found = _urgent(now) or _by_verdict(now)
    if now.scenario and found.command in WITHOUT_SCENARIO:
        return NextStep(f"{found.sentence} A replay does this only by its own script.")
    return NextStep(found.sentence, found.command and command_for(found.command, now.scenario))


def command_for(command: str, scenario: str) -> str:
    """The command, for the home that is looked at."""
    return f"{command} SCENARIO={scenario}" if scenario else command


def _urgent(now: Situation) -> NextStep | None:
    """What comes before any verdict."""
    holds, waiting = open_holds(now.entries), list(waiting_requests(now.entries).values())
    if now.trouble:
        return NextStep("First settle the problem named here: what the model rests on could not be read or verified.")
    if now.stopped:
        sentence = f"The model is stopped: {now.stopped.rstrip('.')}. Let it answer again once that is settled."
        return NextStep(sentence, 'make resume BY=… REASON="…"')
    if now.unapproved:
        sentence = (
            f"Have version {now.unapproved} approved again, or bring another into force: without an approval nothing answers."
        )
        return NextStep(sentence, "make requests")
    if now.champion and holds:
        return _about(holds)
    if waiting:
        sentence = f"{_versions(waiting)} for approval. Read the evidence, then approve or reject."
        return NextStep(sentence, "make requests")
    if not now.champion:
        return NextStep("No champion has been promoted yet.", "make train")
    return _since(now)


def _since(now: Situation) -> NextStep | None:
    """What a person accepted, and nothing was done about yet."""
    if definition := _untrained_definition(now.entries):
        return NextStep(f"Retrain: outcome definition {definition} was accepted after the champion was trained.", "make retrain")
    if now.verdict is None:
        return NextStep("Report on each month when it is over, and again when its outcomes are known.", "make report")
    accepted = [entry for entry in now.entries if entry.event in (Event.HOLD_RELEASED, Event.DEFINITION_ACCEPTED)]
    if accepted and _later(accepted[-1].recorded_at, now.reported_at):
        return NextStep("Report anew: what was held has been accepted since.", "make report")
    return None


def _by_verdict(now: Situation) -> NextStep:
    verdict = now.verdict
    if verdict is None or verdict.level is Level.GREEN:
        return _unsettled(now)
    found = [finding for finding in verdict.findings if finding.level is not Level.GREEN]
    if verdict.suggests is Suggestion.RETRAIN:
        return NextStep("Retrain as of now; the gate decides whether the challenger takes over.", "make retrain")
    if verdict.suggests is Suggestion.WAIT:
        accepted = any(entry.event is Event.DEFINITION_ACCEPTED for entry in now.entries)
        open_causes = [finding for finding in found if not (accepted and finding.kind == "definition")]
        return _worded(SETTLE, open_causes) or NextStep("Nothing to do: a person has accepted what had changed.")
    return _worded(WATCH, found) or NextStep("Nothing to do yet.")


def _unsettled(now: Situation) -> NextStep:
    """What is left to do where the month itself was good."""
    if now.alerts:
        return NextStep(f"See to the open alert: {now.alerts[0]}", "make alerts")
    return WATCH["report_late"] if now.late else NextStep("Nothing to do.")


def _about(holds: Sequence[Hold]) -> NextStep:
    held = _listed(sorted({f"{hold.month} ({hold.column})" if hold.column else hold.month for hold in holds}))
    others = len(holds) - 1
    more = f" {others} more wait{'s' * (others == 1)}: make holds." if others else ""
    return NextStep(f"Look at the validation of {held}, then accept what changed or keep holding.{more}", holds[0].command)


def _worded(steps: dict[Kind, NextStep], found: Sequence[Finding]) -> NextStep | None:
    """The step about the gravest cause that has one, with everything it was found in."""
    order = [*CAUSES_FIRST, *(kind for kind in steps if kind not in CAUSES_FIRST)]
    kinds = {finding.kind for finding in found}
    kind = next((kind for kind in order if kind in steps and kind in kinds), None)
    if kind is None:
        return None
    subjects = dict.fromkeys(finding.subject for finding in found if finding.kind == kind)
    return NextStep(steps[kind].sentence.format(_listed(list(subjects))), steps[kind].command)


def waiting_requests(entries: Sequence[Entry]) -> dict[str, int]:
    """Bundle and version of every promotion that was asked for and neither granted nor refused since, by version."""
    found: dict[str, int] = {}
    for entry in entries:
        if entry.event is Event.REQUESTED:
            found[entry.facts["bundle"]] = int(entry.facts["version"])
        elif entry.event in (Event.PROMOTED, Event.REJECTED):
            found.pop(entry.facts["bundle"], None)
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def _untrained_definition(entries: Sequence[Entry]) -> int:
    """The definition that was accepted last, if no model was made since; else 0."""
    found = 0
    for entry in entries:
        if entry.event is Event.DEFINITION_ACCEPTED:
            found = int(entry.facts["version"])
        elif entry.event in (Event.REGISTERED, Event.KEPT, Event.PROMOTED):
            found = 0
    return found


def _versions(numbers: Sequence[int]) -> str:
    return f"Version {numbers[0]} waits" if len(numbers) == 1 else f"Versions {_listed(list(map(str, numbers)))} wait"


def _later(one: str, other: str) -> bool:
    return not other or datetime.fromisoformat(one) > datetime.fromisoformat(other)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
