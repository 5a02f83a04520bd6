"""What a key may do, and for how long."""

from datetime import timedelta
from typing import Any

import pytest

from models.bundle import sha256
from models.errors import InputRefused
from models.governance.api_keys import LONGEST_DAYS, State, issue, new_secret
from tests.bundles import NOW


def key(**changes: Any) -> Any:
    asked = {"models": ["credit_default"], "actions": ["score"], "days": 30, "now": NOW} | changes
    return issue("secret", asked.pop("name", "ledger-app"), **asked)


def test_a_secret_is_random_and_only_its_hash_is_kept() -> None:
    first, second = new_secret(), new_secret()
    assert first != second
    assert len(first) > 43
    kept = issue(first, "app", models=["all"], actions=["score"], days=1, now=NOW)
    assert kept.digest == sha256(first.encode())
    assert first not in kept.model_dump_json()
    assert kept.digest not in repr(kept)


def test_a_key_ends_by_the_clock_and_by_being_revoked() -> None:
    made = key()
    end = NOW + timedelta(days=30)
    assert made.state(end - timedelta(microseconds=1)) is State.IN_FORCE
    assert made.state(end) is State.EXPIRED
    assert made.model_copy(update={"revoked_at": NOW}).state(NOW) is State.REVOKED


def test_a_key_covers_the_models_it_names_or_all() -> None:
    assert key().covers("credit_default")
    assert not key().covers("another")
    assert key(models=["all"]).covers("another")


def test_a_key_brings_reviews_under_its_own_name_unless_others_are_given() -> None:
    assert key().reviewers == ("ledger-app",)
    assert key(reviewers=["r.lin", "A@bank"]).reviewers == ("r.lin", "A@bank")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"days": 0}, "cannot live for 0 days"),
        ({"days": LONGEST_DAYS + 1}, "cannot live"),
        ({"actions": ["promote"]}, "'promote' is no action"),
        ({"actions": []}, "actions will not do"),
        ({"models": []}, "models will not do"),
        ({"models": ["../x"]}, "models will not do"),
        ({"name": "../x"}, "name will not do"),
        ({"name": "A"}, "name will not do"),
        ({"reviewers": ["a b"]}, "reviewers will not do"),
    ],
)
def test_a_key_that_would_not_do_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputRefused, match=said):
        key(**change)


def test_the_record_changes_with_everything_that_is_kept() -> None:
    made = key()
    changes = [{"revoked_at": NOW}, {"digest": "0" * 64}, {"models": ("all",)}, {"expires_at": NOW + timedelta(days=99)}]
    assert len({made.record, *(made.model_copy(update=change).record for change in changes)}) == 5
