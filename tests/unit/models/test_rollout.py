"""The draw of the arms: sticky within a roll-out, as large as its share says, and drawn anew in the next one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rollout import CANARY, CONTROL, MOST_SHARE, End, Mode, Outcome, Rollout
from tests.begun import paper_rollout

ACCOUNTS = [f"p1_{number:034x}" for number in range(4_000)]


def canaries(begun: Rollout) -> set[str]:
    return {account for account in ACCOUNTS if begun.arm(account) == CANARY}


@given(number=st.integers(1, 10**6), share=st.floats(0.01, MOST_SHARE), account=st.text(max_size=40))
def test_an_account_keeps_its_arm_for_as_long_as_the_rollout_lasts(number: int, share: float, account: str) -> None:
    begun = paper_rollout(number=number, share=share)
    again = Rollout.read(begun.to_document())  # another process, or the same after a restart

    assert again.arm(account) == begun.arm(account) in (CANARY, CONTROL)


@given(number=st.integers(1, 10**6), share=st.floats(0.01, MOST_SHARE))
def test_about_the_share_is_drawn(number: int, share: float) -> None:
    """Within six standard deviations of a binomial: missed once in 500 million draws."""
    drawn = len(canaries(paper_rollout(number=number, share=share)))

    assert abs(drawn - share * len(ACCOUNTS)) <= 6 * (len(ACCOUNTS) * share * (1 - share)) ** 0.5


@given(first=st.integers(1, 1_000), later=st.integers(1_001, 2_000))
def test_the_next_rollout_draws_independently(first: int, later: int) -> None:
    """Who was a canary once is one again no more often than anybody."""
    share = 0.25
    both = canaries(paper_rollout(number=first, share=share)) & canaries(paper_rollout(number=later, share=share))

    expected = share**2
    assert abs(len(both) - expected * len(ACCOUNTS)) <= 6 * (len(ACCOUNTS) * expected * (1 - expected)) ** 0.5


@given(small=st.floats(0.01, 0.2), more=st.floats(0, 0.3))
def test_a_larger_share_takes_nobody_out(small: float, more: float) -> None:
    begun = paper_rollout(share=small)

    assert canaries(begun) <= canaries(replace(begun, share=small + more))


@pytest.mark.parametrize("share", [0, -0.1, 0.51, 1, float("nan")])
def test_a_canary_has_a_share_that_is_none_of_a_promotion(share: float) -> None:
    with pytest.raises(ValueError, match="share of a canary"):
        Rollout.read(paper_rollout().to_document() | {"share": share})


def test_documents_come_back_as_they_were_written() -> None:
    shadow = paper_rollout(mode=Mode.SHADOW, share=1)
    ended = End("credit_default", 2, 1, Outcome.ROLLED_BACK, shadow.ends_at, "judge", "fewer are kept", "e" * 64)

    assert Rollout.read(shadow.to_document()) == shadow
    assert End.read(ended.to_document()) == ended


def test_a_document_that_ends_before_it_begins_is_none() -> None:
    begun = paper_rollout()
    with pytest.raises(ValueError, match="ends before it begins"):
        Rollout.read(begun.to_document() | {"ends_at": begun.started_at})
