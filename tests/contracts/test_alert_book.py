"""What every alert book must do, the fake one too."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest

from models.errors import Integrity, NotFound, Unavailable
from monitoring.adapters.alert_folder import AlertFolder
from monitoring.alerts.alert import Alert
from monitoring.alerts.book import AlertBook, every_open, found
from tests.alerting import MODEL, an_alert
from tests.fakes.alerts import FakeAlertBook


@pytest.fixture(params=["memory", "folder"])
def book(request: pytest.FixtureRequest, tmp_path: Path) -> AlertBook:
    makers: dict[str, Callable[[], AlertBook]] = {"memory": FakeAlertBook, "folder": lambda: AlertFolder(tmp_path / "alerts")}
    return makers[request.param]()


def test_an_alert_is_read_back_as_it_was_written(book: AlertBook) -> None:
    alert = an_alert(value=0.1 + 0.2)

    assert book.revise(MODEL, lambda _: [alert]) == [alert]
    assert book.alerts(MODEL) == [alert]
    assert book.models() == [MODEL]


def test_a_revision_sees_all_alerts_and_replaces_those_that_it_returns(book: AlertBook) -> None:
    one, other = an_alert(id="aa"), an_alert(id="bb")
    book.revise(MODEL, lambda _: [one, other])

    book.revise(MODEL, lambda alerts: [alert.model_copy(update={"text": "worse"}) for alert in alerts if alert.id == "aa"])

    assert {alert.id: alert.text for alert in book.alerts(MODEL)} == {"aa": "worse", "bb": other.text}


def test_the_newest_alert_comes_first(book: AlertBook) -> None:
    for day in ("02", "03", "01"):
        alert = an_alert(id=day, opened_at=f"2005-11-{day}T00:00:00+00:00")
        book.revise(MODEL, partial(_only, alert))

    assert [alert.id for alert in book.alerts(MODEL)] == ["03", "02", "01"]


def test_a_revision_that_changes_nothing_leaves_no_trace(book: AlertBook) -> None:
    assert book.revise(MODEL, lambda _: []) == []
    assert book.models() == []


def test_a_revision_that_fails_changes_nothing(book: AlertBook) -> None:
    book.revise(MODEL, lambda _: [an_alert()])

    def fails(alerts: object) -> list[Alert]:
        raise Unavailable("away")

    with pytest.raises(Unavailable):
        book.revise(MODEL, fails)
    assert len(book.alerts(MODEL)) == 1


def test_an_unknown_model_has_no_alerts(book: AlertBook) -> None:
    assert book.alerts("nobody") == book.alerts("../elsewhere") == []


def test_pages_come_first_among_the_open_ones_and_what_is_closed_is_none_of_them(book: AlertBook) -> None:
    warning = an_alert(id="aa", severity="warning")
    book.revise(MODEL, lambda _: [warning, an_alert(id="bb"), an_alert(id="cc", closed={"by": "x", "reason": "", "at": ""})])

    assert [alert.id for alert in every_open(book)] == ["bb", "aa"]


def test_an_alert_is_found_by_the_beginning_of_its_id() -> None:
    alerts = [an_alert(id="ab12"), an_alert(id="ab34")]

    assert found(alerts, "ab3").id == "ab34"
    with pytest.raises(NotFound):
        found(alerts, "")


def _only(alert: Alert, _: Sequence[Alert]) -> list[Alert]:
    return [alert]


def test_revisions_of_several_processes_do_not_lose_each_other(tmp_path: Path) -> None:
    start, numbers = Barrier(4), range(4)

    def add(number: int) -> None:
        own = AlertFolder(tmp_path / "alerts")
        start.wait()
        for alert in [an_alert(id=f"{number}-{each}") for each in range(5)]:
            own.revise(MODEL, partial(_only, alert))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, numbers))

    assert len(AlertFolder(tmp_path / "alerts").alerts(MODEL)) == 20


def test_a_damaged_file_is_said_and_never_written_over(tmp_path: Path) -> None:
    book, path = AlertFolder(tmp_path), tmp_path / f"{MODEL}.json"
    path.write_text("[{")

    with pytest.raises(Integrity, match="cannot be read"):
        book.revise(MODEL, lambda _: [an_alert()])
    assert path.read_text() == "[{"


def test_a_name_that_is_no_models_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        AlertFolder(tmp_path / "alerts").revise("../elsewhere", lambda _: [an_alert()])
    assert list(tmp_path.iterdir()) == []
