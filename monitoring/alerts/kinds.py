"""Every kind of alert: when it may page, which report speaks of it, and what to do. Each has a page in docs/runbooks."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from models.alerting import Alerting, Severity
from models.policy import Frozen
from monitoring.verdict import Kind


class Nature(StrEnum):
    """How fast a kind becomes a page."""

    INVARIANT = "invariant"  # must never happen: pages in its first window
    STATISTICAL = "statistical"  # warns first; pages when enough of the last windows and the latest pass the limit
    OUTCOME = "outcome"  # seen in outcomes: pages from the first matured window
    ADVISORY = "advisory"  # warns, and never pages


Speaks = Literal["decisions", "outcomes", "clock"]
"""Whose word counts: the newest month decided on, the newest that has matured, or the clock, whenever it is looked at."""


class AlertKind(Frozen):
    """`action` is the first thing to do, in a sentence."""

    kind: Kind
    nature: Nature
    speaks: Speaks
    title: str
    action: str

    @property
    def runbook(self) -> str:
        return f"docs/runbooks/{self.kind}.md"

    def gravest(self, alerting: Alerting) -> Severity:
        """The gravest that an alert of this kind can become."""
        usual = Severity.WARNING if self.nature is Nature.ADVISORY else Severity.PAGE
        return alerting.severities.get(self.kind, usual)


def _invariant(kind: Kind, title: str, action: str, speaks: Speaks = "decisions") -> AlertKind:
    return AlertKind(kind=kind, nature=Nature.INVARIANT, speaks=speaks, title=title, action=action)


def _advisory(kind: Kind, title: str, action: str, speaks: Speaks = "decisions") -> AlertKind:
    return AlertKind(kind=kind, nature=Nature.ADVISORY, speaks=speaks, title=title, action=action)


def _statistical(kind: Kind, title: str, action: str) -> AlertKind:
    return AlertKind(kind=kind, nature=Nature.STATISTICAL, speaks="decisions", title=title, action=action)


def _outcome(kind: Kind, title: str, action: str) -> AlertKind:
    return AlertKind(kind=kind, nature=Nature.OUTCOME, speaks="outcomes", title=title, action=action)


_ASK_UPSTREAM = "Ask the data owner what they changed, and stop the model if decisions are wrong: make stop"

_ALL = (
    _invariant("snapshots_late", "A month of accounts has not come", "Ask the data owner, then: make ingest", "clock"),
    _invariant("decisions_late", "A month was not decided on", "Look whether the service and whoever asks it run", "clock"),
    _invariant("outcomes_late", "Outcomes have not come", "Ask the data owner, then: make ingest", "clock"),
    _advisory("report_late", "Nobody watched the model", "Run make report, and see why make schedule did not", "clock"),
    _invariant("missing", "A month without decisions", "Look whether the service and whoever asks it run"),
    _invariant("volume", "Far more or fewer decisions than before", "Ask whoever sends requests which accounts were sent"),
    _invariant("duplicate_batch", "The same requests came twice", "Find who sent them twice; act once on each account"),
    _advisory("repeated_accounts", "Accounts were decided on twice", "Ask which of the two records of an account is right"),
    _invariant("stuck_upstream", "Last month's file came again", "Stop acting on the month; ask for the right file, ingest it"),
    _invariant("skew", "The service was asked about other data than the lake has", "Compare both records: make decisions"),
    _invariant("not_reproduced", "A probability cannot be made again", "Run make verify, then make replay-decision"),
    _invariant("constant_score", "The model says the same of most accounts", "Stop the model (make stop), then roll back"),
    _invariant("unit_change", "An amount came in another unit", _ASK_UPSTREAM),
    _invariant("tampered", "What was released was changed", "Run make verify, and find out who writes on the channel", "clock"),
    _invariant("unavailable", "The scoring service does not answer", "Start it: make serve; its log says why it ended", "clock"),
    _invariant(
        "errors", "The scoring service fails more than promised", "Read its log: the database, the spool, the disk", "clock"
    ),
    _invariant("unrecorded", "Answered decisions are not in the log", "Look at the decision log's database", "clock"),
    _invariant("unreadable", "A part of the platform cannot be read", "Run make verify; it names what it finds", "clock"),
    _advisory("latency", "The scoring service is slower than promised", "Look at the database and the load", "clock"),
    _invariant("no_value", "Inputs without a value", _ASK_UPSTREAM),
    _invariant("out_of_range", "Values that the contract forbids", _ASK_UPSTREAM),
    _invariant("unseen_code", "Codes that the contract does not know", _ASK_UPSTREAM),
    _invariant("code_mix", "An input comes with another mix of codes", "Ask what the codes mean now, then: make accept-input"),
    _statistical("input_shift", "An input has shifted", "See which accounts are new; retrain if it lasts: make retrain"),
    _statistical("score_shift", "The score has shifted", "See which input moved it; retrain if it lasts: make retrain"),
    _advisory("decision_shift", "The mix of decisions has shifted", "See what moved the score"),
    _advisory("favourable_rate", "More or fewer favourable decisions", "See what moved the score, and run make fairness"),
    _advisory("reason_mix", "Other reasons stand first in the notices", "Read the reasons of a few decisions again"),
    _advisory("segment_shift", "A segment's score has shifted", "See which input moved it in this segment"),
    _advisory("since_first", "Far from where it was first approved", "Ask the validator whether the approval still fits"),
    _advisory("insufficient", "Too few rows to judge", "See whether accounts are missing, or wait"),
    _outcome("auc_drop", "The model ranks worse than at training", "Read the month's performance; retrain: make retrain"),
    _outcome("calibration", "Probabilities are off", "Read the bands of score; retrain: make retrain"),
    _invariant(
        "definition", "What counts as bad has changed", "Ask what the codes mean now: make accept-definition", speaks="outcomes"
    ),
    _advisory("not_comparable", "Outcomes cannot be compared", "Ask for the outcome in the former definition", speaks="outcomes"),
    _advisory("hold", "Retraining waits for a person", "See what it waits for: make holds", "clock"),
)

KINDS: Mapping[Kind, AlertKind] = {each.kind: each for each in _ALL}
"""By kind of finding. What is not here is never an alert: a finding of other versions is told in the report alone."""

LATE = frozenset[Kind]({"snapshots_late", "decisions_late", "outcomes_late"})
"""What only a look at the lake and the log tells."""
OF_THE_SERVICE = frozenset[Kind]({"unavailable", "errors", "latency", "unrecorded"})
"""What only a look at the scoring service tells."""
