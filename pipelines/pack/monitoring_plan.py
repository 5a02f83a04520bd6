"""Limits and monitoring plan: what is looked at every month, from which value on, and what follows."""

from pipelines.pack.artefacts import Artefacts, Figure, Unit
from pipelines.pack.files import OVERSIGHT, POLICY
from pipelines.pack.gates import OWNED, control, monitored
from pipelines.pack.prose import Document, Section, points, say, section, table

LIMITS = {
    "psi_warn": ("PSI of a feature or of the score, warning", Unit.PLAIN),
    "psi_alarm": ("PSI of a feature or of the score, alarm", Unit.PLAIN),
    "code_mix": ("distance of a code mix from history, coding suspected", Unit.PLAIN),
    "bad_rate_ratio": ("jump of the bad rate, a new definition suspected", Unit.PLAIN),
    "auc_drop": ("fall of the AUC against what the bundle lets expect", Unit.PLAIN),
    "favourable_rate": ("change of the share of favourable decisions, either sign", Unit.PLAIN),
    "restated": ("share of a month's rows that may be corrected without a person", Unit.PLAIN),
    "minimum_rows": ("decisions needed for statistics", Unit.COUNT),
    "windows": ("months looked at before a statistical limit pages", Unit.COUNT),
    "violating": ("of them, those that must pass the limit", Unit.COUNT),
    "repeated": ("share of decisions that repeat an account of the month", Unit.PLAIN),
    "stuck": ("share of accounts whose inputs are last month's", Unit.PLAIN),
    "unit_factor": ("common factor of an amount's quartiles, a new unit suspected", Unit.PLAIN),
    "constant_score": ("share of decisions with one probability", Unit.PLAIN),
    "skewed": ("share of decisions on other inputs than the lake has", Unit.PLAIN),
}
PAIRS = {
    "calibration_ratio": "realised over predicted bad rate",
    "volume_ratio": "decisions over those of a usual month",
}
DUE = {
    "snapshots": "days after which a month's accounts are late",
    "decisions": "days after which the decisions on them are late",
    "outcomes": "days after which matured outcomes are late",
}


def monitoring_plan(a: Artefacts) -> Document:
    return Document("monitoring", "Limits and monitoring plan", (_plan(a), _limits(a)))


def _plan(a: Artefacts) -> Section:
    return section(
        "Cadence and triggers",
        say(
            "Months between two reviews, by tier {tier}: {months}. A reviewer reads the month's verdict in the viewer.",
            tier=a.figure(OVERSIGHT, "/tier", Unit.COUNT, OWNED),
            months=a.figure(OVERSIGHT, "/monitoring_months", Unit.COUNT, OWNED),
        ),
        points(
            say(
                "A coding or a definition that looks new holds retraining until a person has decided (control {name}).",
                name=control(a, "definitions"),
            ),
            say(
                "Drift of the score, or a loss of performance once outcomes have matured, suggests"
                " retraining; a gate decides (control {name}).",
                name=control(a, "monitoring"),
            ),
            say(
                "The inputs of a decision are kept for {months} months after notice (control {name}).",
                months=a.figure(POLICY, "/retention_months", Unit.COUNT),
                name=control(a, "retention"),
            ),
            say("When its approval ends, the model stops (control {name}).", name=control(a, "approval")),
        ),
    )


def _limits(a: Artefacts) -> Section:
    stated = a.at(POLICY, "/monitoring")  # a policy of before a limit came in has none
    rows: list[tuple[str | Figure, ...]] = [
        (title, a.figure(POLICY, f"/monitoring/{name}", unit, monitored(name)))
        for name, (title, unit) in LIMITS.items()
        if name in stated
    ]
    for name, title in ((name, title) for name, title in PAIRS.items() if name in stated):
        for end, side in enumerate(("at least", "at most")):
            figure = a.figure(POLICY, f"/monitoring/{name}/{end}", Unit.PLAIN, monitored(name))
            rows.append((f"{title}, {side}", figure))
    for what, title in DUE.items() if "due_days" in stated else ():
        rows.append((title, a.figure(POLICY, f"/monitoring/due_days/{what}", Unit.COUNT, monitored("due_days"))))
    segments = a.names(POLICY, "/monitoring/segments") if stated.get("segments") else []
    rows += [("a segment that is watched by itself", a.figure(POLICY, pointer, Unit.KEY)) for pointer in segments]
    return section("Limits", table(say("Limits that turn a month's verdict."), ("What", "Limit"), rows))
