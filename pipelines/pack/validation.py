"""Validation report: what was measured out of time, where it holds and where not, and every check of the gate."""

from pipelines.pack.artefacts import FREE, Artefacts, Figure, Unit
from pipelines.pack.files import ASSESSMENT, DATA
from pipelines.pack.gates import control, of, passed
from pipelines.pack.prose import Cell, Document, Picture, Section, say, section, table

MEASURES = {
    "auc": ("AUC", Unit.POINTS, "auc", "deployed_auc"),
    "gini": ("Gini", Unit.POINTS, "", ""),
    "ks": ("KS", Unit.POINTS, "", ""),
    "pr_auc": ("Area under precision and recall", Unit.POINTS, "", ""),
    "brier": ("Brier score", Unit.FINE, "", ""),
    "brier_ratio": ("Brier score over that of the base rate", Unit.POINTS, "brier_ratio", "deployed_brier_ratio"),
    "log_loss": ("Log-loss", Unit.FINE, "", ""),
    "calibration_slope": ("Calibration slope", Unit.POINTS, "out_of_time_slope", "calibration_slope"),
    "calibration_intercept": ("Calibration intercept", Unit.POINTS, "out_of_time_intercept", "calibration_intercept"),
    "bad_rate": ("Bad rate", Unit.SHARE, "", ""),
    "mean_probability": ("Mean probability", Unit.SHARE, "", ""),
}
"""Title, unit, and the check that the figure can fail: of the candidate, of the deployed model."""

GROUPS = {"cohort": "By cohort", "population": "By population", "account": "Accounts seen in training, and never seen"}
"""Titles of splits; the others are the use case's own segments."""


def validation(a: Artefacts) -> Document:
    return Document("validation", "Validation report", (_measured(a), _groups(a), _gate(a)))


def _measured(a: Artefacts) -> Section:
    judged, deployed = "/out_of_time/overall", "/deployed/overall"
    rows: list[tuple[Cell, ...]] = []
    for name, (title, unit, candidate, final) in MEASURES.items():
        ours, theirs = (_value(a, where, name, unit, check) for where, check in ((judged, candidate), (deployed, final)))
        rows.append((title, ours, theirs))
    return section(
        "What was measured",
        say(
            "The candidate was fitted on the development months and judged on all {rows} accounts of {month}, of which {bad}"
            " turned bad. The deployed model is the same recipe on all matured months, checked on {held} accounts of the newest"
            " one, on which no tree is grown.",
            rows=a.judged(ASSESSMENT, f"{judged}/rows", Unit.COUNT, "rows"),
            month=a.figure(DATA, "/out_of_time", Unit.TEXT),
            bad=a.judged(ASSESSMENT, f"{judged}/bad", Unit.COUNT, "outcomes"),
            held=a.figure(ASSESSMENT, f"{deployed}/rows", Unit.COUNT),
        ),
        say(
            "These {held} accounts also calibrate the deployed model: its slope and intercept were fitted on all of them. Here"
            " each half of them is judged under a calibration by the other half, so this column says little about other months."
            " How the recipe is calibrated on a month that no calibration has seen, the column out of time says. Both are gated"
            " (control {gate}).",
            held=a.figure(ASSESSMENT, f"{deployed}/rows", Unit.COUNT),
            gate=control(a, "gate"),
        ),
        table(
            say("Figures with their confidence intervals, clustered by account."),
            ("Measure", "Candidate, out of time", "Deployed, on held-out accounts"),
            rows,
        ),
        Picture("plots/roc.png", "Receiver operating characteristic out of time."),
        Picture("plots/calibration.png", "Actual bad rate against predicted probability, in bins of equal size."),
        Picture("plots/gain.png", "Cumulative gain, riskiest accounts first."),
        Picture("plots/stability.png", "Distribution of the score by cohort."),
    )


def _value(a: Artefacts, where: str, name: str, unit: Unit, check: str) -> Figure:
    """The measure, or why there is none."""
    if "insufficient" in a.at(ASSESSMENT, where):
        return a.figure(ASSESSMENT, f"{where}/insufficient", Unit.TEXT, a.check(check) if check else FREE)
    pointer = f"{where}/estimates/{name}"
    return a.judged(ASSESSMENT, pointer, unit, check) if check else a.figure(ASSESSMENT, pointer, unit)


def _groups(a: Artefacts) -> Section:
    tables = []
    for split in a.names(ASSESSMENT, "/out_of_time/groups"):
        name = split.rsplit("/", 1)[-1]
        caption = say(GROUPS[name]) if name in GROUPS else say("By {split}", split=a.figure(ASSESSMENT, split, Unit.KEY))
        parts = [_part(a, part) for part in a.names(ASSESSMENT, split)]
        tables.append(table(caption, ("Group", "Accounts", "Bad", "AUC", "Brier score", "Calibration slope"), parts))
    return section(
        "Where it holds, out of time",
        say("A group with too few bad or good outcomes has no figure (control {gate}).", gate=control(a, "gate")),
        *tables,
    )


def _part(a: Artefacts, part: str) -> tuple[Cell, ...]:
    name, rows, bad = (
        a.figure(ASSESSMENT, part, Unit.KEY),
        a.figure(ASSESSMENT, f"{part}/rows", Unit.COUNT),
        a.figure(ASSESSMENT, f"{part}/bad", Unit.COUNT),
    )
    if "insufficient" in a.at(ASSESSMENT, part):
        return name, rows, bad, a.figure(ASSESSMENT, f"{part}/insufficient", Unit.TEXT), "", ""
    measured = [
        a.figure(ASSESSMENT, f"{part}/estimates/{measure}", unit)
        for measure, unit in (("auc", Unit.POINTS), ("brier", Unit.FINE), ("calibration_slope", Unit.POINTS))
    ]
    return name, rows, bad, *measured


def _gate(a: Artefacts) -> Section:
    return section(
        "The gate",
        say("{sentence}", sentence=a.figure(ASSESSMENT, "/gate/sentence", Unit.TEXT, of(a))),
        table(
            say("Every check: a figure counts by the worse end of its interval (control {gate}).", gate=control(a, "gate")),
            ("Check", "Limit", "Passed", "In words"),
            [
                (
                    a.figure(ASSESSMENT, f"{check}/name", Unit.TEXT),
                    a.figure(ASSESSMENT, f"{check}/limit", Unit.TEXT),
                    passed(a, check),
                    a.figure(ASSESSMENT, f"{check}/sentence", Unit.TEXT),
                )
                for check in a.names(ASSESSMENT, "/gate/checks")
            ],
        ),
    )
