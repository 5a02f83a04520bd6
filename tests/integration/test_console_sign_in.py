"""The door of the console over HTTP: who gets in, as whom, and how long."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from fastapi.testclient import TestClient
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from models.adapters.file_ledger import FileLedger
from models.adapters.user_files import UserFiles
from models.clock import FixedClock
from models.errors import Misconfigured
from models.governance.users import make, remove
from monitoring import wiring
from monitoring.__main__ import configured
from monitoring.console.access.sessions import LONGEST_SECONDS
from monitoring.console.app import console
from monitoring.settings import MonitoringSettings
from monitoring.wiring import opening
from tests import monitored_home
from tests.consoles import client, send

pytestmark = pytest.mark.integration

CLOCK = FixedClock(datetime(2005, 10, 1, tzinfo=UTC))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    monitored_home.write(tmp_path, b"<p>a page</p>")
    return tmp_path


def let_in(home: Path, name: str, *roles: str) -> str:
    ledger = FileLedger(home / "ledger.jsonl")
    return make(UserFiles(home / "keys"), ledger, CLOCK, name, roles, by="ben", reason="for a test")[1]


def test_nothing_is_shown_before_somebody_signs_in(home: Path) -> None:
    served = client(home, person=None)
    for address in ("/", "/models/credit_default", "/decisions", "/models/credit_default/charts/auc.svg", "/nowhere"):
        answer = served.get(address, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
    assert served.post("/models/credit_default/stop", follow_redirects=False).headers["location"] == "/sign-in"
    assert "Line review" not in served.get("/sign-in").text
    assert served.get("/static/console.css").status_code == 200


def test_whoever_signs_in_comes_to_where_they_wanted_and_signs_out_again(home: Path) -> None:
    password, served = let_in(home, "ana", "viewer"), client(home, person=None)
    answer = send(served, "/sign-in?next=/reports", "/sign-in", name="ana", password=password, next="/reports")
    assert (answer.url.path, answer.status_code) == ("/reports", 200)
    assert "You are ana (viewer)" in answer.text
    assert send(served, "/", "/sign-out").url.path == "/sign-in"
    assert served.get("/", follow_redirects=False).status_code == 303


def test_a_link_to_one_month_leads_to_that_month_after_signing_in(home: Path) -> None:
    password, served = let_in(home, "ana", "viewer"), client(home, person=None)
    linked = "/models/credit_default/features/bill_0?month=2005-08"
    wanted = served.get(linked).url.params["next"]
    answer = send(served, f"/sign-in?next={wanted}", "/sign-in", name="ana", password=password, next=wanted)
    assert str(answer.url).endswith(linked)


def test_signing_out_ends_every_copy_of_the_cookie(home: Path) -> None:
    password, served = let_in(home, "ana", "viewer"), client(home, person=None)
    send(served, "/sign-in", "/sign-in", name="ana", password=password)
    copied = served.cookies["steward"]
    assert served.get("/", follow_redirects=False).status_code == 200
    send(served, "/", "/sign-out")
    served.cookies.clear()
    served.cookies.set("steward", copied)
    assert served.get("/", follow_redirects=False).status_code == 303
    send(served, "/sign-in", "/sign-in", name="ana", password=password)
    assert served.get("/", follow_redirects=False).status_code == 200


def test_a_session_ends_after_a_working_day_however_much_it_is_used(home: Path) -> None:
    now = [0.0]
    password, served = let_in(home, "ana", "viewer"), client(home, person=None, seconds=lambda: now[0])
    send(served, "/sign-in", "/sign-in", name="ana", password=password)
    now[0] = LONGEST_SECONDS - 1
    assert served.get("/", follow_redirects=False).status_code == 200
    now[0] = LONGEST_SECONDS
    assert served.get("/", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    "wanted",
    [
        *("//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "javascript:x"),
        *("/" + "a" * 5000 + "!", "/" + "a/" * 50 + "!", "/" + "a" * 300),  # takes no longer, either
    ],
    ids=lambda wanted: wanted[:20],
)
def test_nobody_is_led_elsewhere_after_signing_in(home: Path, wanted: str) -> None:
    password, served = let_in(home, "ana", "viewer"), client(home, person=None)
    served.follow_redirects = False
    assert send(served, "/sign-in", "/sign-in", name="ana", password=password, next=wanted).headers["location"] == "/"


def test_a_session_is_signed_not_for_scripts_not_for_other_sites_and_secure_over_https(home: Path) -> None:
    cookie = client(home, person=None, secure=True).get("/sign-in").headers["set-cookie"].lower()
    for said in ("httponly", "samesite=lax", "secure", "max-age=28800"):
        assert said in cookie
    assert "secure" not in client(home, person=None).get("/sign-in").headers["set-cookie"].lower()
    secured = client(home, person=None, secure=True).get("/sign-in").headers
    assert "max-age" in secured["strict-transport-security"]


def test_a_cookie_that_was_edited_is_nobody(home: Path) -> None:
    password, served = let_in(home, "ana", "viewer"), client(home, person=None)
    send(served, "/sign-in", "/sign-in", name="ana", password=password)
    kept = served.cookies["steward"]
    for forged in (kept[:-2] + "xx", "e30=" + kept[4:], ""):
        served.cookies.clear()
        served.cookies.set("steward", forged)
        assert served.get("/", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("then", ["removed", "a new password"])
def test_a_removal_and_a_new_password_end_an_open_session_at_once(home: Path, then: str) -> None:
    password, served = let_in(home, "ana", "viewer"), client(home, person=None)
    send(served, "/sign-in", "/sign-in", name="ana", password=password)
    assert served.get("/").status_code == 200
    if then == "removed":
        remove(UserFiles(home / "keys"), FileLedger(home / "ledger.jsonl"), CLOCK, "ana", by="ben", reason="left")
    else:
        let_in(home, "ana", "viewer", "approver")
    assert served.get("/", follow_redirects=False).status_code == 303


def test_a_wrong_password_is_told_apart_from_a_wrong_name_by_nobody_and_soon_no_more_are_tried(home: Path) -> None:
    password, served = let_in(home, "ana", "viewer"), client(home, person=None)
    wrong = send(served, "/sign-in", "/sign-in", name="ana", password="guess")
    nobody = send(served, "/sign-in", "/sign-in", name="eve", password="guess")
    assert wrong.status_code == nobody.status_code == 401
    assert "name and password do not go together" in wrong.text
    assert "name and password do not go together" in nobody.text
    for _ in range(4):
        send(served, "/sign-in", "/sign-in", name="ana", password="guess")
    assert send(served, "/sign-in", "/sign-in", name="ana", password=password).status_code == 429  # the right one, too


def test_a_sign_in_form_of_another_page_signs_nobody_in(home: Path) -> None:
    password, served = let_in(home, "ana", "viewer"), client(home, person=None)
    answer = served.post("/sign-in", data={"name": "ana", "password": password})
    assert answer.status_code == 403
    assert served.get("/", follow_redirects=False).status_code == 303


def test_a_sign_in_form_without_a_cookie_signs_nobody_in_whatever_its_token(home: Path) -> None:
    password = let_in(home, "ana", "viewer")
    for token in ("-", ""):
        served = client(home, person=None)
        answer = served.post("/sign-in", data={"name": "ana", "password": password, "token": token})
        assert answer.status_code == 403
        assert served.get("/", follow_redirects=False).status_code == 303


def test_a_sign_in_form_sent_from_elsewhere_is_refused_with_the_right_token_too(home: Path) -> None:
    password, served = let_in(home, "ana", "viewer"), client(home, person=None)
    for said in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        served.headers = httpx.Headers(said)
        answer = send(served, "/sign-in", "/sign-in", name="ana", password=password)
        assert (answer.status_code, "from a page elsewhere" in answer.text) == (403, True)


def test_in_the_local_profile_whoever_sits_at_the_machine_needs_no_password(tmp_path: Path) -> None:
    assert opening.guard(MonitoringSettings(home=tmp_path)).local is not None


@pytest.mark.parametrize(
    "settings", [{"profile": "production"}, {"host": "0.0.0.0"}, {"address": "https://steward.bank.example"}], ids=str
)
def test_everywhere_else_people_sign_in_and_without_any_the_console_does_not_start(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    chosen = MonitoringSettings(home=tmp_path, **settings)  # type: ignore[arg-type]
    with pytest.raises(Misconfigured, match="nobody can yet"):
        opening.guard(chosen)
    let_in(tmp_path, "ana", "viewer")
    assert opening.guard(chosen).local is None


def test_nobody_is_served_over_plain_http_from_elsewhere_in_production_or_under_no_name(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="which others reach"):
        opening.door(MonitoringSettings(home=tmp_path, host="0.0.0.0"))
    with pytest.raises(Misconfigured, match="in the open"):
        opening.door(MonitoringSettings(home=tmp_path, profile="production", address="http://steward.bank.example"))
    door = opening.door(MonitoringSettings(home=tmp_path, profile="production", address="https://steward.bank.example"))
    assert (door.secure, "steward.bank.example" in door.hosts) == (True, True)
    assert door.address == "https://steward.bank.example"


def test_the_console_answers_under_no_other_name_than_its_own(home: Path) -> None:
    """As it is started: a page elsewhere that points its name at the machine gets nothing."""
    let_in(home, "ana", "viewer")
    own = {"": ("localhost", "127.0.0.1"), "https://steward.bank.example": ("steward.bank.example",)}
    for address, hosts in own.items():
        chosen = MonitoringSettings(home=home, address=address)
        app = console(wiring.sources(chosen), opening.guard(chosen), opening.door(chosen))
        asked = TestClient(app)
        assert asked.get("/sign-in", headers={"Host": "attacker.example"}).status_code == 400
        for host in hosts:
            assert asked.get("/sign-in", headers={"Host": host}).status_code == 200


def test_a_console_in_a_container_opens_to_its_people_its_own_health_check_and_prometheus(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_in(home, "ana", "viewer")
    described = yaml.safe_load(Path("infra/compose/compose.yaml").read_text())["services"]["console"]["environment"]
    for name in [name for name in described if "_MONITORING_" in name]:
        monkeypatch.setenv(name, described[name])
    chosen = MonitoringSettings(home=home)
    assert opening.guard(chosen).local is None, "whoever reaches the published port signs in"
    asked = TestClient(console(wiring.sources(chosen), opening.guard(chosen), opening.door(chosen)))
    for host in ("127.0.0.1:8103", "console:8103"):
        assert asked.get("/sign-in", headers={"Host": host}).status_code == 200
    assert asked.get("/sign-in", headers={"Host": "attacker.example"}).status_code == 400


def test_the_command_says_why_it_does_not_start(tmp_path: Path) -> None:
    environment = os.environ | {"STEWARD_HOME": str(tmp_path), "STEWARD_PROFILE": "production", "STEWARD_MONITORING_PORT": "0"}
    found = subprocess.run([sys.executable, "-m", "monitoring"], env=environment, capture_output=True, text=True, timeout=120)
    assert found.returncode == 1
    assert "make user" in found.stderr


@pytest.mark.parametrize(
    ("proxies", "asker"),
    [({}, "10.0.0.1"), ({"proxies": ["127.0.0.0/8"]}, "10.0.0.1"), ({"proxies": ["10.9.0.0/16"]}, "127.0.0.1")],
    ids=["on this machine", "named", "another is named"],
)
def test_a_proxy_tells_who_guesses_passwords_if_its_word_counts(proxies: dict[str, Any], asker: str) -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["client"][0])
        await Response()(scope, receive, send)

    config = configured(app, MonitoringSettings(**proxies).proxies)
    config.load()
    TestClient(config.loaded_app, client=("127.0.0.1", 1)).get("/sign-in", headers={"X-Forwarded-For": "10.0.0.1"})
    assert seen == [asker]
