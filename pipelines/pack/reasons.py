"""Reasons report: what a customer is told, when nothing is due, and whether other data would have given other reasons."""

from dataclasses import replace

from models.evaluation import ENOUGH
from pipelines.pack.artefacts import FREE, Artefacts, Gate, Unit, Verdict
from pipelines.pack.costs import APPROVED
from pipelines.pack.files import POLICY, REASONS
from pipelines.pack.gates import control
from pipelines.pack.limits import between
from pipelines.pack.prose import Cell, Document, Section, Sentence, points, say, section, table
from pipelines.reasons_report import ALL, DUE, NOT_DUE

SEALED = Gate("seal", "every input has a reason text, or nothing is sealed", Verdict.BINDING)
KINDS = {DUE: "Adverse actions, a notice is due", NOT_DUE: "Reductions without a notice due", ALL: "Every reduction"}
FIRST = "top_1_agreement"
LIMITED = {FIRST: "first_reason", "top_4_jaccard": "overlap"}
"""What the policy limits, by kind of account; the whole of them is a mean of the two."""
SPREADS = {
    "top_1_agreement": "same first reason",
    "top_4_jaccard": "listed reasons in common",
    "still_reduced": "still reduced",
}
SHARES = {
    "reset_rule_dropped_one": "the reset rule dropped a reason",
    "reset_rule_confirmed_none": "no reason confirmed by the reset rule",
}


def reasons(a: Artefacts) -> Document:
    return Document("reasons", "Reasons report", (_told(a), _stability(a), _frequency(a), _help(a)))


def _told(a: Artefacts) -> Section:
    return section(
        "What a customer is told",
        say(
            "A reduced line that is adverse action carries ranked reasons out of {groups} groups of inputs ({reasons}).",
            reasons=control(a, "reasons"),
            groups=a.figure(POLICY, "/adverse/groups", Unit.COUNT, SEALED),
        ),
        table(
            say("Notice text by group."),
            ("Code", "Reason", "Notice text"),
            [
                tuple(a.figure(POLICY, f"{group}/{field}", Unit.TEXT, SEALED) for field in ("code", "name", "notice"))
                for group in a.names(POLICY, "/adverse/groups")
            ],
        ),
        say("No notice is due where the action rests on the account's own state (control {rule}):", rule=control(a, "no-notice")),
        points(
            *(
                say(
                    "{name}: {basis}",
                    name=a.figure(POLICY, f"{rule}/name", Unit.TEXT),
                    basis=a.figure(POLICY, f"{rule}/basis", Unit.TEXT),
                )
                for rule in a.names(POLICY, "/adverse/no_notice")
            )
        ),
    )


def _stability(a: Artefacts) -> Section:
    rows: list[tuple[Cell, ...]] = []
    for kind, title in KINDS.items():
        for name, words in SPREADS.items():
            if spread := a.at(REASONS, f"/{kind}").get(name):
                gate = stable(a, kind, name)
                gates = {"mean": gate, "least": gate}  # what would be judged by the most stable refit?
                ends = [a.figure(REASONS, f"/{kind}/{name}/{end}", Unit.SHARE, gates.get(end, FREE)) for end in spread]
                rows.append((title, words, *ends))
    return section(
        "Would another sample have given other reasons?",
        say(
            "The recipe was fitted again on {refits} bootstrap samples of the development accounts; {lost} of these could not"
            " have been sealed. Each explained the same reduced accounts of {month}.",
            refits=a.figure(REASONS, "/refits", Unit.COUNT),
            lost=a.figure(REASONS, "/refits_without_baseline", Unit.COUNT),
            month=a.figure(REASONS, "/month", Unit.TEXT),
        ),
        _asked(a),
        table(say("Agreement with the model as judged, over the refits."), ("Accounts", "What", "Mean", "Least", "Most"), rows),
    )


def _asked(a: Artefacts) -> Sentence | None:
    if not a.at(POLICY, "/adverse").get("stability"):
        return None
    return say(
        "The policy asks of each kind that the first reason is the same for at least {first} of the accounts, and that the lists"
        " have at least {overlap} in common. Passed if no refit is below it, failed if their mean is.",
        first=a.figure(POLICY, "/adverse/stability/first_reason", Unit.SHARE, APPROVED),
        overlap=a.figure(POLICY, "/adverse/stability/overlap", Unit.SHARE, APPROVED),
    )


