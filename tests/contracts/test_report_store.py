"""What every report store must do, the fake one too."""

import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.errors import Integrity, NotFound, Unavailable
from monitoring.adapters.report_folder import ReportFolder
from monitoring.report import Document, MonthlyReport, ReportKey, ReportStore
from monitoring.verdict import Level, Suggestion, Verdict
from tests.fakes.reports import FakeReportStore

NOON = datetime(2005, 9, 1, 12, tzinfo=UTC)
PAGE = Document(name="drift.html", title="Drift", about="two rows")


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ReportStore:
    makers: dict[str, Callable[[], ReportStore]] = {
        "memory": FakeReportStore,
        "folder": lambda: ReportFolder(tmp_path / "reports"),
    }
    return makers[request.param]()


def report(
    month: str = "2005-07", at: datetime = NOON, model: str = "credit_default", sentence: str = "All quiet."
) -> MonthlyReport:
    return MonthlyReport(
        model=model,
        title="Line review",
        month=month,
        recorded_at=at.isoformat(),
        version=1,
        bundle="b" * 64,
        decisions=3,
        other_bundles={},
        verdict=Verdict(level=Level.GREEN, sentence=sentence, findings=(), suggests=Suggestion.NONE),
        score=None,
        inputs=(),
        actions=None,
        performance=None,
        maturity="Not yet.",
        documents=(PAGE,),
    )


def test_a_report_is_read_back_with_its_pages(store: ReportStore) -> None:
    key = store.add(report(sentence="Ünruhig – “so”"), {"drift.html": b"<p>\xc3\xbc</p>"})
    assert store.read(key) == report(sentence="Ünruhig – “so”")
    assert store.document(key, "drift.html") == b"<p>\xc3\xbc</p>"


def test_the_digest_tells_reports_apart_and_stays(store: ReportStore) -> None:
    quiet, loud = store.add(report(), {"drift.html": b"p"}), store.add(report(sentence="Loud."), {})
    assert store.digest(quiet) == store.digest(quiet) != store.digest(loud)
    with pytest.raises(NotFound):
        store.digest(ReportKey(quiet.model, "2005-01", quiet.stamp))


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    folder = ReportFolder(tmp_path)
    digest = folder.digest(folder.add(report(), {}))
    (file,) = tmp_path.rglob("report.json")
    assert digest == hashlib.sha256(file.read_bytes()).hexdigest()


def test_reports_are_listed_newest_month_first_then_newest_report(store: ReportStore) -> None:
    later = NOON.replace(day=2)
    july, august = store.add(report(), {}), store.add(report("2005-08"), {})
    again, earlier = store.add(report(at=later), {}), store.add(report(at=NOON.replace(hour=1)), {})

    assert store.keys("credit_default") == [august, again, july, earlier]
    assert store.keys("credit_default", "2005-07") == [again, july, earlier]
    assert store.models() == ["credit_default"]


def test_two_reports_of_one_instant_are_both_kept(store: ReportStore) -> None:
    first, second = store.add(report(sentence="One."), {}), store.add(report(sentence="Two."), {})
    assert store.keys("credit_default") == [second, first]
    assert [store.read(key).verdict.sentence for key in (first, second)] == ["One.", "Two."]


def test_models_do_not_see_each_others_reports(store: ReportStore) -> None:
    store.add(report(), {})
    other = store.add(report(model="other"), {})
    assert store.keys("other") == [other]
    assert store.models() == ["credit_default", "other"]


@pytest.mark.parametrize("model", ["unknown", "../secrets", ""])
def test_an_unknown_model_has_no_reports(store: ReportStore, model: str) -> None:
    store.add(report(), {})
    assert store.keys(model) == []


@pytest.mark.parametrize(
    "key",
    [
        ReportKey("credit_default", "2005-07", "20050901T120000000000Z-999"),
        ReportKey("credit_default", "..", ".."),
        ReportKey("..", "2005-07", "20050901T120000000000Z-001"),
    ],
)
def test_a_report_that_is_not_there_is_not_found(store: ReportStore, key: ReportKey) -> None:
    store.add(report(), {})
    with pytest.raises(NotFound):
        store.read(key)


@pytest.mark.parametrize("name", ["classification.html", "report.json", "../drift.html", ""])
def test_only_the_reports_own_pages_are_handed_out(store: ReportStore, name: str) -> None:
    key = store.add(report(), {"drift.html": b"page"})
    with pytest.raises(NotFound):
        store.document(key, name)


def test_no_key_leads_out_of_the_folder(tmp_path: Path) -> None:
    store = ReportFolder(tmp_path / "reports")
    key = store.add(report(), {"drift.html": b"page"})
    shutil.copytree(tmp_path / "reports" / key.model, tmp_path / "elsewhere")
    for outside in (
        ReportKey("../elsewhere", key.month, key.stamp),
        ReportKey(key.model, f"../../elsewhere/{key.month}", key.stamp),
        ReportKey(key.model, key.month, f"../../../elsewhere/{key.month}/{key.stamp}"),
    ):
        with pytest.raises(NotFound):
            store.document(outside, "drift.html")


def test_writers_at_the_same_instant_lose_nothing(tmp_path: Path) -> None:
    store = ReportFolder(tmp_path)
    sentences = [f"Report {number}." for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda sentence: store.add(report(sentence=sentence), {}), sentences))
    assert len(set(keys)) == 20
    assert {store.read(key).verdict.sentence for key in keys} == set(sentences)


def test_a_report_half_written_is_invisible(tmp_path: Path) -> None:
    store = ReportFolder(tmp_path)
    key = store.add(report(), {})
    left = tmp_path / "credit_default" / "2005-07" / ".report.0123"
    left.mkdir()
    (left / "report.json").write_text("{")
    assert store.keys("credit_default") == [key]


@pytest.mark.parametrize("content", [b'{"format": 1}', b"[]", b"\xff", b"[" * 100_000], ids=["short", "list", "bytes", "deep"])
def test_a_damaged_report_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    store = ReportFolder(tmp_path)
    key = store.add(report(), {})
    path = tmp_path / key.model / key.month / key.stamp / "report.json"
    path.write_bytes(content)
    with pytest.raises(Integrity, match="damaged") as raised:
        store.read(key)
    assert "again" in raised.value.hint


def test_a_folder_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "credit_default").write_text("a file where a folder should be")
    store = ReportFolder(tmp_path)
    with pytest.raises(Unavailable):
        store.add(report(), {})
    assert store.models() == []
