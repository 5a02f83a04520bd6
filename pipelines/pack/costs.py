"""Policy: the cost matrix and its assumptions, the cut-offs that follow from it, and what they cost out of time."""

from pipelines.pack.artefacts import Artefacts, Figure, Gate, Unit, Verdict
from pipelines.pack.files import ASSESSMENT, DERIVED, DEVELOPMENT, INVENTORY, POLICY
from pipelines.pack.gates import OWNED
from pipelines.pack.prose import Document, Picture, Section, say, section, table

COST = "/proofs/cost"
APPROVED = Gate("policy", "an edit after results were seen needs a second approver", Verdict.BINDING)
MEANINGS = {
    "currency": "currency",
    "exposure": "exposure at default, by account",
    "loss_given_default": "loss given default",
    "review_cost": "cost of a review by a person",
    "review_catches": "share of the loss that a review avoids",
    "reduce_saves": "share of the loss that a reduced line avoids",
    "lost_margin": "margin lost on a good account whose line was reduced",
}


def costs(a: Artefacts) -> Document:
    return Document("costs", "Policy and costs", (_matrix(a), _cut_offs(a), _spent(a)))


def _matrix(a: Artefacts) -> Section:
    units = dict.fromkeys(("loss_given_default", "review_catches", "reduce_saves"), Unit.SHARE) | {"currency": Unit.TEXT}
    return section(
        "Cost matrix",
        say(
            "{owner} answers for these assumptions. By them alone review is cheapest from {review} on, and to reduce"
            " from {reduce} on.",
            owner=a.figure(INVENTORY, "/owner", Unit.TEXT, OWNED),
            review=a.figure(DERIVED, "/cut_offs/review", Unit.SHARE),
            reduce=a.figure(DERIVED, "/cut_offs/reduce", Unit.SHARE),
        ),
        table(
            say("What each action is assumed to cost."),
            ("Assumption", "Value"),
            [(MEANINGS[name], _policy(a, f"/cost/{name}", units.get(name, Unit.COUNT))) for name in a.at(POLICY, "/cost")],
        ),
    )


def _cut_offs(a: Artefacts) -> Section:
    band = f"{COST}/band"
    return section(
        "Cut-offs",
        say(
            "The policy: from a probability of {review} on an account is reviewed, from {reduce} on its line is reduced.",
            review=_policy(a, "/cut_offs/review", Unit.SHARE),
            reduce=_policy(a, "/cut_offs/reduce", Unit.SHARE),
        ),
        say(
            "Doubt about the score widens the review range to {low} and {high}.",
            low=a.figure(ASSESSMENT, f"{band}/review", Unit.SHARE),
            high=a.figure(ASSESSMENT, f"{band}/reduce", Unit.SHARE),
        ),
        Picture("plots/expected_cost.png", "Expected cost of each action by probability, and what was realised out of time."),
        table(
            say("Neighbouring cut-offs on development rows, realised cost by account. The first row is the policy's own."),
            ("Review from", "Reduce from", "Cost", "Above the policy's", "Standard error"),
            [
                (
                    a.figure(DEVELOPMENT, f"{pair}/review", Unit.SHARE),
                    a.figure(DEVELOPMENT, f"{pair}/reduce", Unit.SHARE),
                    a.figure(DEVELOPMENT, f"{pair}/cost", Unit.COUNT),
                    a.figure(DEVELOPMENT, f"{pair}/excess", Unit.COUNT),
                    a.figure(DEVELOPMENT, f"{pair}/error", Unit.COUNT),
                )
                for pair in a.names(DEVELOPMENT, "/cut_offs")
            ],
        ),
    )


def _spent(a: Artefacts) -> Section:
    return section(
        "What it costs, out of time",
        table(
            say(
                "Mean cost by account, in {currency}. Expected is by the probability, realised by the outcome.",
                currency=_policy(a, "/cost/currency", Unit.TEXT),
            ),
            ("What is done", "Expected", "Realised", "Standard error", "Reviewed"),
            [
                (
                    a.figure(ASSESSMENT, done, Unit.KEY),
                    a.figure(ASSESSMENT, f"{done}/expected", Unit.COUNT),
                    a.figure(ASSESSMENT, f"{done}/realised", Unit.COUNT),
                    a.figure(ASSESSMENT, f"{done}/error", Unit.COUNT),
                    a.figure(ASSESSMENT, f"{done}/reviewed", Unit.SHARE),
                )
                for done in a.names(ASSESSMENT, f"{COST}/totals")
            ],
        ),
    )


def _policy(a: Artefacts, pointer: str, unit: Unit) -> Figure:
    return a.figure(POLICY, pointer, unit, APPROVED)
