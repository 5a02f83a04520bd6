"""What the environment may say to serving."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.adapters.account_keys import ACCOUNTS, LOG, rotate
from models.adapters.api_key_files import ApiKeyFiles
from models.clock import FileClock
from models.errors import Misconfigured, Unavailable
from models.governance.api_keys import issue
from serving import wiring
from serving.__main__ import say
from serving.door.refusals import NotAuthenticated
from serving.durability.deferring import Deferring
from serving.durability.recording import Recorder
from tests.bundles import NOW
from tests.issuers import AUDIENCE, ISSUER, ROLES, Issuer, answering


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("STEWARD_SERVING_PROT", "1", "STEWARD_SERVING_PROT is not a setting"),
        ("STEWARD_SERVING_PORT", "many", "STEWARD_SERVING_PORT is wrong"),
        ("STEWARD_SERVING_MAX_RECORDS", "10001", "STEWARD_SERVING_MAX_RECORDS is wrong"),
        ("STEWARD_PROFILE", "laptop", "STEWARD_PROFILE is wrong"),
        ("STEWARD_DATABASE_URL", "mysql://host/name", "cannot live in mysql"),
    ],
)
def test_a_wrong_setting_is_told_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured, match=said):
        wiring.service(wiring.settings())


def test_outside_the_local_profile_nothing_is_answered_without_the_keys_that_hide_ids(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    monkeypatch.setenv("STEWARD_PROFILE", "production")
    with pytest.raises(Misconfigured, match="keys that hide account ids") as error:
        wiring.service(wiring.settings())
    assert "mount" in error.value.hint


def test_a_service_does_not_start_under_another_split_than_the_home_began_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    wiring.service(wiring.settings()).close()
    (tmp_path / "keys" / ACCOUNTS / "split.key").write_bytes(b"s" * 32)
    with pytest.raises(Misconfigured, match=r"began without a split\.key"):
        wiring.service(wiring.settings())


def test_a_replayed_month_is_the_time_that_is_recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    monkeypatch.setenv("STEWARD_CLOCK_FILE", str(tmp_path / "clock"))
    FileClock(tmp_path / "clock").set(NOW)
    service = wiring.service(wiring.settings())
    assert service.predictor._clock.now() == NOW
    service.close()


def test_a_mistyped_home_is_refused_and_not_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path / "vra"))
    with pytest.raises(Misconfigured, match="vra, and there is no such folder"):
        wiring.settings()
    assert list(tmp_path.iterdir()) == []


def test_a_fresh_clone_comes_up_in_the_default_home_though_it_is_not_there_yet(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("STEWARD_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    service = wiring.service(wiring.settings())
    service.watcher.look()
    assert "make train" in service.watcher.obstacle().hint  # type: ignore[union-attr]
    service.close()


def test_a_running_service_hides_accounts_under_the_newest_keys_after_its_next_look(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    service = wiring.service(wiring.settings())
    service.watcher.look()
    before = service.predictor._hide("A00017")
    for name in (LOG, ACCOUNTS):
        rotate(tmp_path / "keys", name, local=True)
    service.watcher.look()
    assert (before[:3], service.predictor._hide("A00017")[:3]) == ("p1_", "p2_")
    assert "keys" not in service.watcher.seen.named()
    (tmp_path / "keys" / ACCOUNTS / "0004.key").write_bytes(b"x" * 32)
    service.watcher.look()
    assert "0004.key" in str(service.watcher.seen.named()["keys"])
    assert service.predictor._hide("A00017")[:3] == "p2_"
    service.close()


def test_the_models_that_are_answered_before_they_are_recorded_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    service = wiring.service(wiring.settings())
    assert type(service.recorder) is Recorder
    service.close()
    monkeypatch.setenv("STEWARD_SERVING_ASYNC_MODELS", "limits, marketing")
    service = wiring.service(wiring.settings())
    assert isinstance(service.recorder, Deferring)
    assert service.recorder.models == {"limits", "marketing"}
    service.close()


def test_a_spool_that_cannot_be_kept_is_said_before_anything_is_answered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    monkeypatch.setenv("STEWARD_SERVING_SPOOL_FOLDER", str(tmp_path / "spool"))
    (tmp_path / "spool").write_text("a file")
    with pytest.raises(Unavailable, match="spool cannot be used"):
        wiring.service(wiring.settings())


def hold_a_key(home: Path, secret: str = "secret") -> None:
    ApiKeyFiles(home / "keys").add(issue(secret, "app", models=["all"], actions=["score"], days=1, now=datetime.now(UTC)))


@pytest.mark.parametrize(
    ("profile", "host"), [("production", "127.0.0.1"), ("local", "0.0.0.0"), ("local", "::"), ("local", "steward.bank")]
)
def test_a_service_that_others_reach_or_that_is_no_laptop_s_does_not_start_without_a_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, profile: str, host: str
) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    wiring.service(wiring.settings()).close()  # makes the other keys
    monkeypatch.setenv("STEWARD_PROFILE", profile)
    monkeypatch.setenv("STEWARD_SERVING_HOST", host)
    with pytest.raises(Misconfigured, match="there is no API key") as error:
        wiring.service(wiring.settings())
    assert "make api-key" in error.value.hint
    hold_a_key(tmp_path)
    wiring.service(wiring.settings()).close()


def test_where_sagemaker_lets_callers_in_none_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    monkeypatch.setenv("STEWARD_SERVING_HOST", "0.0.0.0")
    monkeypatch.setenv("STEWARD_SERVING_GUARDED_BY", "sagemaker")
    wiring.service(wiring.settings()).close()
    monkeypatch.setenv("STEWARD_SERVING_GUARDED_BY", "nobody")
    with pytest.raises(Misconfigured, match="STEWARD_SERVING_GUARDED_BY is wrong"):
        wiring.settings()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_on_a_laptop_s_own_address_none_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    monkeypatch.setenv("STEWARD_SERVING_HOST", host)
    service = wiring.service(wiring.settings())
    assert not service.register.closed
    service.close()


def test_a_key_that_is_made_revoked_or_damaged_is_met_at_the_next_look(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    service = wiring.service(wiring.settings())
    hold_a_key(tmp_path)
    service.watcher.look()
    assert service.register.admit(b"secret").name == "app"
    keys = ApiKeyFiles(tmp_path / "keys")
    keys.replace(keys.find("app").model_copy(update={"revoked_at": datetime.now(UTC)}))
    service.watcher.look()
    with pytest.raises(NotAuthenticated, match="no longer in force"):
        service.register.admit(b"secret")
    (keys.folder / "app.json").write_bytes(b"{")
    rotate(tmp_path / "keys", LOG, local=True)
    rotate(tmp_path / "keys", ACCOUNTS, local=True)
    service.watcher.look()
    assert "app.json cannot be read" in str(service.watcher.seen.named()["keys"])
    assert service.predictor._hide("A00017")[:3] == "p2_"  # the other keys are met all the same
    service.close()


def test_a_damaged_key_keeps_the_door_closed_and_the_service_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    hold_a_key(tmp_path)
    (tmp_path / "keys" / "api" / "app.json").write_bytes(b"{")
    service = wiring.service(wiring.settings())
    assert service.register.closed
    with pytest.raises(NotAuthenticated):
        service.register.admit(b"secret")
    service.close()


def test_keys_that_nobody_can_look_for_open_no_door(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    wiring.service(wiring.settings()).close()
    (tmp_path / "keys" / "api").write_bytes(b"no folder")
    with pytest.raises(Misconfigured, match="cannot be read"):
        wiring.service(wiring.settings())


def test_tokens_are_taken_of_the_issuer_that_is_named_and_only_if_all_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    issuer = Issuer("ES256")
    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    monkeypatch.setenv("STEWARD_CLOCK_FILE", str(tmp_path / "clock"))
    FileClock(tmp_path / "clock").set(NOW)
    with answering(issuer) as url:
        said = {"ISSUER": ISSUER, "AUDIENCE": AUDIENCE, "KEYS_URL": url, "ROLES": json.dumps(ROLES)}
        for name, value in said.items():
            if name != "ISSUER":
                with pytest.raises(Misconfigured, match=f"STEWARD_SERVING_TOKEN_{name} is not set"):
                    wiring.service(wiring.settings())
            monkeypatch.setenv(f"STEWARD_SERVING_TOKEN_{name}", value)
        service = wiring.service(wiring.settings())
        assert service.register.admit(issuer.token().encode()).name == "sub:u-17"
        with pytest.raises(NotAuthenticated):
            service.register.admit(None)
        service.close()


def test_a_role_that_may_what_nobody_may_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEWARD_SERVING_TOKEN_ROLES", '{"root": {"models": ["all"], "actions": ["everything"]}}')
    with pytest.raises(Misconfigured, match="STEWARD_SERVING_TOKEN_ROLES is wrong"):
        wiring.settings()


def test_what_is_said_where_nothing_takes_it_ends_nothing_and_is_not_kept_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        monkeypatch.setattr("sys.stdout", full)
        say("it listens")
        with pytest.raises(OSError, match="No space left"):
            wiring.to_standard_output("a line")
