"""Model card: what it is for and not for, who answers for it, what oversight follows, and how it stands in short."""

from pipelines.pack.artefacts import Artefacts, Figure, Unit
from pipelines.pack.files import ASSESSMENT, DATA, FAIRNESS, INVENTORY, LINEAGE, OVERSIGHT, REASONS, RECIPE, SUBJECT
from pipelines.pack.gates import EXPOSED, NOT_REFUSED, OWNED, control, fairness, of, passed
from pipelines.pack.prose import Document, Section, Sentence, points, say, section, table
from pipelines.pack.reasons import FIRST, stable
from pipelines.reasons_report import DUE


def card(a: Artefacts) -> Document:
    return Document("card", "Model card", (_use(a), _oversight(a), _standing(a), _identity(a)))


def _use(a: Artefacts) -> Section:
    def declared(pointer: str, unit: Unit = Unit.TEXT) -> Figure:
        return a.figure(INVENTORY, pointer, unit, OWNED)

    return section(
        "What it is for, and what not",
        say("{purpose}.", purpose=declared("/purpose")),
        say("Permitted is:"),
        points(*(say("{use}", use=declared(pointer)) for pointer in a.names(INVENTORY, "/permitted"))),
        say("Forbidden is:"),
        points(*(say("{use}", use=declared(pointer)) for pointer in a.names(INVENTORY, "/forbidden"))),
        say("{owner} answers for it.", owner=declared("/owner")),
    )


def _oversight(a: Artefacts) -> Section:
    def applies(name: str, unit: Unit = Unit.COUNT) -> Figure:
        return a.figure(OVERSIGHT, f"/{name}", unit, OWNED)

    return section(
        "Materiality and oversight",
        say(
            "It {purpose}, with an exposure of {amount} {unit} ({source}). That makes it tier {tier}.",
            purpose=a.figure(INVENTORY, "/purpose_class", Unit.TEXT, OWNED),
            amount=a.figure(INVENTORY, "/exposure/amount", Unit.COUNT, OWNED),
            unit=a.figure(INVENTORY, "/exposure/unit", Unit.TEXT, OWNED),
            source=a.figure(INVENTORY, "/exposure/source", Unit.TEXT, OWNED),
            tier=applies("tier"),
        ),
        _measured(a),
        say(
            "Approvers who must sign: {approvers}. An approval counts for {days} days. Months between two reviews by"
            " monitoring: {months}.",
            approvers=applies("approvers"),
            days=applies("approval_days"),
            months=applies("monitoring_months"),
        ),
    )


def _measured(a: Artefacts) -> Sentence | None:
    """Beside what is declared. Versions of before it was measured say nothing of it."""
    if not a.at(DATA).get("exposure"):
        return None
    return say(
        "Of the accounts of {month} that it was made of, the exposure is {amount} {unit}: {ratio} of what is declared,"
        " which may be at most {largest}, and of tier {tier}.",
        month=a.figure(DATA, "/exposure/month", Unit.TEXT),
        amount=a.figure(DATA, "/exposure/amount", Unit.COUNT, EXPOSED),
        unit=a.figure(DATA, "/exposure/unit", Unit.TEXT),
        ratio=a.figure(DATA, "/exposure/ratio", Unit.SHARE, EXPOSED),
        largest=a.figure(DATA, "/exposure/largest_ratio", Unit.SHARE),
        tier=a.figure(DATA, "/exposure/tier", Unit.COUNT, EXPOSED),
    )


def _standing(a: Artefacts) -> Section:
    estimates = "/out_of_time/overall/estimates"
    return section(
        "How it stands",
        say("The gate: {sentence}", sentence=a.figure(ASSESSMENT, "/gate/sentence", Unit.TEXT, of(a))),
        say(
            "Out of time it ranks accounts with an AUC of {auc}; its Brier score is {ratio} of that of the base rate.",
            auc=a.judged(ASSESSMENT, f"{estimates}/auc", Unit.POINTS, "auc"),
            ratio=a.judged(ASSESSMENT, f"{estimates}/brier_ratio", Unit.POINTS, "brier_ratio"),
        ),
        say(
            "Of the accounts that are neither behind nor inactive alone it ranks with an AUC of {auc}.",
            auc=a.figure(ASSESSMENT, "/out_of_time/groups/population/current/estimates/auc", Unit.POINTS),
        )
        if "current" in a.at(ASSESSMENT, "/out_of_time/groups/population")
        else None,
        say("Fairness: {sentence}", sentence=a.figure(FAIRNESS, "/sentence", Unit.TEXT, fairness(a))),
        _stability(a),
        table(
            say(
                "Gates of this version. Fairness is ruled by jurisdiction (control {fairness}).", fairness=control(a, "fairness")
            ),
            ("Gate", "Verdict"),
            [
                *(
                    (a.figure(ASSESSMENT, f"{pointer}/name", Unit.TEXT), passed(a, pointer))
                    for pointer in a.names(ASSESSMENT, "/gate/checks")
                ),
                *(
                    (a.figure(FAIRNESS, pointer, Unit.KEY), a.figure(FAIRNESS, pointer, Unit.TEXT, fairness(a, pointer)))
                    for pointer in a.names(FAIRNESS, "/gates")
                ),
            ],
        ),
    )


def _stability(a: Artefacts) -> Sentence | None:
    """Of whom the law owes reasons to, if there is anybody."""
    if not a.at(REASONS, f"/{DUE}").get(FIRST):
        return None
    mean, least = (a.figure(REASONS, f"/{DUE}/{FIRST}/{end}", Unit.SHARE, stable(a, DUE, FIRST)) for end in ("mean", "least"))
    return say(
        "Reasons: fitted on other samples of the accounts, it gives the same first reason to {mean} of those owed a notice;"
        " to {least} at worst.",
        mean=mean,
        least=least,
    )


def _identity(a: Artefacts) -> Section:
    lineage = "/lineage"
    rows = [
        ("Version", a.figure(SUBJECT, "/version", Unit.PLAIN)),
        ("Bundle", a.figure(SUBJECT, "/bundle", Unit.DIGEST, NOT_REFUSED)),
        ("Evidence of the training", a.figure(SUBJECT, "/training", Unit.DIGEST, NOT_REFUSED)),
        ("Family", a.figure(RECIPE, "/family", Unit.TEXT)),
        ("Trained as of", a.figure(LINEAGE, f"{lineage}/as_of", Unit.TEXT)),
        ("Nothing counts that was recorded after", a.figure(LINEAGE, f"{lineage}/known_at", Unit.INSTANT)),
        ("Code (git commit)", a.figure(LINEAGE, f"{lineage}/git_commit", Unit.DIGEST)),
        ("Environment (digest of the lock file)", a.figure(LINEAGE, f"{lineage}/lock_sha256", Unit.DIGEST)),
        ("Seed", a.figure(LINEAGE, f"{lineage}/seed", Unit.PLAIN)),
    ]
    return section("Which model this is", table(say("Identity."), ("What", "Value"), rows))
