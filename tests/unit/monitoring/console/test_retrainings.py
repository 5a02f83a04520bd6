"""What the console says of retrainings is what the ledger has of them."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.errors import NotFound
from models.governance.ledger import Event
from models.governance.retrainings import Cited, Course, Explanation, Trigger, TriggerKind, listed
from monitoring.console.pages.retrainings import SHOWN, retrainings_page
from monitoring.console.sources import Sources
from tests.consoles import client, looking

AT = datetime(2005, 11, 1, 6, tzinfo=UTC)
REPORT = Cited("report", "m/2005-10/20051101T060000000000Z-001", "a" * 64)
DRIFT = Trigger(TriggerKind.DRIFT, "bill_0 has shifted.", (REPORT, Cited("snapshots", "2005-10 version 1", "c" * 64)))
LOST = Explanation("2005-10-31", Course.TRAIN, (DRIFT,), "why", "kept", "Keep: no gain.", ("AUC gain is .0.",), 2, "b" * 64)
HELD_BACK = Explanation("2005-11-30", Course.HELD_BACK, (DRIFT,), "why", "rested", "Cooling down until 14 December.")


@pytest.fixture
def sources() -> Sources:
    return looking()


def note(sources: Sources, *said: Explanation) -> None:
    for one in said:
        sources.ledger.append(Event.RETRAINING_ENDED, model="m", actor="pipeline", at=AT, facts=one.facts())


def pack(sources: Sources, bundle: str) -> None:
    facts = {"bundle": bundle, "pack": "e" * 64, "training": "f" * 64, "writer": "1"}
    sources.ledger.append(Event.PACK_SEALED, model="m", actor="pipeline", at=AT, facts=facts)


def test_a_challenger_that_lost_is_explained_with_its_trigger_and_a_way_to_the_report_that_it_rests_on(sources: Sources) -> None:
    note(sources, LOST)
    pack(sources, LOST.bundle)
    (one,) = retrainings_page(sources, "m").considered
    assert (one.ending, one.said.failed, one.address) == ("kept", LOST.failed, "/models/m/versions/2/evidence")
    report, partition = one.fired[0].evidence
    assert report.address == "/models/m/reports/2005-10/20051101T060000000000Z-001"
    assert partition.address == ""


def test_a_version_without_an_evidence_pack_is_no_link_but_says_how_to_make_one(sources: Sources, tmp_path: Path) -> None:
    note(sources, LOST)
    pack(sources, "c" * 64)
    page = client(tmp_path, sources=sources).get("/models/m/retrainings").text
    assert "make evidence VERSION=2" in page
    assert "/versions/2/evidence" not in page


def test_the_newest_comes_first_and_what_was_held_back_is_called_so(sources: Sources) -> None:
    note(sources, LOST, HELD_BACK)
    assert [one.ending for one in retrainings_page(sources, "m").considered] == ["held back", "kept"]


def test_of_many_the_newest_are_shown_and_the_others_counted(sources: Sources) -> None:
    note(sources, *[replace(LOST, version=number) for number in range(1, SHOWN + 3)])
    page = retrainings_page(sources, "m")
    assert (len(page.considered), page.earlier, page.considered[0].said.version) == (SHOWN, 2, SHOWN + 2)


def test_a_training_that_began_and_did_not_end_is_there_until_it_ends(sources: Sources) -> None:
    begun = {"as_of": "2005-10-31", "triggers": listed([DRIFT]), "reason": "why"}
    sources.ledger.append(Event.RETRAINING_BEGUN, model="m", actor="pipeline", at=AT, facts=begun)
    open_one = retrainings_page(sources, "m").open
    assert open_one
    assert open_one.fired[0].trigger == DRIFT
    note(sources, LOST)
    assert retrainings_page(sources, "m").open is None


def test_nothing_is_known_of_another_model(sources: Sources) -> None:
    with pytest.raises(NotFound):
        retrainings_page(sources, "m")


def test_the_page_and_the_runs_say_it_in_words(sources: Sources, tmp_path: Path) -> None:
    note(sources, LOST, HELD_BACK)
    served = client(tmp_path, sources=sources)
    page, runs = served.get("/models/m/retrainings").text, served.get("/runs").text
    for said in ("bill_0 has shifted.", "AUC gain is .0.", "Keep: no gain.", "Cooling down until 14 December.", "drift"):
        assert said in page
    assert '<a href="/models/m/retrainings">m</a>: <b>held back</b>' in runs
