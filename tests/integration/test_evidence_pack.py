"""The evidence pack of a real version, from a real home, on some of the accounts: built, built again, signed, refused."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from models.errors import NotApproved, NotEnoughData, NotFound
from models.governance import release
from models.governance.checking import check_evidence, sign_off
from models.governance.dossier import evidence_digest
from models.governance.inbox import waiting
from models.governance.requests import requested
from pipelines.adapters.pack_page import render
from pipelines.development import Development
from pipelines.pack import files, steps
from pipelines.pack.artefacts import Verdict
from pipelines.pack.build import recheck
from pipelines.pack.steps import Kept
from pipelines.steps import Kind
from pipelines.wiring import Platform
from tests.trained import Trained, platform_at, released, where_people_approve

pytestmark = pytest.mark.integration

MODEL = "credit_default"
OPEN = (Verdict.FAILED, Verdict.INSUFFICIENT)


def packed(parts: Platform, version: int = 0) -> Kept:
    about = steps.subject(parts, version)
    return steps.seal(parts, about, steps.fairness_files(parts, about) | steps.reasons_files(parts, about))


def stored_in(parts: Platform, pack: Kept) -> Mapping[str, bytes]:
    return parts.packs.files(MODEL, steps.subject(parts, 1).bundle.digest, pack.digest)


def computed(parts: Platform, pack: Kept) -> dict[str, bytes]:
    """What takes long in a pack: its fairness and its reasons."""
    stored = stored_in(parts, pack)
    return {name: stored[name] for name in stored if name.startswith("fairness/") or name == files.REASONS}


@pytest.fixture(scope="module")
def home(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version that waits for people."""
    assert trained.held.kind is Kind.HELD
    assert "waits for its evidence pack" in trained.held.sentence
    return shutil.copytree(trained.waiting, tmp_path_factory.mktemp("waiting") / "home")


@pytest.fixture(scope="module")
def pack(home: Path) -> Kept:
    return packed(where_people_approve(home), version=1)


def test_every_figure_of_a_real_pack_follows_from_its_artefact(pack: Kept) -> None:
    stored = {path.relative_to(pack.folder).as_posix(): path.read_bytes() for path in pack.folder.rglob("*") if path.is_file()}
    recheck(stored, render)
    assert len(pack.figures) > 1_000
    bundle = json.loads(stored[files.SUBJECT])["bundle"]
    assert evidence_digest(stored, bundle) == pack.digest


def test_a_version_that_waits_is_asked_for_with_its_pack_and_signed_so(home: Path, pack: Kept, tmp_path: Path) -> None:
    parts = where_people_approve(shutil.copytree(home, tmp_path / "home"))
    assert pack.asked
    (wish,) = waiting(parts.office, MODEL, "")
    assert wish.wanted.evidence == pack.digest
    assert wish.place == str(parts.settings.home / pack.folder.relative_to(home))

    demonstration = platform_at(parts.settings.home).office.demonstration
    assert demonstration is not None
    with pytest.raises(NotApproved, match=r"did not pass .*fairness\.impact_ratio: failed"):
        sign_off(parts.office, demonstration, MODEL, wish.wanted.bundle, comment="read all of it")
    why = {"comment": "read all of it", "acceptance": "no decision about people is made with it"}
    approval = sign_off(parts.office, demonstration, MODEL, wish.wanted.bundle, **why)
    assert approval.evidence == pack.digest
    assert set(approval.accepted) == {f"{gate}: {verdict}" for verdict in OPEN for gate in gates_only(pack, verdict)}
    assert release.promote(parts.office, MODEL, wish.wanted.bundle).version == 1


def test_what_training_left_and_said_tells_that_nobody_judged_fairness(trained: Trained) -> None:
    parts = platform_at(trained.in_force)
    left = parts.evidence.files(MODEL, trained.promoted.bundle)
    assert json.loads(left[files.ASSESSMENT])["fairness"]["verdict"] == "not judged"
    assert "not approved for production" in trained.promoted.sentence
    assert "accepted for demonstration only: not judged (fairness)" in trained.promoted.sentence


def gates_only(pack: Kept, verdict: Verdict) -> set[str]:
    """Gates by their worst verdict: one that failed somewhere has failed."""
    failed = set(pack.gates(Verdict.FAILED))
    return failed if verdict is Verdict.FAILED else set(pack.gates(verdict)) - failed


def test_training_again_does_not_ask_with_less_than_the_pack(
    home: Path, pack: Kept, searched_again: Development, tmp_path: Path
) -> None:
    parts = where_people_approve(shutil.copytree(home, tmp_path / "home"))
    before = parts.ledger.entries(MODEL)

    ending = released(parts, searched_again)

    assert ending.kind is Kind.HELD
    assert "must be accepted in writing" in ending.sentence
    assert requested(parts.office, MODEL, ending.bundle).evidence == pack.digest
    assert parts.ledger.entries(MODEL) == before


def test_one_byte_of_the_page_changed_voids_what_was_signed(home: Path, pack: Kept, tmp_path: Path) -> None:
    parts = where_people_approve(shutil.copytree(home, tmp_path / "home"))
    page = parts.settings.home / pack.folder.relative_to(home) / files.PAGE
    page.write_bytes(page.read_bytes().replace(b"outside", b"inside!", 1))
    (wish,) = waiting(parts.office, MODEL, "")
    with pytest.raises(NotApproved, match="changed after sealing"):
        check_evidence(parts.office, requested(parts.office, MODEL, wish.wanted.bundle))


def test_building_it_again_makes_the_same_bytes_and_asks_for_nothing_new(home: Path, pack: Kept) -> None:
    parts = where_people_approve(home)
    before = len(parts.ledger.entries())
    about = steps.subject(parts, 1)
    assert steps.reasons_files(parts, about).items() <= stored_in(parts, pack).items()
    assert steps.seal(parts, about, computed(parts, pack)).digest == pack.digest
    assert len(parts.ledger.entries()) == before


def test_a_rebuild_stands_in_the_pack_if_it_was_asked_for(home: Path, pack: Kept, tmp_path: Path) -> None:
    parts = where_people_approve(shutil.copytree(home, tmp_path / "home"))
    about = steps.subject(parts, 1)
    found = json.loads(steps.rebuild_files(parts, about)[files.REBUILD])
    assert found["reproduced"]
    kept = steps.seal(parts, about, computed(parts, pack) | steps.rebuild_files(parts, about))
    assert "the same bundle" in (kept.folder / files.PAGE).read_text()


def test_evidence_or_rows_that_were_touched_fail_the_build(home: Path, tmp_path: Path) -> None:
    touched = shutil.copytree(home, tmp_path / "touched")
    (path,) = touched.glob(f"evidence/{MODEL}/*/assessment.json")
    path.write_text(path.read_text().replace("0.8", "0.9"))
    with pytest.raises(NotApproved, match=r"assessment\.json"):
        steps.subject(platform_at(touched), 1)

    emptied = shutil.copytree(home, tmp_path / "emptied")
    for part in emptied.glob("lake/**/*outcomes*/**/*.parquet"):
        part.unlink()
    with pytest.raises(NotEnoughData):
        steps.subject(platform_at(emptied), 1)


def test_a_version_that_does_not_exist_is_named(home: Path) -> None:
    with pytest.raises(NotFound, match="no version 9"):
        steps.subject(platform_at(home), 9)
