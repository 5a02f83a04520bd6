"""The next step of a release that arrived."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models.rollout import End, Mode, Outcome, Rollout
from pipelines.delivery.advancing import Step, next_step
from tests.begun import WEEK, paper_rollout
from tests.fakes.channel import FakeChannel
from tests.office import MODEL, NOON

CHAMPION, BUNDLE = "a" * 64, "c" * 64


class At(FakeChannel):
    """Its newest pointer is number 1, and nothing was stopped."""

    def pointers(self, model: str) -> int:
        return 1


def step(*documents: Rollout | End, champion: str = CHAMPION, later: timedelta = timedelta(), waived: str = "") -> Step:
    return next_step(At(), documents, MODEL, BUNDLE, champion, NOON + later, waived).step


def ended(outcome: Outcome, number: int = 1) -> End:
    return End(MODEL, number + 1, number, outcome, NOON.isoformat(), "judge of roll-outs", "as it was found")


def test_without_a_champion_there_is_nothing_to_try_it_beside() -> None:
    assert step(champion="") is Step.PROMOTE


def test_what_is_in_force_needs_nothing() -> None:
    assert step(champion=BUNDLE) is Step.NOTHING


def test_beside_a_champion_it_is_tried_first() -> None:
    assert step() is Step.BEGIN


@pytest.mark.parametrize("other", [{"mode": Mode.SHADOW, "share": 1.0}, {"challenger": "d" * 64}, {"pointer": 2}])
def test_another_trial_is_none_of_it(other: dict[str, object]) -> None:
    passed = (replace(paper_rollout(), **other), ended(Outcome.PROMOTION_ASKED))  # type: ignore[arg-type]
    assert step(*passed) is Step.BEGIN


@pytest.mark.parametrize(
    ("outcome", "then"),
    [(Outcome.PROMOTION_ASKED, Step.PROMOTE), (Outcome.ROLLED_BACK, Step.STOP), (Outcome.ENDED, Step.STOP)],
)
def test_only_a_canary_that_passed_is_promoted(outcome: Outcome, then: Step) -> None:
    assert step(paper_rollout(), ended(outcome)) is then


def test_who_answers_for_going_without_is_not_asked_for_a_canary() -> None:
    assert step(waived="Without a canary: ana") is Step.PROMOTE
    assert step(paper_rollout(), ended(Outcome.ROLLED_BACK), waived="Without a canary: ana") is Step.PROMOTE


def test_an_open_canary_is_judged_and_one_whose_time_is_over_goes_no_further() -> None:
    assert step(paper_rollout()) is Step.JUDGE
    assert step(paper_rollout(), later=WEEK) is Step.STOP


def test_the_newest_canary_counts() -> None:
    first, again = paper_rollout(), paper_rollout(number=3)
    assert step(first, ended(Outcome.ROLLED_BACK), again, ended(Outcome.PROMOTION_ASKED, 3)) is Step.PROMOTE
    assert step(first, ended(Outcome.PROMOTION_ASKED), again, ended(Outcome.ROLLED_BACK, 3)) is Step.STOP
