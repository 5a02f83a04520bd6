"""Two versions of a real home on its newest month: report, page, ledger, and what `make verify` says of them."""

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from models.errors import Conflict, NotFound
from models.governance.ledger import Event
from models.policy import Action
from pipelines import steps
from pipelines.retraining import asked_for
from pipelines.swap_set.report import PAGE, REPORT, SwapSet
from pipelines.swap_set.step import find, keep, swap_set
from pipelines.verification.swap_sets import check_swap_sets
from pipelines.wiring import Platform
from tests.trained import Trained, platform_at

pytestmark = pytest.mark.integration

JULY = date(2005, 7, 31)


@pytest.fixture(scope="module")
def home(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a champion, and a second version that was made of a month less."""
    folder = shutil.copytree(trained.in_force, tmp_path_factory.mktemp("swap") / "home")
    parts = platform_at(folder)
    cohorts = steps.open_cohorts(parts, JULY)
    development = steps.search(parts, cohorts)
    assessment = steps.judge(parts, cohorts, development)
    evidence = steps.document(parts, cohorts, development, assessment)
    assert steps.release(parts, cohorts, development, assessment, evidence, asked_for("A test")).version == 2
    return folder


@pytest.fixture
def platform(home: Path, tmp_path: Path) -> Platform:
    return platform_at(shutil.copytree(home, tmp_path / "home"))


@pytest.fixture(scope="module")
def report(home: Path) -> SwapSet:
    return swap_set(platform_at(home), "2")


def test_it_is_about_the_newest_month_and_everybody_in_it(report: SwapSet) -> None:
    assert report.month == "2005-08"
    assert report.accounts == sum(cell.accounts for cell in report.cells) == sum(report.champion.actions.values())
    assert (report.champion.version, report.challenger.version) == (1, 2)
    assert report.flipped > 0


def test_the_other_way_round_everything_is_turned(report: SwapSet, home: Path) -> None:
    turned = swap_set(platform_at(home), "1", "2")

    for was in Action:
        for now in Action:
            assert turned.count(now, was) == report.count(was, now)
    assert turned.costs[0].difference == pytest.approx(-report.costs[0].difference)


def test_groups_come_through_the_audit_table_and_small_ones_are_withheld(report: SwapSet) -> None:
    assert {row.column for row in report.mix} == {"sex", "education", "marriage", "age"}
    small = [row for row in report.mix if row.accounts < report.minimum_cell]
    assert small
    assert all(row.harsher is row.milder is None for row in small)


def test_a_version_is_found_by_number_or_digest(platform: Platform, report: SwapSet) -> None:
    assert find(platform, "2").digest == find(platform, report.challenger.bundle[:8]).digest == report.challenger.bundle
    with pytest.raises(NotFound, match="no version"):
        find(platform, "7")
    with pytest.raises(NotFound):
        find(platform, "")


def test_a_version_is_not_compared_with_itself(platform: Platform) -> None:
    with pytest.raises(Conflict):
        swap_set(platform, "1")


def test_report_and_page_are_kept_named_and_verified(platform: Platform, report: SwapSet) -> None:
    page = keep(platform, report)
    again = keep(platform, report)

    noted = [entry for entry in platform.ledger.entries() if entry.event is Event.SWAP_SET_SEALED]
    assert page == again
    assert len(noted) == 1
    assert noted[0].facts["report"] == report.digest
    assert SwapSet.from_bytes((page.parent / REPORT).read_bytes()) == report
    assert report.sentence in page.read_text()
    assert "nothing about default" in page.read_text()
    assert list(check_swap_sets(platform.swap_sets, platform.ledger.entries())) == []


def test_no_account_of_the_bank_and_no_audit_value_of_an_account_is_on_it(platform: Platform, report: SwapSet) -> None:
    written = json.loads(report.to_bytes())
    named = [name for cell in written["cells"] for name in cell["examples"]]

    assert named
    assert all(name.startswith("p") and len(name) > 30 for name in named)


@pytest.mark.parametrize("touched", [REPORT, PAGE])
def test_an_edited_report_is_found(platform: Platform, report: SwapSet, touched: str) -> None:
    page = keep(platform, report)
    file = page.parent / touched
    file.write_text(file.read_text().replace("2005-08", "2005-07"))

    assert list(check_swap_sets(platform.swap_sets, platform.ledger.entries()))


def test_a_report_that_is_gone_is_found(platform: Platform, report: SwapSet) -> None:
    shutil.rmtree(keep(platform, report).parent)

    (found,) = check_swap_sets(platform.swap_sets, platform.ledger.entries())
    assert "is not here" in found.problem


def test_a_report_that_nobody_wrote_down_is_found(platform: Platform, report: SwapSet) -> None:
    platform.swap_sets.store(report.model, report.challenger.bundle, report.digest, {REPORT: report.to_bytes()})

    (found,) = check_swap_sets(platform.swap_sets, platform.ledger.entries())
    assert "no entry" in found.problem
