"""Reasons report: what a customer is told, when nothing is due, and whether other data would have given other reasons."""

from models.evaluation import ENOUGH
from pipelines.pack.artefacts import FREE, Artefacts, Gate, Unit, Verdict
from pipelines.pack.files import POLICY, REASONS
from pipelines.pack.gates import control
from pipelines.pack.prose import Cell, Document, Section, points, say, section, table

SEALED = Gate("seal", "every input has a reason text, or nothing is sealed", Verdict.BINDING)
KINDS = {"adverse_action": "Adverse actions, a notice is due", "every_reduction": "Every reduction"}
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
                ends = [a.figure(REASONS, f"/{kind}/{name}/{end}", Unit.SHARE, too_few(a, kind)) for end in spread]
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
        table(say("Agreement with the model as judged, over the refits."), ("Accounts", "What", "Mean", "Least", "Most"), rows),
    )


def _frequency(a: Artefacts) -> Section:
    rows: list[tuple[Cell, ...]] = []
    for kind, title in KINDS.items():
        gate, found = too_few(a, kind), a.at(REASONS, f"/{kind}")
        rows.append((title, "accounts explained", "", a.figure(REASONS, f"/{kind}/accounts", Unit.COUNT, enough(a, kind))))
        for name, words in SHARES.items():
            rows += [(title, words, "", a.figure(REASONS, f"/{kind}/{name}", Unit.SHARE, gate))] if name in found else []
        for group in a.names(REASONS, f"/{kind}/first_reason") if "first_reason" in found else []:
            named, share = a.figure(REASONS, group, Unit.KEY), a.figure(REASONS, group, Unit.SHARE, gate)
            rows.append((title, "first reason", named, share))
    return section(
        "Which reasons are given",
        table(say("Shares of the accounts explained."), ("Accounts", "What", "Reason", "Share"), rows),
    )


def enough(a: Artefacts, kind: str) -> Gate:
    """Shares of a handful of accounts say nothing."""
    sufficient = a.at(REASONS, f"/{kind}/accounts") >= ENOUGH
    return Gate("reasons.sample", f"at least {ENOUGH} accounts", Verdict.PASSED if sufficient else Verdict.INSUFFICIENT)


def too_few(a: Artefacts, kind: str) -> Gate:
    """Of a share: insufficient with too few accounts. With enough it is reported, as no limit says which share would be good."""
    gate = enough(a, kind)
    return gate if gate.verdict is Verdict.INSUFFICIENT else FREE


def _help(a: Artefacts) -> Section:
    return section(
        "What a customer could have changed",
        say(
            "For {found} of {accounts} reduced accounts there is a change of what a customer can change by the next review that"
            " leads to a better decision. Each was scored again to prove it.",
            found=a.figure(REASONS, "/help/found", Unit.SHARE),
            accounts=a.figure(REASONS, "/help/accounts", Unit.COUNT),
        ),
        table(
            say("By what would have to change."),
            ("Input", "Share of the accounts"),
            [(a.figure(REASONS, p, Unit.KEY), a.figure(REASONS, p, Unit.SHARE)) for p in a.names(REASONS, "/help/changes")],
        ),
    )
