"""Keys are issued in the ledger first and revoked whatever it says; what is in no ledger is found."""

from pathlib import Path
from typing import Any

import pytest

from models.adapters.api_key_files import ApiKeyFiles
from models.clock import FixedClock
from models.errors import Conflict, Integrity
from models.governance.api_keys import ApiKey, State, issue
from models.governance.ledger import Entry, Event
from pipelines.door_keys import check_keys, keep, revoke
from tests.bundles import NOW
from tests.fakes.ledger import FakeLedger

CLOCK = FixedClock(NOW)


def key(name: str = "app") -> ApiKey:
    return issue("secret", name, models=["credit_default"], actions=["score"], days=1, now=NOW)


class Power(Exception):
    """It went out."""


class Torn(ApiKeyFiles):
    """Dies before it writes."""

    def add(self, key: ApiKey) -> None:
        raise Power


def found(ledger: FakeLedger, keys: ApiKeyFiles) -> list[str]:
    return [finding.problem for finding in check_keys(ledger.entries(), keys.all())]


def test_issuing_and_revoking_stand_in_the_ledger_without_the_key_or_its_hash(tmp_path: Path) -> None:
    keys, ledger = ApiKeyFiles(tmp_path), FakeLedger()
    keep(keys, ledger, key(), by="ana", reason="the new front end")
    revoke(keys, ledger, CLOCK, "app", by="ben", reason="lost")
    assert keys.find("app").state(NOW) is State.REVOKED
    assert [(each.event, each.actor, each.facts["reason"]) for each in ledger.entries()] == [
        (Event.API_KEY_ISSUED, "ana", "the new front end"),
        (Event.API_KEY_REVOKED, "ben", "lost"),
    ]
    assert ledger.entries()[0].facts["models"] == ["credit_default"]
    assert key().digest not in repr(ledger.entries())
    assert found(ledger, keys) == []
    with pytest.raises(Conflict, match="was revoked"):
        revoke(keys, ledger, CLOCK, "app", by="ben", reason="lost")
    with pytest.raises(Conflict, match="is or was"):
        keep(keys, ledger, key(), by="ana", reason="again")
    assert len(ledger.entries()) == 2


def test_a_command_killed_after_its_entry_can_be_run_again(tmp_path: Path) -> None:
    keys, ledger = ApiKeyFiles(tmp_path), FakeLedger()
    with pytest.raises(Power):
        keep(Torn(tmp_path), ledger, key(), by="ana", reason="new")
    assert found(ledger, keys) == []
    keep(keys, ledger, key(), by="ana", reason="new")


class Broken(FakeLedger):
    def append(self, *given: Any, **named: Any) -> Entry:
        raise Integrity("the ledger is broken", hint="restore it")


def test_a_broken_ledger_keeps_nobody_in_and_the_revocation_is_recorded_when_it_is_mended(tmp_path: Path) -> None:
    keys, ledger = ApiKeyFiles(tmp_path), FakeLedger()
    keep(keys, ledger, key(), by="ana", reason="new")
    with pytest.raises(Integrity, match="opens nothing any more, but that is not recorded"):
        revoke(keys, Broken(), CLOCK, "app", by="ana", reason="lost")
    assert keys.find("app").state(NOW) is State.REVOKED
    assert "edited" in found(ledger, keys)[0]
    revoke(keys, ledger, CLOCK, "app", by="ana", reason="lost")
    assert found(ledger, keys) == []


def test_a_key_that_nobody_issued_and_one_that_was_widened_are_found(tmp_path: Path) -> None:
    keys, ledger = ApiKeyFiles(tmp_path), FakeLedger()
    keep(keys, ledger, key(), by="ana", reason="new")
    keys.replace(key().model_copy(update={"models": ("all",)}))
    keys.add(key("planted"))
    widened, planted = found(ledger, keys)
    assert "were edited" in widened
    assert "does not say who issued it" in planted
