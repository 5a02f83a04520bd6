"""The end of a training run: registered, released or kept, whatever kills it in between."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from models.channel import history
from models.errors import Held
from models.governance.ledger import Event
from models.governance.release import earlier
from pipelines.promotion import keep, promote, register, request_promotion, roll_back
from tests.office import MODEL, Bank, candidate, paper_bundle, trust

AUGUST = date(2005, 8, 31)


class Killed(BaseException):
    """The process is gone. Not an `Exception`: nothing may catch it on the way."""


class Mortal:
    """A port whose process dies at its n-th writing call, just before or just after it did its work."""

    WRITES = frozenset({"register", "mirror", "append", "add_bundle", "add_approval", "add_pointer"})

    def __init__(self, port: Any, fate: "Fate") -> None:
        self._port = port
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return self._fate.bound(found) if name in self.WRITES else found


class Fate:
    def __init__(self, dies_at: int, *, after: bool) -> None:
        self.calls = 0
        self._dies_at = dies_at
        self._after = after

    def bound(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            dies = self.calls == self._dies_at
            if dies and not self._after:
                raise Killed
            result = call(*args, **kwargs)
            if dies:
                raise Killed
            return result

        return wrapped


def trained(bank: Bank, content: str, compared_with: str = "") -> None:
    """What `make train` does at its end."""
    made = candidate(content)
    before = paper_bundle(compared_with).digest if compared_with else ""
    request_promotion(bank.desk, made, compared_with=before, reason="better")
    promote(bank.desk, MODEL, made.bundle.digest)


def rolled_back(bank: Bank, content: str) -> None:
    roll_back(bank.desk, MODEL, away_from=paper_bundle(content).digest, asked_by="on-call", reason="scores too low")


def mortal(bank: Bank, fate: Fate) -> Bank:
    ports: dict[str, Any] = {name: Mortal(getattr(bank, name), fate) for name in ("channel", "ledger", "registry")}
    return Bank(**ports, clock=bank.clock)


def aliases(bank: Bank) -> dict[str, str]:
    return {alias: version.bundle_digest for version in bank.registry.versions(MODEL) for alias in version.aliases}


def state(bank: Bank) -> Any:
    pointers = [dict(bank.channel.pointer(MODEL, number).document) for number in range(1, bank.channel.pointers(MODEL) + 1)]
    entries = [(entry.event, dict(entry.facts)) for entry in bank.ledger.entries(MODEL)]
    return pointers, entries, [v.bundle_digest for v in bank.registry.versions(MODEL)], aliases(bank)


def started() -> Bank:
    bank = Bank()
    trained(bank, "first")
    return bank


def twice_trained() -> Bank:
    bank = started()
    trained(bank, "second", compared_with="first")
    return bank


STEPS: dict[str, tuple[Callable[[], Bank], Callable[[Bank], None]]] = {
    "the first promotion": (Bank, lambda bank: trained(bank, "first")),
    "a promotion over a champion": (started, lambda bank: trained(bank, "second", compared_with="first")),
    "a roll-back": (twice_trained, lambda bank: rolled_back(bank, "second")),
}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_write_the_last_good_champion_serves_and_the_same_command_completes(step: str, after: bool) -> None:
    prepare, command = STEPS[step]
    unbroken = prepare()
    before = unbroken.served() if unbroken.channel.pointers(MODEL) else None
    counting = Fate(0, after=False)
    command(mortal(unbroken, counting))
    assert counting.calls >= 3

    for cut in range(1, counting.calls + 1):
        bank = prepare()
        with pytest.raises(Killed):
            command(mortal(bank, Fate(cut, after=after)))
        assert not bank.channel.pointers(MODEL) or bank.served() in (before, unbroken.served())

        command(bank)

        assert state(bank) == state(unbroken), f"killed {'after' if after else 'before'} write {cut}"


def test_a_promotion_sets_the_aliases_that_people_look_at() -> None:
    bank = twice_trained()

    assert aliases(bank) == {"champion": paper_bundle("second").digest, "previous": paper_bundle("first").digest}


def test_an_alias_set_by_hand_changes_nothing_that_is_served_and_is_put_right() -> None:
    bank = twice_trained()
    bank.registry.mirror(MODEL, {"champion": paper_bundle("first").digest, "previous": None})

    assert bank.served() == paper_bundle("second").digest

    register(bank.desk, candidate("third"))
    assert aliases(bank)["champion"] == paper_bundle("second").digest


def test_a_challenger_is_one_until_it_is_promoted_or_refused() -> None:
    bank = started()
    register(bank.desk, candidate("second"))
    assert aliases(bank)["challenger"] == paper_bundle("second").digest

    keep(bank.desk, MODEL, bundle=paper_bundle("second").digest, as_of=AUGUST, actor="trainer", reason="AUC below the floor")

    assert "challenger" not in aliases(bank)
    assert bank.served() == paper_bundle("first").digest


def test_keeping_the_champion_is_recorded_with_its_reason_once() -> None:
    bank = started()
    for month in (AUGUST, AUGUST, date(2005, 9, 30)):
        keep(bank.desk, MODEL, bundle="", as_of=month, actor="retrain", reason="no trigger")

    kept = [entry.facts for entry in bank.ledger.entries(MODEL) if entry.event is Event.KEPT]
    assert [(facts["as_of"], facts["reason"]) for facts in kept] == [("2005-08-31", "no trigger"), ("2005-09-30", "no trigger")]


def test_in_production_the_challenger_waits_and_the_champion_serves() -> None:
    bank = started()
    bank.local = False

    with pytest.raises(Held, match="waiting for approval"):
        trained(bank, "second", compared_with="first")

    assert bank.served() == paper_bundle("first").digest
    assert aliases(bank)["challenger"] == paper_bundle("second").digest


def test_after_a_roll_back_the_aliases_show_what_serves() -> None:
    bank = twice_trained()
    rolled_back(bank, "second")

    assert aliases(bank) == {"champion": paper_bundle("first").digest, "previous": paper_bundle("second").digest}


def test_a_registry_that_lost_its_versions_does_not_stop_a_release() -> None:
    bank = started()
    moved = Bank(channel=bank.channel, ledger=bank.ledger)

    trained(moved, "second", compared_with="first")

    assert moved.served() == paper_bundle("second").digest
    assert aliases(moved) == {"champion": paper_bundle("second").digest}


def test_one_more_roll_back_is_possible_only_while_something_was_in_force_before() -> None:
    bank = Bank()
    for content, before in (("first", ""), ("second", "first"), ("third", "second")):
        trained(bank, content, before)
    found = []
    for _ in range(2):
        away_from = history(bank.channel, trust(), MODEL)[-1].bundle
        roll_back(bank.desk, MODEL, away_from=away_from, asked_by="Ada", reason="too strict")
        found.append(earlier(history(bank.channel, trust(), MODEL)))
    assert found == [paper_bundle("first").digest, ""]
