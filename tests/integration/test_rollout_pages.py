"""The viewer's pages of roll-outs and swap sets over HTTP, on a home written through the real adapters."""

import re
from pathlib import Path

import pytest

from monitoring.adapters.verdict_folder import VerdictFolder
from tests import swapped
from tests.consoles import client
from tests.rollouts import judged, keep

pytestmark = pytest.mark.integration


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two roll-outs: the first passed at its second look, the second harmed."""
    keep(tmp_path, judged(900, days=1), judged(5_000, days=2), judged(3_000, (0.6, 0.52), number=2))
    return tmp_path


def test_an_empty_home_says_that_nothing_was_rolled_out_and_what_comes_first(tmp_path: Path) -> None:
    page = client(tmp_path).get("/rollouts").text

    assert "No roll-out has been judged yet" in page
    assert "make swap-set" in page
    assert "nothing about default" in page


def test_the_overview_has_the_newest_verdict_on_every_roll_out(home: Path) -> None:
    page = client(home).get("/rollouts").text

    assert "Ask for promotion" in page
    assert "Roll back" in page
    assert "Go on" not in page  # the first look is on the roll-out's own page


def test_a_verdict_that_somebody_wrote_in_is_not_shown(home: Path) -> None:
    VerdictFolder(home / "rollouts").add(judged(4_321, days=9, number=2))
    VerdictFolder(home / "rollouts").add(judged(4_321, days=9, number=3))

    assert "4,321" not in client(home).get("/rollouts").text
    assert "4,321" not in client(home).get("/models/credit_default/rollouts/2").text
    assert client(home).get("/models/credit_default/rollouts/3").status_code == 404


def test_a_roll_out_shows_verdict_guardrails_evidence_and_what_it_cannot_tell(home: Path) -> None:
    page = client(home).get("/models/credit_default/rollouts/2").text

    for said in ("Roll back: ", "outside", "are favoured", "nothing about default", "All tests together", "k.ito", "Agreement"):
        assert said in page
    assert page.count('<figure class="chart"') == 6


def test_a_large_e_value_is_as_short_on_the_page_as_in_the_sentence(tmp_path: Path) -> None:
    document = judged(20_000, (0.9, 0.3))
    keep(tmp_path, document)
    page = client(tmp_path).get("/models/credit_default/rollouts/1").text

    (found,) = (each.e_value for each in document.verdict.findings if each.name == "favourable")
    assert found is not None
    assert found > 1e80
    assert f"{found:.1e} of " in page
    assert not re.search(r"\d(,\d{3}){3}", page)


def test_every_look_is_listed(home: Path) -> None:
    page = client(home).get("/models/credit_default/rollouts/1").text

    assert "900 of 4,000 accounts were seen" in page
    assert "Every guardrail held on 5,000 accounts" in page


def test_a_shadow_has_no_arms_and_no_chart(tmp_path: Path) -> None:
    keep(tmp_path, judged(mode="shadow"))
    page = client(tmp_path).get("/models/credit_default/rollouts/1").text

    assert '<figure class="chart">' not in page
    assert "Control" not in page


def test_before_a_swap_set_report_the_page_says_how_to_write_one(home: Path) -> None:
    assert "make swap-set CHALLENGER=2 AGAINST=1" in client(home).get("/models/credit_default/rollouts/1").text


def test_a_roll_out_links_to_the_swap_set_report_on_its_versions(home: Path) -> None:
    report = swapped.write(home)
    asked = client(home)
    address = f"/models/credit_default/swap-sets/{report.digest[:12]}/index.html"

    assert address in asked.get("/models/credit_default/rollouts/1").text
    assert address in asked.get("/rollouts").text
    answer = asked.get(address)
    assert report.sentence in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]
    assert asked.get(address.replace("index.html", "swap-set.json")).json()["accounts"] == 1_000


def test_an_edited_swap_set_is_not_shown(home: Path) -> None:
    report = swapped.write(home)
    (page,) = (home / "swap-sets").rglob("index.html")
    page.write_text(page.read_text().replace("2005-08", "2005-07"))

    answer = client(home).get(f"/models/credit_default/swap-sets/{report.digest[:12]}/index.html")

    assert answer.status_code == 502
    assert "2005-07" not in answer.text


def test_an_edited_verdict_is_said_to_be_so(home: Path) -> None:
    for path in (home / "rollouts/credit_default/2").iterdir():
        path.write_text(path.read_text().replace("roll back", "go on"))
    asked = client(home)

    assert "was edited" in asked.get("/rollouts").text
    assert asked.get("/models/credit_default/rollouts/2").status_code == 502


@pytest.mark.parametrize(
    "address",
    [
        "/models/credit_default/rollouts/9",
        "/models/nobody/rollouts/1",
        "/models/credit_default/swap-sets/cccccccccccc/index.html",
        "/models/credit_default/swap-sets/c/index.html",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(home: Path, address: str) -> None:
    swapped.write(home)

    assert client(home).get(address).status_code == 404


def test_a_reason_with_markup_in_it_is_shown_as_text(tmp_path: Path) -> None:
    written = judged(100).model_copy(update={"reason": "<script>alert(1)</script>"})
    keep(tmp_path, written)

    assert "<script>" not in client(tmp_path).get("/models/credit_default/rollouts/1").text
