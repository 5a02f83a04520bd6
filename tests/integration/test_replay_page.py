"""The page and its pictures, by the real drawing library and template engine."""

import json
import re
from functools import cache

import pytest

from pipelines.adapters import replay_page
from pipelines.replay.story import Event, ReplayResult
from tests.fakes.replayed import coded, comparable, month, result

pytestmark = pytest.mark.integration

EVENTS = (
    Event(on="2005-07-31", kind="promoted", sentence="The first.", version=1),
    Event(on="2005-09-30", kind="held", sentence="Coded <otherwise>."),
    Event(on="2005-10-03", kind="accepted", sentence="Definition 2.", by="Dana"),
    Event(on="2005-10-03", kind="promoted", sentence="Definition 2.", version=2),
    Event(on="2005-10-31", kind="kept", sentence="No gain."),
)
CODING = result(
    month("2005-07", coded=coded(bad_rate=0.148), comparable=comparable(bad_rate=0.147)),
    month("2005-08", coded=coded(auc=0.78, bad_rate=0.227), comparable=comparable(auc=0.88, bad_rate=0.104)),
    month("2005-09", coded=coded(auc=0.73, bad_rate=0.22, definition=3)),
    events=EVENTS,
    noticed_on="2005-09-30",
)
SHIFT = result(
    *(month(f"2005-{n:02d}", version=1 + (n > 9), coded=coded(best=0.9)) for n in range(7, 12)),
    month("2005-12", version=2),
    events=EVENTS[:1],
    shifted_from="2005-09",
)


STORIES = {"coding": CODING, "shift": SHIFT}


@cache
def made_of(story: str) -> dict[str, bytes]:
    return replay_page.files(STORIES[story])


@pytest.mark.parametrize("story", STORIES)
def test_the_page_needs_nothing_but_itself(story: str) -> None:
    made = made_of(story)
    page = made["index.html"].decode()
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert page.count("data:image/png;base64,") == 2
    assert made["overview.png"].startswith(b"\x89PNG")
    assert made["drift.png"].startswith(b"\x89PNG")


def test_the_page_holds_every_figure_of_every_month_and_every_event() -> None:
    page = made_of("coding")["index.html"].decode()
    for expected in (".780", ".880", "22.7%", "10.4%", "as coded (3)", "model 2 promoted", "accepted by a person", "(Dana)"):
        assert expected in page


def test_texts_are_escaped() -> None:
    page = made_of("coding")["index.html"].decode()
    assert "Coded &lt;otherwise&gt;." in page
    assert "<moved>" not in page


def test_the_figures_lie_beside_the_page() -> None:
    assert ReplayResult.model_validate(json.loads(made_of("shift")["replay.json"])) == SHIFT


def test_a_replay_in_which_nothing_matured_is_drawn_all_the_same() -> None:
    assert "Outcomes of 2005-07 mature later." in replay_page.files(result(month("2005-07")))["index.html"].decode()
