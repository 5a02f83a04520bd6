"""The console as a person meets it: a real Chromium, a served home, Evidently's own page inside."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from models.adapters.file_ledger import FileLedger
from models.credit_default import USE_CASE
from models.governance.ledger import Event
from monitoring.adapters.evidently_reports import EvidentlyRenderer
from tests import monitored_home, packs, swapped
from tests.browser.walking import grave
from tests.consoles import served
from tests.rollouts import judged, keep

pytestmark = pytest.mark.browser

PHONE, DESK = {"width": 390, "height": 800}, {"width": 1300, "height": 900}
WIDTHS = [390, 800, 1000, 1300]
UNBROKEN = f"see https://bank.example/{'minutes' * 40}"
MODEL = "/models/credit_default"
PACK = f"{MODEL}/versions/3/evidence"
NOWHERE = f"{MODEL}/reports/2004-01"
ROLLOUT = f"{MODEL}/rollouts/2"
ADDRESSES = [
    "/",
    "/approvals",
    "/alerts",
    "/runbooks/auc_drop",
    "/decisions",
    "/reports",
    "/features",
    "/runs",
    "/models/credit_default/retrainings",
    f"{MODEL}/features",
    f"{MODEL}/features/status_0",
    "/rollouts",
    ROLLOUT,
    "/validations",
    MODEL,
    f"{MODEL}/reports/2005-08",
    f"{MODEL}/reports/2005-09",
    PACK,
    NOWHERE,
]


def evidently_page() -> bytes:
    """Drift of two hundred made-up accounts, drawn as the flow draws it."""
    contract, random = USE_CASE.contract, np.random.default_rng(7)
    inputs = [contract[name] for name in contract.inputs]
    columns = {c.name: random.choice([-1, 0, 2], 200) if c.codes else random.gamma(2.0, 900.0, 200) for c in inputs}
    columns |= {contract.key: np.array([f"A{row:03d}" for row in range(200)]), "probability": random.uniform(0, 1, 200)}
    limits = dict.fromkeys([*contract.inputs, "probability"], 0.1)
    return EvidentlyRenderer().drift(contract, columns, columns, limits).html


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    monitored_home.write(home, evidently_page())
    packs.write(home, monitored_home.MODEL, 3)
    ledger, facts = FileLedger(home / "ledger.jsonl"), {"bundle": "c" * 64, "reason": UNBROKEN}
    ledger.append(Event.KEPT, model=monitored_home.MODEL, actor="pipeline", at=datetime(2005, 10, 2, tzinfo=UTC), facts=facts)
    swapped.write(home)
    keep(home, judged(), judged(3_000, (0.6, 0.52), number=2))
    with served(home) as base:
        yield base


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page on which every complaint of the browser fails the test: an error, a blocked script, a missing file."""
    with browser.new_context(base_url=address, viewport=DESK) as context:
        complaints: list[str] = []
        opened = context.new_page()
        opened.on("console", lambda message: complaints.append(message.text) if complains(message) else None)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        yield opened
        assert complaints == []


def complains(message: ConsoleMessage) -> bool:
    """Not of the page that is looked for to find out what is said when it is not there."""
    return message.type in ("error", "warning") and not message.location["url"].endswith(NOWHERE)