def _frequency(a: Artefacts) -> Section:
    rows: list[tuple[Cell, ...]] = []
    for kind, title in KINDS.items():
        gate, found = too_few(a, kind), a.at(REASONS, f"/{kind}")
        rows.append((title, "accounts reduced", "", a.figure(REASONS, f"/{kind}/population", Unit.COUNT)))
        rows.append((title, "of these explained", "", a.figure(REASONS, f"/{kind}/accounts", Unit.COUNT, enough(a, kind))))
        for name, words in SHARES.items():
            rows += [(title, words, "", a.figure(REASONS, f"/{kind}/{name}", Unit.SHARE, gate))] if name in found else []
        for group in a.names(REASONS, f"/{kind}/first_reason") if "first_reason" in found else []:
            named, share = a.figure(REASONS, group, Unit.KEY), a.figure(REASONS, group, Unit.SHARE, gate)
            rows.append((title, "first reason", named, share))
    return section(
        "Which reasons are given",
        say(
            "Explained is a sample of each kind. In figures on every reduction, {reduced} in all, an account counts for as many"
            " as it stands for: {due} are owed a notice, {others} are not.",
            reduced=a.figure(REASONS, f"/{ALL}/population", Unit.COUNT),
            due=a.figure(REASONS, f"/{DUE}/population", Unit.COUNT),
            others=a.figure(REASONS, f"/{NOT_DUE}/population", Unit.COUNT),
        ),
        table(say("Shares of the accounts."), ("Accounts", "What", "Reason", "Share"), rows),
    )


def enough(a: Artefacts, kind: str) -> Gate:
    """Shares of a handful of accounts say nothing."""
    sufficient = a.at(REASONS, f"/{kind}/accounts") >= ENOUGH
    return Gate("reasons.sample", f"at least {ENOUGH} accounts", Verdict.PASSED if sufficient else Verdict.INSUFFICIENT)


def too_few(a: Artefacts, kind: str) -> Gate:
    """Of a share: insufficient with too few accounts. With enough it is reported, as no limit says which share would be good."""
    gate = enough(a, kind)
    return gate if gate.verdict is Verdict.INSUFFICIENT else FREE


def stable(a: Artefacts, kind: str, name: str) -> Gate:
    """Passed if no refit falls below the limit, failed if the mean does, else insufficient.

    One more refit falls below the least of twenty with a probability of one in twenty-one.
    """
    few, limits = too_few(a, kind), a.at(POLICY, "/adverse").get("stability")
    if few.verdict is Verdict.INSUFFICIENT or not limits or name not in LIMITED or kind == ALL:
        return few
    least, mean = (a.figure(REASONS, f"/{kind}/{name}/{end}", Unit.SHARE).number for end in ("least", "mean"))
    gate = between("reasons.stability", least, low=limits[LIMITED[name]])
    return replace(gate, verdict=Verdict.INSUFFICIENT) if least < limits[LIMITED[name]] <= mean else gate


def _help(a: Artefacts) -> Section:
    rows: list[tuple[Cell, ...]] = []
    for kind, title in KINDS.items():
        found = a.at(REASONS, f"/help/{kind}")
        rows.append((title, "accounts looked at", "", a.figure(REASONS, f"/help/{kind}/accounts", Unit.COUNT)))
        if "found" in found:
            rows.append((title, "with a change that helps", "", a.figure(REASONS, f"/help/{kind}/found", Unit.SHARE)))
            named = a.names(REASONS, f"/help/{kind}/changes")
            rows += [(title, "by a change of", a.figure(REASONS, p, Unit.KEY), a.figure(REASONS, p, Unit.SHARE)) for p in named]
    return section(
        "What a customer could have changed",
        say(
            "Looked for is a change of what a customer can change by the next review that leads to a better decision by the"
            " sealed rule, doubt and unfamiliar input included. Each was scored again to prove it (control {reasons}).",
            reasons=control(a, "reasons"),
        ),
        table(say("For how many there is one, and what would have to change."), ("Accounts", "What", "Input", "Share"), rows),
    )
