"""The way of a release through three homes on one machine."""

from pathlib import Path

from infra.delivery.chain import DEV, PRODUCTION, STAGING, Command, Homes, follow, introductions, settings, way
from models.settings import of_own

HOMES = Homes(Path("var"), Path("stages"), "ana", "a delivery")


def test_every_home_sends_only_after_it_was_promoted_there_and_production_tries_it_first() -> None:
    steps = [(command.stage, command.words[0]) for command in way(HOMES, "b" * 64)]
    assert steps == [
        (DEV, "send"),
        (STAGING, "receive"),
        (STAGING, "promote"),
        (STAGING, "send"),
        (PRODUCTION, "receive"),
        (PRODUCTION, "advance"),
    ]


def test_a_home_lets_only_the_one_before_it_deliver() -> None:
    admitted = [
        (command.stage, command.words[2], command.words[4]) for command in introductions(HOMES, lambda stage: f"key of {stage}")
    ]
    assert admitted == [(STAGING, DEV, f"key of {DEV}"), (PRODUCTION, STAGING, f"key of {STAGING}")]


def test_it_stops_at_the_first_step_that_waits_or_fails_and_says_which() -> None:
    ran: list[Command] = []

    def run(command: Command) -> int:
        ran.append(command)
        return 3 if command.words[0] == "promote" else 0

    code, last = follow(way(HOMES, "b" * 64), run)
    assert code == 3
    assert last == ran[-1]
    assert [command.words[0] for command in ran] == ["send", "receive", "promote"]
    assert follow([], run) == (0, None)


def test_where_people_approve_no_home_but_dev_takes_a_demonstration_for_one() -> None:
    homes = Homes(Path("var"), Path("stages"), "ana", "a delivery", people=True)
    assert settings(homes, DEV) == {"STEWARD_HOME": "var"}
    assert settings(homes, STAGING) == {**of_own(Path("stages/staging")), "STEWARD_PROFILE": "staging"}
    assert settings(homes, PRODUCTION) == {**of_own(Path("stages/production")), "STEWARD_PROFILE": "production"}
    assert settings(HOMES, STAGING) == of_own(Path("stages/staging"))
