"""Guardrails as they are typed: numbers, by their names."""

from argparse import ArgumentTypeError

import pytest

from pipelines.commands.rolling_out import limit


def test_a_limit_is_read_as_the_number_that_it_is() -> None:
    assert limit("agreement=.8") == ("agreement", 0.8)
    assert limit("smallest_accounts=300") == ("smallest_accounts", 300)


@pytest.mark.parametrize("text", ["agreement", "agreement=much", "kindness=1", "score_edges=.1", "groups=sex", "fitted=1"])
def test_what_is_no_number_or_follows_from_champion_and_policy_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is no guardrail"):
        limit(text)
