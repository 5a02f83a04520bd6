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
    for end, title in enumerate(("realised over predicted bad rate, at least", "realised over predicted bad rate, at most")):
        rows.append((title, a.figure(POLICY, f"/monitoring/calibration_ratio/{end}", Unit.PLAIN, monitored("calibration_ratio"))))
    segments = a.names(POLICY, "/monitoring/segments") if stated.get("segments") else []
    rows += [("a segment that is watched by itself", a.figure(POLICY, pointer, Unit.KEY)) for pointer in segments]
    return section("Limits", table(say("Limits that turn a month's verdict."), ("What", "Limit"), rows))
