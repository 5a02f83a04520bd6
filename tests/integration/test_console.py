"""The viewer over HTTP, on a home written through the real adapters."""

import re
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from models.adapters import key_files
from models.adapters.folder_channel import FolderChannel
from models.clock import FixedClock, Month
from models.contract import Role
from models.credit_default import USE_CASE
from models.governance.signing import Duty
from models.governance.stop import Stop
from monitoring import wiring
from monitoring.adapters.report_folder import ReportFolder
from monitoring.performance import Reading
from monitoring.report import ReportKey
from monitoring.settings import MonitoringSettings
from pipelines.adapters.expectations import GreatExpectations
from pipelines.batches import Batch
from tests import monitored_home, packs
from tests.consoles import client

pytestmark = pytest.mark.integration

PAGE = b"<!doctype html><title>drift</title><p>a stored page</p>"


@pytest.fixture
def keys(tmp_path: Path) -> list[ReportKey]:
    return monitored_home.write(tmp_path, PAGE)


def then(home: Path) -> Path:
    """A clock that shows when the home was as it is: its approvals have not ended."""
    (home / "clock").write_text(datetime(2005, 10, 2, tzinfo=UTC).isoformat())
    return home / "clock"


def test_the_overview_says_how_the_model_is_who_decides_and_what_to_do(tmp_path: Path, keys: list[ReportKey]) -> None:
    page = client(tmp_path, clock_file=then(tmp_path)).get("/").text
    for said in (
        "Held",
        "status_0 is coded differently",
        "version 2",
        "DEMONSTRATION ONLY",
        "make accept-input",
        "make schedule",
    ):
        assert said in page


ASSUMED = "it sees covariate shift, not concept drift"


def test_an_estimate_never_stands_without_its_assumption(tmp_path: Path, keys: list[ReportKey]) -> None:
    served = client(tmp_path)
    for path in ("/models/credit_default", "/models/credit_default/reports/2005-08", "/models/credit_default/reports/2005-09"):
        assert ASSUMED in served.get(path).text


def test_a_matured_month_shows_the_estimate_beside_what_was_realised_and_why_both_differ(
    tmp_path: Path, keys: list[ReportKey]
) -> None:
    page = client(tmp_path).get("/models/credit_default/reports/2005-08").text
    for said in (
        "0.869",
        "0.781",
        "(-0.088)",
        "0.882",
        "(+0.013)",
        "what counts as bad made -0.101",
        "from six matured months on",
    ):
        assert said in page
    for drawn in ("Calibration by band, as coded", "Vintage curves", "2005-07: 14.7 % in 1, 18.0 % in 2."):
        assert drawn in page


def test_a_month_that_has_not_matured_says_so_and_has_a_range_where_enough_months_have(
    tmp_path: Path, keys: list[ReportKey]
) -> None:
    page = client(tmp_path).get("/models/credit_default/reports/2005-09").text
    for said in ("<strong>Not matured:</strong>", "not known yet", "0.857 to 0.878", "6 matured months", "71.4"):
        assert said in page


def test_what_is_counted_over_all_rows_is_shown_and_too_small_a_segment_is_not_judged(
    tmp_path: Path, keys: list[ReportKey]
) -> None:
    page = client(tmp_path).get("/models/credit_default/reports/2005-09").text
    for said in (
        "Values that the contract forbids",
        "22,500",
        "insufficient",
        "Against the first approved version",
        "Largest gap",
        "R1",
    ):
        assert said in page


def test_a_report_of_a_release_before_estimates_opens_as_it_did(tmp_path: Path, keys: list[ReportKey]) -> None:
    answer = client(tmp_path).get("/models/credit_default/reports/2005-06")
    assert answer.status_code == 200
    assert ASSUMED not in answer.text


def test_a_model_page_shows_both_readings_the_champions_and_the_ledger(tmp_path: Path, keys: list[ReportKey]) -> None:
    page = client(tmp_path).get("/models/credit_default").text
    for said in ("0.781", "0.882", "the first champion: all floors are met", "Hold opened", "in force"):
        assert said in page


