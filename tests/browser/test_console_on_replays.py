"""The console on what `make replay` leaves: a walk over every kind of page of both scenarios, on phone and desk, in both schemes.

A replay takes minutes, so this runs with `make soak`; REPLAYS names a folder that has them already, to look again sooner.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.walking import Walk
from tests.consoles import served

pytestmark = [pytest.mark.browser, pytest.mark.soak]

REPLAYS = os.environ.get("REPLAYS", "")


@pytest.fixture(scope="module", params=["2005", "shift"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    scenario, folder = request.param, tmp_path_factory.mktemp("replays")
    if REPLAYS:
        shutil.copytree(Path(REPLAYS) / scenario, folder / "replay" / scenario)
    else:
        made = [sys.executable, "-m", "pipelines", "replay", "--scenario", scenario]
        subprocess.run(made, env=os.environ | {"STEWARD_HOME": str(folder)}, check=True, capture_output=True, timeout=1_800)
    home = folder / "replay" / scenario
    living = os.environ | {"STEWARD_HOME": str(home), "STEWARD_CLOCK_FILE": str(home / "clock")}
    subprocess.run([sys.executable, "-m", "pipelines", "alerts"], env=living, check=False, capture_output=True, timeout=300)
    with served(home, STEWARD_CLOCK_FILE=str(home / "clock")) as base:
        yield base


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_of_page_is_sound(browser: Browser, address: str, scheme: str) -> None:
    with browser.new_context(base_url=address, color_scheme=scheme) as context:  # type: ignore[arg-type]
        walk = Walk(context.new_page()).over()
        assert walk.wrong == []
        for page in ("/approvals", "/alerts", "/decisions", "/reports", "/runs", "/models/credit_default/features"):
            assert page in walk.seen
        for part in ("/documents/", "/validations/", "/rows?", "/decisions/"):
            assert any(part in path for path in walk.seen)
        broken = [path for path in walk.files if not context.request.get(path, max_retries=3).ok]
        assert broken == []
        assert len(walk.files) > 50


def test_the_keyboard_alone_stops_a_model_and_lets_it_go_on(browser: Browser, address: str) -> None:
    page = browser.new_page(base_url=address)
    page.goto("/approvals")
    for act, reason, button, said in (
        ("Stop", "unexplained jump in scores", "Stop credit_default", "The model is stopped"),
        ("Let it answer again", "the source was mended", "Resume credit_default", "answers again"),
    ):
        page.locator("summary", has_text=act).focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type(reason)
        page.get_by_role("button", name=button).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text(said)
    page.close()
