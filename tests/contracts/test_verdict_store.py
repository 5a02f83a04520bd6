"""What every store of verdicts on roll-outs must do, the fake one too."""

from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import Integrity, Unavailable
from monitoring.adapters.verdict_folder import VerdictFolder
from monitoring.rollout.documents import VerdictDocument, VerdictStore
from tests.fakes.verdicts import FakeVerdictStore
from tests.rollouts import judged


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> VerdictStore:
    makers: dict[str, Callable[[], VerdictStore]] = {
        "memory": FakeVerdictStore,
        "folder": lambda: VerdictFolder(tmp_path / "rollouts"),
    }
    return makers[request.param]()


def test_a_verdict_is_read_back_as_it_was_judged(store: VerdictStore) -> None:
    document = judged(300)

    assert store.add(document) == document.digest
    assert store.verdicts("credit_default", 1) == [document]


def test_the_newest_verdict_comes_first_and_the_newest_roll_out(store: VerdictStore) -> None:
    early, late, other = judged(100, days=1), judged(200, days=2), judged(100, number=10)
    for document in (late, early, other, judged(100, number=2)):
        store.add(document)

    assert store.rollouts("credit_default") == [10, 2, 1]
    assert store.verdicts("credit_default", 1) == [late, early]


def test_the_same_verdict_again_changes_nothing(store: VerdictStore) -> None:
    for _ in range(2):
        store.add(judged(100))

    assert len(store.verdicts("credit_default", 1)) == 1


def test_models_are_those_with_verdicts(store: VerdictStore) -> None:
    assert store.models() == []
    store.add(judged(100, model="toy"))

    assert store.models() == ["toy"]


@pytest.mark.parametrize(("model", "number"), [("nobody", 1), ("../elsewhere", 1), ("credit_default", 7), ("credit_default", -1)])
def test_of_what_is_not_there_there_is_nothing(store: VerdictStore, model: str, number: int) -> None:
    store.add(judged(100))

    assert store.verdicts(model, number) == []


def test_its_limits_are_those_that_were_signed() -> None:
    document = judged(100)

    assert document.limits.to_dict() == document.guardrails


def test_an_edited_verdict_is_refused(tmp_path: Path) -> None:
    folder = VerdictFolder(tmp_path)
    folder.add(judged(100))
    (path,) = tmp_path.rglob("*.json")
    path.write_text(path.read_text().replace("go on", "ask for promotion"))

    with pytest.raises(Integrity, match="was edited"):
        folder.verdicts("credit_default", 1)


def test_whatever_lies_there_is_found_and_what_is_no_verdict_as_written_is_told(tmp_path: Path) -> None:
    folder = VerdictFolder(tmp_path)
    late, early = judged(200, days=2), judged(100, days=1)
    for document in (early, late):
        folder.add(document)
    edited = next(path for path in tmp_path.rglob("*.json") if early.digest[:12] in path.name)
    edited.write_text(edited.read_text().replace("go on", "ask for promotion"))
    (edited.parent / "note.txt").write_text("not mine")
    found = {Path(place).name: document for place, document in folder.found("credit_default", 1)}

    assert found.pop("note.txt") is None
    assert [*found.values()] == [late, None]
    assert folder.found("credit_default", 7) == []


def test_what_is_kept_is_found(store: VerdictStore) -> None:
    document = judged(100)
    store.add(document)
    assert [found for _, found in store.found("credit_default", 1)] == [document]


def test_a_damaged_verdict_is_refused() -> None:
    with pytest.raises(Integrity):
        VerdictDocument.from_bytes(b'{"format": 1')


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "rollouts").write_text("a file stands in the way")

    with pytest.raises(Unavailable):
        VerdictFolder(tmp_path / "rollouts").add(judged(100))