def few(home: Path, key: ReportKey, rows: int) -> str:
    """Store the report again as if it rested on so few decisions and outcomes; the month."""
    folder = ReportFolder(home / "reports")
    report = folder.read(key)
    assert report.performance
    assert report.performance.comparable

    def fewer(reading: Reading) -> Reading:
        return reading.model_copy(
            update={"populations": {name: found.model_copy(update={"rows": rows}) for name, found in reading.populations.items()}}
        )

    readings = {"as_coded": fewer(report.performance.as_coded), "comparable": fewer(report.performance.comparable)}
    moved = [shift.model_copy(update={"state": "insufficient"}) for shift in report.inputs]
    performance = report.performance.model_copy(update=readings)
    changes = {"decisions": rows + 1, "accounts": rows, "performance": performance, "inputs": tuple(moved)}
    folder.add(report.model_copy(update=changes), {"drift.html": PAGE})
    return report.month


def test_figures_that_rest_on_two_outcomes_are_withheld_on_every_page(tmp_path: Path, keys: list[ReportKey]) -> None:
    address = f"/models/credit_default/reports/{keys[2].month}"
    before = client(tmp_path).get(address).text
    assert few(tmp_path, keys[2], 2) == "2005-08"
    for where in (address, "/models/credit_default"):
        page = client(tmp_path).get(where).text
        assert "insufficient" in page
        for figure in ("0.781", "0.882", "10.4\N{NO-BREAK SPACE}%"):
            assert figure in before
            assert f">{figure}<" not in page
    assert "Figures need the outcomes of 500 accounts" in client(tmp_path).get(address).text


def test_decisions_and_accounts_are_shown_apart(tmp_path: Path, keys: list[ReportKey]) -> None:
    few(tmp_path, keys[2], 2)
    page = client(tmp_path).get("/models/credit_default/reports/2005-08").text
    assert "<dt>Decisions</dt><dd>3</dd>" in page
    assert "<dt>Accounts</dt><dd>2</dd>" in page


def test_the_commands_on_the_pages_of_a_replay_are_for_that_replay(tmp_path: Path) -> None:
    home = tmp_path / "replay" / "2005"
    monitored_home.write(home, PAGE)
    page = client(home, clock_file=then(home)).get("/models/credit_default").text
    assert "COLUMN=status_0 BY=… REASON=&#34;…&#34; SCENARIO=2005" in page
    assert "make schedule" not in client(home).get("/").text


def test_a_stopped_model_is_shown_as_stopped(tmp_path: Path, keys: list[ReportKey]) -> None:
    assert "Stopped" not in client(tmp_path).get("/").text
    model = monitored_home.MODEL
    halted = Stop(model, 1, stopped=True, reason="the prices are wrong", asked_by="Ada", at="2005-10-02T08:00:00+00:00")
    FolderChannel(tmp_path / "channel").add_stop(
        model, 1, key_files.signer(tmp_path / "keys", key_files.PUBLISHER, Duty.PUBLISH).sign(asdict(halted))
    )
    for where in ("/", f"/models/{model}"):
        page = client(tmp_path).get(where).text
        assert "the prices are wrong" in page
        assert "make resume" in page


def test_an_empty_home_says_which_command_to_run(tmp_path: Path) -> None:
    answer = client(tmp_path / "nothing")
    assert "make train" in answer.get("/").text


