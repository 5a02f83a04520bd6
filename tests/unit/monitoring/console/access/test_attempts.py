"""Nobody guesses passwords for long, and nobody waits for ever."""

from contextlib import suppress

import pytest

from monitoring.console.access.attempts import MOST_REMEMBERED, PER_ADDRESS, PER_NAME, WINDOW_SECONDS, Attempts
from monitoring.console.access.refusals import TooManyAttempts


class Watch:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def attempts(watch: Watch) -> Attempts:
    return Attempts(watch)


def spend(attempts: Attempts, times: int, name: str = "ana", address: str = "10.0.0.1") -> None:
    for _ in range(times):
        attempts.begin(name, address)


def test_a_name_is_guessed_at_five_times_and_then_not_for_five_minutes(attempts: Attempts, watch: Watch) -> None:
    spend(attempts, PER_NAME)
    with pytest.raises(TooManyAttempts):
        attempts.begin("ana", "10.0.0.2")  # from elsewhere, too
    attempts.begin("ben", "10.0.0.1")
    watch.now = WINDOW_SECONDS
    attempts.begin("ana", "10.0.0.1")


def test_an_address_that_tries_many_names_is_shut_out(attempts: Attempts) -> None:
    for number in range(PER_ADDRESS):
        spend(attempts, 1, name=f"name{number}")
    with pytest.raises(TooManyAttempts):
        attempts.begin("ana", "10.0.0.1")
    attempts.begin("ana", "10.0.0.2")


def test_whoever_gets_in_begins_anew_but_their_address_does_not(attempts: Attempts) -> None:
    for number in range(PER_ADDRESS - 1):
        spend(attempts, 1, name=f"name{number}")
    spend(attempts, 1)
    attempts.passed("ana", "10.0.0.1")
    spend(attempts, 1)
    with pytest.raises(TooManyAttempts):
        attempts.begin("ben", "10.0.0.1")


def test_invented_names_cannot_fill_the_memory(attempts: Attempts, watch: Watch) -> None:
    for number in range(MOST_REMEMBERED // 2):
        attempts.begin(f"name{number}", f"address{number}")
    with pytest.raises(TooManyAttempts):
        attempts.begin("ana", "10.0.0.1")
    watch.now = WINDOW_SECONDS + 1
    attempts.begin("ana", "10.0.0.1")
    assert attempts._counted.keys() == {"name ana", "address 10.0.0.1"}


def test_guesses_that_begin_at_the_same_time_are_no_more_than_one_after_the_other(attempts: Attempts) -> None:
    """None has failed yet when the sixth begins: a password takes a tenth of a second to be looked at."""
    began = 0
    for _ in range(50):
        with suppress(TooManyAttempts):
            attempts.begin("ana", "10.0.0.1")
            began += 1
    assert began == PER_NAME
