from tests.benchmarks.stop import Obeyed, measured


def test_what_counts_is_the_last_answer_of_before_and_the_first_one_after() -> None:
    answers = [(10.5, "2"), (11.9, "2"), (12.1, "1"), (12.3, "2"), (12.4, "1")]
    found = measured(answers, began=10.0, ended=11.5, after="1")
    assert (found.command, round(found.last_before, 9), round(found.first_after, 9)) == (1.5, 0.8, 0.6)
    assert round(found.whole, 9) == 2.3


def test_who_obeys_before_the_command_has_ended_is_not_late() -> None:
    answers = [(10.5, "2"), (10.9, "stopped")]
    assert measured(answers, began=10.0, ended=11.5, after="stopped") == Obeyed(1.5, 0.0, 0.0)