@pytest.mark.parametrize(
    "address",
    [
        "/models/churn",
        "/models/credit_default/reports/2004-01",
        "/models/credit_default/reports/..%2F..%2Fkeys",
        "/models/credit_default/reports/2005-08/20050101T000000000000Z-001",
        "/static/../app.py",
        "/nowhere",
        "/validations/%00.html",
        f"/validations/{'a' * 5000}.html",
        "/models/credit_default/rollouts/first",
        "/models/credit_default/features/status_0/rows?month=2005-08&place=x",
        "/models/credit_default/charts/auc.svg?scheme=pink",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(tmp_path: Path, keys: list[ReportKey], address: str) -> None:
    answer = client(tmp_path).get(address)
    assert answer.status_code == 404
    assert "This page cannot be shown" in answer.text
    assert "a" * 500 not in answer.text


def test_a_mistake_of_its_own_is_a_page_too_that_may_do_as_little_and_tells_nothing_of_it(tmp_path: Path) -> None:
    class Mistaken(ReportFolder):
        def models(self) -> list[str]:
            raise ZeroDivisionError("account A17")

    sources = replace(wiring.sources(MonitoringSettings(home=tmp_path)), reports=Mistaken(tmp_path))
    asked = client(tmp_path, sources=sources)
    asked._transport.raise_server_exceptions = False
    answer = asked.get("/")
    assert answer.status_code == 500
    assert "its log tells where" in answer.text
    assert "A17" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_only_a_document_of_the_report_can_be_fetched(tmp_path: Path, keys: list[ReportKey]) -> None:
    key = keys[-1]
    address = f"/models/{key.model}/reports/{key.month}/{key.stamp}/documents"
    assert client(tmp_path).get(f"{address}/drift.html").content == PAGE
    assert client(tmp_path).get(f"{address}/report.json").status_code == 404


def test_own_pages_allow_no_script_and_stored_pages_run_without_our_origin(tmp_path: Path, keys: list[ReportKey]) -> None:
    key = keys[-1]
    own = client(tmp_path).get("/").headers["content-security-policy"]
    stored = client(tmp_path).get(f"/models/{key.model}/reports/{key.month}/{key.stamp}/documents/drift.html")
    policy = stored.headers["content-security-policy"]
    assert "script-src" not in own
    assert "default-src 'none'" in own
    assert policy.startswith("sandbox allow-scripts;")
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy
    assert "default-src 'none'" in policy


def test_a_page_elsewhere_cannot_point_its_name_at_the_viewer(tmp_path: Path, keys: list[ReportKey]) -> None:
    assert client(tmp_path, host="attacker.example").get("/").status_code == 400


def test_a_damaged_report_is_named_and_the_champion_still_shows(tmp_path: Path, keys: list[ReportKey]) -> None:
    key = keys[-1]
    (tmp_path / "reports" / key.model / key.month / key.stamp / "report.json").write_text("{}")
    page = client(tmp_path).get("/")
    assert page.status_code == 200
    assert "is damaged" in page.text
    assert "version 2" in page.text
    assert client(tmp_path).get(f"/models/{key.model}/reports/{key.month}").status_code == 502


def test_an_edited_ledger_is_trouble_on_the_page_and_not_a_crash(tmp_path: Path, keys: list[ReportKey]) -> None:
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b"all floors are met", b"never mind"))
    for address in ("/", "/models/credit_default"):
        page = client(tmp_path).get(address)
        assert page.status_code == 200
        assert "was edited, removed or reordered" in page.text


def test_what_an_unreadable_ledger_would_say_is_not_taken_for_nothing(tmp_path: Path, keys: list[ReportKey]) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    for address in ("/", "/approvals"):
        page = client(tmp_path).get(address)
        assert page.status_code == 200
        assert "removed from the end" in page.text
        assert "No version waits for approval" not in page.text
        assert "<dd>nothing</dd>" not in page.text


