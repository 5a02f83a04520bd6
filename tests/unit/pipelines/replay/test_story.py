import pytest

from pipelines.replay.story import Event, ReplayResult, figures, headline, shares, subline, won_back
from tests.fakes.replayed import coded, comparable, month, result


def test_the_headline_says_what_share_of_the_gap_was_closed() -> None:
    lost = month(
        "2005-11", version=1, coded=coded(auc=0.80, never=0.80, best=0.88, brier=0.12, never_brier=0.12, best_brier=0.08)
    )
    won = month("2005-12", version=2, coded=coded(auc=0.86, never=0.80, best=0.88, brier=0.09, never_brier=0.12, best_brier=0.08))
    replayed = result(lost, won)
    assert won_back(replayed) == pytest.approx((0.75, 0.75))
    assert headline(replayed) == "Retraining closed 75% of the gap to the best possible AUC, and 75% of the gap in Brier score."


def test_months_before_the_first_retrained_model_do_not_count() -> None:
    early = month("2005-10", version=1, coded=coded(auc=0.5, never=0.5, best=0.9))
    won = month("2005-12", version=2, coded=coded(auc=0.85, never=0.8, best=0.9))
    assert won_back(result(early, won)) == won_back(result(month("2005-10", version=1, coded=None), won))


def test_a_replay_without_retraining_claims_nothing() -> None:
    replayed = result(month("2005-10", version=1, coded=coded(auc=0.8, never=0.8, best=0.9)))
    assert won_back(replayed) is None
    assert headline(replayed) == "Nothing was retrained, so nothing was won back."


def test_a_retrained_model_that_is_worse_is_called_so() -> None:
    replayed = result(
        month("2005-10", version=1, coded=coded(auc=0.8, never=0.8, best=0.9)),
        month("2005-11", version=2, coded=coded(auc=0.79, never=0.8, best=0.9)),
    )
    assert headline(replayed).startswith("Retraining closed nothing of the gap")


def test_the_headline_of_a_coding_change_names_both_readings_of_the_month_that_fell_most() -> None:
    alike = month("2005-07", coded=coded(auc=0.89, bad_rate=0.148), comparable=comparable(auc=0.889, bad_rate=0.147))
    fallen = month("2005-08", coded=coded(auc=0.781, bad_rate=0.227), comparable=comparable(auc=0.881, bad_rate=0.104))
    held = Event(on="2005-09-30", kind="held", sentence="coded otherwise")
    said = headline(result(alike, fallen, events=(held,)))
    assert said == ("The AUC fell because the coding changed: .781 as coded, .881 comparable; retraining waited for a person.")


@pytest.mark.parametrize(
    ("noticed", "lag"),
    [
        ("2005-11-30", "1 month after the first shifted accounts were scored, 0 months after their outcomes were known"),
        ("2005-12-31", "2 months after the first shifted accounts were scored, 1 month after their outcomes were known"),
        ("2005-08-31", "before the concept shift of 2005-10 began"),
    ],
)
def test_the_delay_of_noticing_is_counted_from_the_first_shifted_month(noticed: str, lag: str) -> None:
    replayed = result(month("2005-10", coded=coded()), shifted_from="2005-10", noticed_on=noticed)
    assert lag in subline(replayed)


def test_what_was_never_noticed_is_not_dated() -> None:
    assert "Noticed" not in subline(result(month("2005-10", coded=coded())))


def test_the_tiles_show_the_last_matured_month() -> None:
    tiles = figures(result(month("2005-10", coded=coded(auc=0.8, never=0.7)), month("2005-11", coded=None)))
    assert tiles[0] == ("AUC, 2005-10", ".800", "never retrained .700")


def test_the_tiles_of_a_coding_change_show_the_month_that_fell() -> None:
    fallen = month("2005-08", coded=coded(auc=0.781, bad_rate=0.227), comparable=comparable(auc=0.881, bad_rate=0.104))
    tiles = figures(result(fallen, month("2005-09", coded=coded(auc=0.73, bad_rate=0.22))))
    assert tiles[0] == ("AUC, 2005-08", ".881", "comparable; as coded .781")


def test_the_breakdown_of_the_time_starts_with_the_slowest_step_and_adds_up() -> None:
    steps = shares({"score": 10.0, "train": 30.0})
    assert [step for step, _, _ in steps] == ["train", "score"]
    assert sum(share for _, _, share in steps) == pytest.approx(1.0)


def test_a_result_survives_being_written_and_read() -> None:
    replayed = result(month("2005-10", coded=coded()), events=(Event(on="2005-10-31", kind="kept", sentence="No gain."),))
    assert ReplayResult.model_validate_json(replayed.model_dump_json()) == replayed
