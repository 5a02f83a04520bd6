"""What a reader finds instead of the code's own spelling."""

import pytest

from monitoring.console import words

DIGEST = "5f" * 32


def test_of_a_ledger_entry_the_sentences_come_first_and_what_is_empty_is_left_out() -> None:
    noted = {"bundle": DIGEST, "override": "", "reason": "every floor holds and there is no champion yet", "version": 2}
    assert words.facts(noted) == [
        ("Reason", "every floor holds and there is no champion yet", True),
        ("Bundle", DIGEST[:12], False),
        ("Version", "2", False),
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"document": {"bundle": DIGEST}, "signature": "c2lnbmVk", "signer": "pipeline"}, "pipeline"),
        ({"cut_off": [0.3, 0.2]}, "cut_off: 0.3, 0.2"),
        ([DIGEST, DIGEST], f"{DIGEST[:12]}, {DIGEST[:12]}"),
        ("2005-10-03T23:59:59.999999+00:00", "3 October 2005"),
        ("2005-10", "2005-10"),
        (0, "0"),
    ],
)
def test_a_fact_is_written_as_a_person_would(value: object, said: str) -> None:
    assert words.fact(value) == said


def test_a_report_is_named_by_its_time_and_a_second_one_of_that_instant_by_its_number() -> None:
    assert words.stamped("20051003T235959999999Z-001") == "3 October 2005, 23:59 UTC"
    assert words.stamped("20051003T235959999999Z-002") == "3 October 2005, 23:59 UTC (2)"


@pytest.mark.parametrize(("value", "said"), [(None, ""), (30_000.0, "30,000"), (0.1234, "0.123")])
def test_a_limit_is_a_count_a_ratio_or_nothing(value: float | None, said: str) -> None:
    assert words.short(value) == said