def test_a_reason_with_markup_in_it_is_shown_as_text(tmp_path: Path, keys: list[ReportKey]) -> None:
    report = tmp_path / "reports" / keys[-1].model / keys[-1].month / keys[-1].stamp / "report.json"
    report.write_bytes(report.read_bytes().replace(b"Monthly line review", b"<script>alert(1)</script>"))
    page = client(tmp_path).get("/").text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_every_checked_batch_is_listed_and_opens_to_a_page_that_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    settings = MonitoringSettings(home=tmp_path)
    assert "make ingest" in client(tmp_path).get("/validations").text
    month, instant = Month(2005, 8), datetime(2005, 9, 1, tzinfo=UTC)
    contract = USE_CASE.contract.only(Role.KEY)
    for keys in (["A1", "A2"], ["A1", "A1"]):
        docs = GreatExpectations(settings.data_docs_folder.parent, FixedClock(instant))
        docs.check(Batch(USE_CASE.name, "snapshots", month, contract, {"account_id": np.array(keys)}), [])
        docs.publish()
        instant += timedelta(days=1)
    listed = client(tmp_path).get("/validations").text
    assert listed.index("Red") < listed.index("Green")  # the newest is the one with a duplicate key
    checks = wiring.sources(settings).validations.recent(10)
    assert [check.passed for check in checks] == [False, True]
    page = client(tmp_path).get(f"/validations/{checks[0].page}")
    assert "values must be unique" in page.text
    assert "<script" not in page.text
    assert not re.findall(r'<link[^>]+href="(?!/static/)', page.text)
    assert "url('http" in (settings.data_docs_folder / "validations" / checks[0].page).read_text()
    assert not re.findall(r"url\([^)]*//", page.text)
    assert page.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


def test_only_validation_pages_can_be_fetched(tmp_path: Path, keys: list[ReportKey]) -> None:
    outside = tmp_path / "validation" / "data_docs" / "secret.html"
    outside.parent.mkdir(parents=True)
    outside.write_text("secret")
    for address in ("..%2Fsecret.html", "%2E%2E/secret.html", str(outside).replace("/", "%2F")):
        assert client(tmp_path).get(f"/validations/{address}").status_code == 404


PACK = "/models/credit_default/versions/3/evidence"


def test_an_evidence_pack_is_shown_inside_the_viewer_with_who_approved(tmp_path: Path, keys: list[ReportKey]) -> None:
    pack, _ = packs.write(tmp_path, monitored_home.MODEL, 3)
    page = client(tmp_path).get(PACK).text
    assert f'src="{PACK}/files/index.html"' in page
    assert pack.digest[:12] in page
    assert "Nobody has approved this version yet" in page
    assert f'href="{PACK}"' in client(tmp_path).get("/models/credit_default").text


def test_every_file_of_the_pack_can_be_fetched_and_nothing_else(tmp_path: Path, keys: list[ReportKey]) -> None:
    pack, _ = packs.write(tmp_path, monitored_home.MODEL, 3)
    for name, data in pack.files.items():
        answer = client(tmp_path).get(f"{PACK}/files/{name}")
        assert (answer.status_code, answer.content) == (200, data)
    outside = ("../../ledger.jsonl", "%2e%2e/index.html", "..%2f..%2f..%2fledger.jsonl", "/etc/passwd")
    for name in (*outside, "bundle", "nothing.json", ""):
        assert client(tmp_path).get(f"{PACK}/files/{name}").status_code == 404
    assert client(tmp_path).get("/models/..%2fcredit_default/versions/3/evidence").status_code == 404
    assert client(tmp_path).get("/models/credit_default/versions/8/evidence").status_code == 404
    assert client(tmp_path).get("/models/credit_default/versions/x/evidence").status_code in (404, 422)


def test_a_pack_runs_no_script_and_loads_nothing_but_its_own_pictures(tmp_path: Path, keys: list[ReportKey]) -> None:
    packs.write(tmp_path, monitored_home.MODEL, 3)
    policy = client(tmp_path).get(f"{PACK}/files/index.html").headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none';")
    assert "script-src" not in policy
    assert "frame-ancestors 'self'" in policy
    assert client(tmp_path).get(f"{PACK}/files/figures.json").headers["content-type"] == "application/json"


def test_a_pack_that_was_touched_is_said_to_be_so_and_none_of_it_is_shown(tmp_path: Path, keys: list[ReportKey]) -> None:
    _, folder = packs.write(tmp_path, monitored_home.MODEL, 3)
    (folder / "reasons.json").write_text("{}")
    for address in (PACK, f"{PACK}/files/index.html", f"{PACK}/files/reasons.json"):
        answer = client(tmp_path).get(address)
        assert answer.status_code == 502
        assert "reasons.json" in answer.text
        assert "changed after sealing" in answer.text
