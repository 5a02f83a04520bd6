"""How the model was chosen, on the development months alone: search, family, features, bias and variance, dimensions."""

from pipelines.pack.artefacts import Artefacts, Gate, Unit, Verdict
from pipelines.pack.files import DEVELOPMENT, POLICY, RECIPE
from pipelines.pack.prose import Document, Picture, Section, say, section, table

SHOWN = 10  # features, the most important first


def development(a: Artefacts) -> Document:
    return Document("development", "Development", (_choice(a), _features(a), _rows(a), _dimensions(a)))


def _choice(a: Artefacts) -> Section:
    margin = Gate("family", f"surely more than {a.at(POLICY, '/gates/family_margin'):g}", Verdict.REPORTED)
    return section(
        "Search and choice of the family",
        say("{reason}.", reason=a.figure(DEVELOPMENT, "/reason", Unit.TEXT, margin)),
        say(
            "A simpler family stays unless the paired gain in AUC is surely above {margin}.",
            margin=a.figure(POLICY, "/gates/family_margin", Unit.PLAIN),
        ),
        table(
            say(
                "What was tried, in {folds} folds that hold whole accounts.", folds=a.figure(RECIPE, "/search/folds", Unit.COUNT)
            ),
            ("Family", "Trials", "Pruned", "Best log-loss"),
            [
                (
                    a.figure(RECIPE, family, Unit.KEY),
                    a.figure(RECIPE, f"{family}/trials", Unit.COUNT),
                    a.figure(RECIPE, f"{family}/pruned", Unit.COUNT),
                    a.figure(RECIPE, f"{family}/best_loss", Unit.FINE),
                )
                for family in a.names(RECIPE, "/search/families")
            ],
        ),
        table(
            say("Parameters chosen."),
            ("Parameter", "Value"),
            [(a.figure(RECIPE, p, Unit.KEY), a.figure(RECIPE, p, Unit.PLAIN)) for p in a.names(RECIPE, "/parameters")],
        ),
        say(
            "Scores out of fold were calibrated with slope {slope} and intercept {intercept}.",
            slope=a.figure(RECIPE, "/calibration/slope", Unit.POINTS),
            intercept=a.figure(RECIPE, "/calibration/intercept", Unit.POINTS),
        ),
    )


def _features(a: Artefacts) -> Section:
    family = f"/selection/{a.at(RECIPE, '/family')}"
    importance = f"{family}/importance"
    ordered = sorted(a.names(DEVELOPMENT, importance), key=lambda pointer: -a.at(DEVELOPMENT, pointer))
    return section(
        "Features",
        say(
            "Features offered: {offered}; used: {chosen}.",
            offered=a.figure(DEVELOPMENT, importance, Unit.COUNT),
            chosen=a.figure(RECIPE, "/features", Unit.COUNT),
        ),
        table(
            say("The most important: log-loss lost when the feature is shuffled."),
            ("Feature", "Importance"),
            [(a.figure(DEVELOPMENT, p, Unit.KEY), a.figure(DEVELOPMENT, p, Unit.FINE)) for p in ordered[:SHOWN]],
        ),
        table(
            say("Fewer features: log-loss above the best subset, and its standard error."),
            ("Features", "Log-loss", "Above the best", "Standard error"),
            [
                (
                    a.figure(DEVELOPMENT, f"{subset}/size", Unit.COUNT),
                    a.figure(DEVELOPMENT, f"{subset}/loss", Unit.FINE),
                    a.figure(DEVELOPMENT, f"{subset}/excess", Unit.FINE),
                    a.figure(DEVELOPMENT, f"{subset}/error", Unit.FINE),
                )
                for subset in a.names(DEVELOPMENT, f"{family}/subsets")
            ],
        ),
    )


def _rows(a: Artefacts) -> Section:
    return section(
        "Bias and variance",
        say("The gap between the two columns of AUC is variance; their level is bias."),
        table(
            say("By number of training rows."),
            ("Rows", "AUC on training rows", "AUC on unseen accounts", "Log-loss on unseen accounts"),
            [
                (
                    a.figure(DEVELOPMENT, f"{point}/rows", Unit.COUNT),
                    a.figure(DEVELOPMENT, f"{point}/train_auc", Unit.POINTS),
                    a.figure(DEVELOPMENT, f"{point}/valid_auc", Unit.POINTS),
                    a.figure(DEVELOPMENT, f"{point}/valid_log_loss", Unit.FINE),
                )
                for point in a.names(DEVELOPMENT, "/learning_curve")
            ],
        ),
        Picture("plots/learning_curve.png", "AUC by number of training rows; the table has the figures."),
    )


def _dimensions(a: Artefacts) -> Section:
    return section(
        "Fewer dimensions",
        table(
            say("Principal components in the place of features. Where there are none, it is the features themselves."),
            ("Components", "Variance explained", "AUC", "Gain in AUC"),
            [
                (
                    a.figure(DEVELOPMENT, f"{point}/components", Unit.COUNT),
                    a.figure(DEVELOPMENT, f"{point}/explained_variance", Unit.SHARE),
                    a.figure(DEVELOPMENT, f"{point}/auc", Unit.FINE),
                    a.figure(DEVELOPMENT, f"{point}/auc_gain", Unit.FINE),
                )
                for point in a.names(DEVELOPMENT, "/components")
            ],
        ),
    )