def test_from_the_overview_to_the_report_by_clicking(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")
    expect(page.get_by_text("status_0 is coded differently")).to_be_visible()
    page.get_by_role("link", name="Monthly line review of credit-card accounts").click()
    expect(page.get_by_role("region", name="Verdict")).to_contain_text("Held")
    expect(page.get_by_role("img", name=re.compile("^AUC"))).to_be_visible()
    page.get_by_role("link", name="2005-08", exact=True).click()
    expect(page.get_by_role("region", name="Verdict")).to_contain_text("What counts as bad has changed")
    page.get_by_role("navigation", name="Where you are").get_by_role("link", name="Reports").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Reports")


def test_evidentlys_page_comes_alive_in_its_frame_without_our_origin(page: Page) -> None:
    page.goto(f"{MODEL}/reports/2005-09")
    frame = page.locator("iframe")
    frame.scroll_into_view_if_needed()
    inside = frame.content_frame
    expect(inside.get_by_text("Drift is detected").or_(inside.get_by_text("Dataset Drift")).first).to_be_visible(timeout=30_000)
    expect(inside.locator("svg.main-svg").first).to_be_visible(timeout=30_000)
    assert inside.locator("body").evaluate("() => window.origin") == "null"


def test_from_the_roll_outs_to_one_and_to_who_would_be_treated_otherwise(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Roll-outs").click()
    page.get_by_role("link", name="credit_default 2", exact=True).click()
    expect(page.get_by_role("region", name="Verdict")).to_contain_text("Roll back")
    expect(page.get_by_text("nothing about default").first).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^All tests together"))).to_be_visible()
    page.get_by_role("link", name="Swap-set report").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("who would be treated otherwise")
    assert page.evaluate("() => window.origin") == "null"


def test_a_column_opens_to_its_bins_with_the_keyboard(page: Page) -> None:
    page.goto(f"{MODEL}/reports/2005-09")
    column = page.locator("details", has_text="status_0")
    column.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(column.get_by_role("row", name=re.compile("^1 0.1 % 12.3 %"))).to_be_visible()


def test_the_first_tab_stop_skips_to_the_content(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()


def test_from_the_model_to_its_evidence_and_from_a_figure_to_its_source(page: Page) -> None:
    page.goto(MODEL)
    page.get_by_role("main").get_by_role("link", name="evidence pack").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Evidence of version 3")
    frame = page.locator("iframe")
    frame.scroll_into_view_if_needed()
    inside = frame.content_frame
    expect(inside.get_by_role("heading", name="Validation report")).to_be_visible(timeout=30_000)
    figure = inside.get_by_role("row", name="KS").get_by_role("link").first
    assert (figure.get_attribute("title") or "").startswith("assessment.json#/out_of_time/overall/estimates/ks")
    figure.click()
    expect(inside.get_by_text("out_of_time")).to_be_visible()


@pytest.fixture
def alone(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The page of a pack opened from its folder, as who has only the folder does."""
    _, folder = packs.write(tmp_path, monitored_home.MODEL, 3)
    with browser.new_context(viewport=DESK) as context:
        opened = context.new_page()
        opened.goto((folder / "index.html").as_uri())
        yield opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_pack_reads_well_on_desk_and_phone_in_both_schemes(alone: Page, scheme: str) -> None:
    alone.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    assert grave(alone) == []
    for size in (PHONE, DESK):
        alone.set_viewport_size(size)  # type: ignore[arg-type]
        assert alone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_pack_is_printed_with_every_document_on_pages_of_its_own(alone: Page) -> None:
    printed = alone.pdf(prefer_css_page_size=True)
    documents = alone.get_by_role("heading", level=2).count()
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) > documents


@pytest.mark.parametrize("where", ADDRESSES)
def test_every_page_fits_every_window_from_a_phone_to_a_desk(page: Page, where: str) -> None:
    page.goto(where)
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("where", ADDRESSES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_on_a_page_keeps_out_who_does_not_see_it(page: Page, where: str, scheme: str) -> None:
    """Axe finds nothing serious: landmarks, names, headings, contrast; of what is folded in, too."""
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(where)
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert grave(page) == []


def test_where_the_keyboard_is_can_be_seen(page: Page) -> None:
    page.goto(MODEL)
    for _ in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2


@pytest.mark.parametrize("where", ADDRESSES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_follows_the_scheme_of_the_system(page: Page, where: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(where)
    grounds = page.evaluate("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
    assert (sum(map(int, re.findall(r"\d+", grounds[0]))) > 384) == (scheme == "light")


LOADED = """async () => {
  const image = document.querySelector("#chart-auc img");
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  await image.decode();
  return {from: image.currentSrc, width: image.naturalWidth};
}"""


def test_a_chart_is_shown_in_the_scheme_of_the_system_and_given_away_as_png_and_csv(page: Page) -> None:
    page.goto(MODEL)
    picture = page.get_by_role("img", name=re.compile("^AUC and Gini"))
    picture.scroll_into_view_if_needed()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        shown = page.evaluate(LOADED)
        assert shown["from"].endswith(scheme)
        assert shown["width"] > 0
    chart = page.locator("#chart-auc")
    for kind, start in (("PNG", b"\x89PNG"), ("CSV", b",estimated,")):
        address = chart.get_by_role("link", name=kind).get_attribute("href")
        assert address
        assert page.request.get(address).body().startswith(start)


def test_a_page_that_is_not_there_leads_on(page: Page) -> None:
    page.goto(NOWHERE)
    page.get_by_role("main").get_by_role("link", name="Reports").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Reports")
