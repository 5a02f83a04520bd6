"""The pages that Evidently draws of a month: when they are drawn, and what a failure costs."""

from dataclasses import replace

import numpy as np

from models.bundle import Bundle
from models.credit_default import USE_CASE
from models.lake import SNAPSHOTS
from tests import months
from tests.desks import JULY, JUNE, Office


def test_pages_show_the_same_accounts_of_training_and_of_the_month(office: Office) -> None:
    office.decide(JULY)
    office.monitor(JULY)
    drawn = office.renderer.drawn[0]
    assert sorted(drawn["reference"]["account_id"]) == sorted(drawn["current"]["account_id"])
    np.testing.assert_allclose(drawn["reference"]["probability"], months.probabilities(drawn["reference"]))


def test_a_page_that_cannot_be_drawn_costs_no_figures(office: Office) -> None:
    office.decide(JULY)
    office.renderer.broken = True
    report = office.monitor(JULY)
    assert (report.documents, report.reconciliation) == ((), ())
    assert report.notes == ("A page is missing: the page could not be drawn",)
    assert report.score


def test_a_drift_page_is_drawn_once_for_the_same_decisions(office: Office) -> None:
    office.decide(JULY)
    first, again = office.monitor(JULY), office.monitor(JULY)
    assert len(office.renderer.drawn) == 1
    assert (again.documents, again.reconciliation) == (first.documents, first.reconciliation)
    for key in office.reports.keys(USE_CASE.name):
        assert office.reports.document(key, "drift.html") == b"<p>drift</p>"


def test_late_decisions_get_a_new_drift_page(office: Office) -> None:
    office.decide(JULY, rows=1_900)
    office.monitor(JULY)
    office.decide(JULY)
    office.monitor(JULY)
    assert len(office.renderer.drawn) == 2


def test_a_page_that_could_not_be_drawn_is_drawn_the_next_time(office: Office) -> None:
    office.decide(JULY)
    office.renderer.broken = True
    office.monitor(JULY)
    office.renderer.broken = False
    assert [document.name for document in office.monitor(JULY).documents] == ["drift.html"]


def test_training_data_that_are_gone_cost_the_drift_page_only(office: Office) -> None:
    gone = replace(office.lake.history(SNAPSHOTS, JUNE)[0], digest="0" * 64)
    lineage = {"partitions": [{"table": SNAPSHOTS, "month": "2005-06", "version": 1, "digest": gone.digest}]}
    parts = {name: data for name, data in office.champion.files.items() if name != "manifest.json"}
    office.champion = office.known(Bundle.seal(USE_CASE.name, parts, lineage=lineage))
    office.decide(JULY)
    report = office.monitor(JULY)
    assert report.documents == ()
    assert "no snapshots 2005-06" in report.notes[0]


def test_too_few_decisions_get_no_pages(office: Office) -> None:
    office.decide(JULY, rows=100)
    report = office.monitor(JULY)
    assert report.documents == ()
    assert [finding.kind for finding in report.verdict.findings] == ["insufficient"]


def test_a_drift_page_of_a_release_that_did_not_check_it_is_drawn_anew(office: Office) -> None:
    office.decide(JULY)
    report = office.monitor(JULY)
    unchecked = tuple(each.model_copy(update={"recomputed": None}) for each in report.reconciliation)
    office.reports.add(report.model_copy(update={"reconciliation": unchecked}), {"drift.html": b"old"})
    assert len(office.renderer.drawn) == 1
    assert all(each.recomputed is not None for each in office.monitor(JULY).reconciliation)
    assert len(office.renderer.drawn) == 2
