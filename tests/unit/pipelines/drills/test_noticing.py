"""A drill passes only if somebody was called, in time, and nobody too early; a lost decision fails it whatever was noticed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.errors import NotFound
from pipelines.drills.catalogue import DRILLS, QUIET_WINDOWS, Drill, Weight, find
from pipelines.drills.noticing import Lived, Notice
from pipelines.drills.quiet import Quiet, upper_bound
from pipelines.drills.table import BEGIN, END, table, write

AT = datetime(2005, 10, 1, 4, tzinfo=UTC)
SECOND = Drill("late", "It begins in the second window", "first matured window", begins=2)
GRADUAL = Drill("slow", "It grows", "second window", within=2)
CALM = Drill("calm", "Nothing", "nobody is called", within=0)


def notice(window: int, weight: Weight = Weight.PAGE, by: str = "alert auc_drop") -> Notice:
    return Notice(window, AT, weight, by, "AUC fell.")


@pytest.mark.parametrize(
    ("lived", "result"),
    [
        (Lived(SECOND, [notice(2)]), "window 1"),
        (Lived(SECOND, [notice(2, Weight.STOPPED)]), "window 1"),
        (Lived(SECOND, []), "MISSED"),
        (Lived(SECOND, [notice(2, Weight.WARNING)]), "MISSED"),
        (Lived(SECOND, [notice(3)]), "MISSED: too late"),
        (Lived(SECOND, [notice(1), notice(2)]), "MISSED: somebody was called before it began"),
        (Lived(SECOND, [notice(2)], lost=7), "MISSED: 7 decisions were lost"),
        (Lived(GRADUAL, [notice(1, Weight.WARNING), notice(2)]), "window 2"),
        (Lived(GRADUAL, [notice(3)]), "MISSED: too late"),
        (Lived(CALM, [notice(1, Weight.WARNING)]), "nobody was called"),
        (Lived(CALM, [notice(2)]), "MISSED: somebody was called"),
    ],
)
def test_what_came_of_a_drill(lived: Lived, result: str) -> None:
    assert lived.result == result
    assert lived.passed is not result.startswith("MISSED")


def test_the_table_says_who_noticed_first_who_else_and_how_sure_the_quiet_is() -> None:
    lived = Lived(GRADUAL, [notice(1, Weight.WARNING, "alert input_shift"), notice(2)])
    quiet = Quiet([()] * 149, [("since_first",), *[()] * 148], holds=0)
    page = "\n".join(table([lived], quiet, on=AT, commit="abc", seconds=120))
    assert (
        "| slow | It grows | second window | window 2, 01 Oct 04:00 | alert auc_drop | AUC fell. | alert input_shift (warning) |"
        in page
    )
    assert "0 of 149 quiet windows called somebody: by the exact 95 % bound (Clopper and Pearson) at most 2.0 % do." in page
    assert "1 windows had a warning (since_first)" in page


def test_of_each_source_the_table_shows_the_strongest_that_it_said() -> None:
    shift = "alert input_shift"
    lived = Lived(GRADUAL, [notice(1, Weight.WARNING, shift), notice(2), notice(2, by=shift)])
    assert [(other.by, other.weight) for other in lived.others()] == [(shift, Weight.PAGE)]


def test_the_table_takes_its_place_between_the_marks_and_nowhere_else(tmp_path: Path) -> None:
    page = tmp_path / "drills.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert write(page, ["new"]) == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    page.write_text("no place")
    with pytest.raises(NotFound, match="no place"):
        write(page, ["new"])


@pytest.mark.parametrize(("hits", "trials", "bound"), [(0, 149, 0.0199), (0, 148, 0.0200), (1, 149, 0.0314), (5, 10, 0.7776)])
def test_the_bound_is_clopper_and_pearsons(hits: int, trials: int, bound: float) -> None:
    from scipy.stats import beta

    assert upper_bound(hits, trials) == pytest.approx(beta.ppf(0.95, hits + 1, trials - hits))
    assert upper_bound(hits, trials) == pytest.approx(bound, abs=5e-4)


def test_drills_are_found_by_name_and_all_of_them_by_none() -> None:
    assert find("nulls, unit-change") == ["nulls", "unit-change"]
    assert find("") == [*DRILLS, QUIET_WINDOWS]
    with pytest.raises(NotFound, match="no drill 'nul'"):
        find("nul")
