import pytest

from models.credit_default import USE_CASE
from monitoring.outcomes.estimation import Estimate, Estimated
from monitoring.outcomes.history import Miss, bands, compared
from monitoring.performance import Figures, Performance, Reading

GUESS = Estimate(definition=1, populations={"all": Estimated(rows=2_000, bad_rate=0.15, brier=0.09, auc=0.86)})


def reading(definition: int, auc: float | None = 0.85, bad: int = 300) -> Reading:
    rule = USE_CASE.definitions[definition].rule
    whole = Figures(rows=2_000, bad=bad, predicted=0.15, actual=bad / 2_000, brier=0.1, auc=auc)
    return Reading(definition=definition, rule=rule, populations={"all": whole})


def performance(coded: Reading, like: Reading | None) -> Performance:
    return Performance(
        matured_at="2005-10-31",
        coding="repayment_status",
        as_coded=coded,
        comparable=like,
        note="",
        reference_definition=1,
        reference={},
        attribution=None,
        unmatched=0,
    )


def misses(*differences: float, reading: str = "comparable") -> list[Miss]:
    return [
        Miss.model_validate(
            {"month": f"2005-{n + 1:02d}", "reading": reading, "measure": "auc", "estimated": 0.8, "realised": 0.8 + difference}
        )
        for n, difference in enumerate(differences)
    ]


def test_every_measure_of_every_reading_is_held_against_the_estimate() -> None:
    found = compared("2005-08", GUESS, performance(reading(1, 0.75), reading(2, 0.88)), USE_CASE)
    by = {(miss.reading, miss.measure): miss.difference for miss in found.misses}
    assert by["as coded", "auc"] == pytest.approx(-0.11)
    assert by["comparable", "auc"] == pytest.approx(0.02)
    assert by["as coded", "bad_rate"] == pytest.approx(0)
    assert len(by) == 6


def test_an_auc_that_is_not_known_is_not_compared() -> None:
    found = compared("2005-08", GUESS, performance(reading(1, None), None), USE_CASE)
    assert {miss.measure for miss in found.misses} == {"brier", "bad_rate"}


def test_for_an_outcome_defined_anew_nobody_claims_to_know_the_models_part() -> None:
    said = compared("2005-09", GUESS, performance(reading(3, 0.72), None), USE_CASE).why
    assert "the outcome is “behind: the published label 'default payment next month'”" in said
    assert "the estimate is of “behind: repayment status 1 or more in the month after”" in said
    assert said.endswith("how much of the difference is the model's, nobody can tell.")


def test_where_codes_changed_their_meaning_the_difference_is_told_in_two_parts_that_add_up() -> None:
    said = compared("2005-08", GUESS, performance(reading(1, 0.75, 450), reading(2, 0.88, 200)), USE_CASE).why
    assert "Of the AUC's difference, -0.110, what counts as bad made -0.130" in said
    assert "+0.020 is left for chance, and for concept drift, which an estimate cannot see." in said
    assert "the level of the bad rate may differ" in said


def test_without_an_auc_the_comparable_reading_is_pointed_at() -> None:
    said = compared("2005-08", GUESS, performance(reading(1, None, 0), reading(2, 0.88)), USE_CASE).why
    assert "hold the comparable figures against the estimate" in said


def test_where_both_readings_are_one_the_rest_is_chance_or_concept_drift() -> None:
    said = compared("2005-07", GUESS, performance(reading(1), reading(1)), USE_CASE).why
    assert "concept drift" in said


def test_before_six_months_there_is_no_band() -> None:
    assert bands(misses(0.01, -0.02, 0.0, 0.01, 0.02)) == ()


def test_from_six_months_on_the_band_is_the_range_of_what_was_missed() -> None:
    (band,) = bands(misses(0.01, -0.02, 0.0, 0.01, 0.02, -0.01))
    assert (band.months, band.low, band.high) == (6, pytest.approx(-0.02), pytest.approx(0.02))
    assert band.coverage == pytest.approx(5 / 7)


def test_months_that_cannot_be_compared_make_no_band() -> None:
    assert bands(misses(*[0.01] * 9, reading="as coded")) == ()
