"""What a report keeps of a month's performance beside the realised figures themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from models.policy import Frozen
from models.usecase import UseCase
from monitoring.drift import labels
from monitoring.outcomes.curves import Band, Vintage, calibration
from monitoring.outcomes.estimation import Estimate
from monitoring.outcomes.history import Compared, ErrorBand, Miss, bands, compared
from monitoring.performance import Matched, Performance


class Outlook(Frozen):
    """`compared` and `calibration` (by reading) are there once the month has matured; `bands` are of the months before."""

    estimate: Estimate
    compared: Compared | None = None
    bands: tuple[ErrorBand, ...] = ()
    calibration: Mapping[str, tuple[Band, ...]] = Field(default={})
    vintages: tuple[Vintage, ...] = ()

    def band(self, measure: str) -> ErrorBand | None:
        return next((band for band in self.bands if band.measure == measure), None)


def outlook(
    use_case: UseCase,
    month: str,
    estimate: Estimate,
    *,
    score: Mapping[str, Any],
    before: Sequence[Miss] = (),
    known: tuple[Matched, Performance] | None = None,
    vintages: Sequence[Vintage] = (),
) -> Outlook:
    """`score` is the frozen binning of the score, `before` what other matured months missed."""
    if known is None:
        return Outlook(estimate=estimate, bands=bands(before))
    matched, performance = known
    readings = {"as coded": performance.as_coded, "comparable": performance.comparable}
    names = labels(score)
    return Outlook(
        estimate=estimate,
        compared=compared(month, estimate, performance, use_case),
        bands=bands(before),
        calibration={
            name: calibration(
                score["edges"],
                names,
                matched.columns["probability"],
                use_case.definitions[reading.definition].bad(matched.codes),
            )
            for name, reading in readings.items()
            if reading
        },
        vintages=tuple(vintages),
    )
