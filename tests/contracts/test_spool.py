"""What every spool promises: the one in memory and the one in files."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from models.errors import Conflict, Unavailable
from monitoring.chain import DECISION
from monitoring.decisions import Answered, Entry
from serving.adapters.spool_files import FileSpool
from serving.durability.spool import Spool
from serving.durability.spool_records import read, spelled
from tests.contracts.test_decision_log import decision
from tests.fakes.spool import InMemorySpool
from tests.rings import log_keys


def entry(*identities: str, key: str = "") -> Entry:
    answered = Answered(key, "digest", f'told {key} \xe9 "x"\n'.encode()) if key else None
    return Entry([decision(each) for each in identities], answered)


@pytest.fixture(params=["memory", "files", "small files"])
def spool(request: pytest.FixtureRequest, tmp_path: Path) -> Spool:
    if request.param == "memory":
        return InMemorySpool()
    return FileSpool(tmp_path / "spool", log_keys, 2**20, segment=2**20 if request.param == "files" else 1_000)


def drained(spool: Spool, most: int = 1_000, into: list[str] | None = None) -> list[str]:
    """The ids of everything that waits, in the order in which it leaves; `into` has them also if it ends with an error."""
    found = [] if into is None else into
    while batch := spool.oldest(most):
        found += [each.decision_id for entry in batch.entries for each in entry.decisions]
        spool.drop(batch)
    return found


def test_what_is_put_in_comes_out_whole_and_in_order(spool: Spool) -> None:
    groups = [[entry("d1", "d2", key="m:a"), entry("d3")], [entry("d4", key="m:b")], [entry("d5")]]
    for group in groups:
        spool.put(group)
    found: list[Entry] = []
    while batch := spool.oldest(1):
        found += batch.entries
        spool.drop(batch)
    assert found == [each for group in groups for each in group]


def test_the_arm_of_a_rollout_waits_with_its_decision(spool: Spool) -> None:
    group = [Entry([replace(decision("d1"), arm="canary", rollout=3), decision("d2")])]
    spool.put(group)
    batch = spool.oldest(10)
    assert batch
    assert batch.entries == group


def test_a_decision_outside_of_any_rollout_waits_as_a_former_release_writes_and_reads_it() -> None:
    (rows, _), *_ = json.loads(spelled([Entry([decision("d1")])]))
    assert len(rows[0]) == DECISION.index("arm")
    assert read(spelled([Entry([decision("d1")])])) == [Entry([decision("d1")])]


def test_what_was_not_dropped_comes_again(spool: Spool) -> None:
    spool.put([entry("d1")])
    assert spool.oldest(10) == spool.oldest(10)
    assert drained(spool) == ["d1"]
    assert spool.oldest(10) is None


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_draining_and_filling_alternate_without_loss(spool: Spool, most: int) -> None:
    put, found = [], []
    for number in range(40):
        put.append(f"d{number}")
        spool.put([entry(f"d{number}")])
        if number % 3 == 0 and (batch := spool.oldest(most)):
            found += [each.decision_id for entry in batch.entries for each in entry.decisions]
            spool.drop(batch)
    assert found + drained(spool, most) == put


def test_an_answer_is_found_as_long_as_it_waits(spool: Spool) -> None:
    first, second = entry("d1", key="m:a"), entry("d2", key="m:b")
    spool.put([first])
    spool.put([second])
    assert spool.answered("m:a") == first.answered
    assert spool.answered("m:c") is None
    batch = spool.oldest(1)
    assert batch is not None
    spool.drop(batch)
    assert spool.answered("m:a") is None
    assert spool.answered("m:b") == second.answered


def test_a_key_that_waits_is_refused_with_all_that_came_with_it(spool: Spool) -> None:
    spool.put([entry("d1", key="m:a")])
    with pytest.raises(Conflict, match="'m:a' was used before"):
        spool.put([entry("d2"), entry("d3", key="m:a")])
    with pytest.raises(Conflict):
        spool.put([entry("d4", key="m:b"), entry("d5", key="m:b")])
    assert drained(spool) == ["d1"]


def test_a_full_spool_refuses_says_so_and_takes_again_once_it_was_drained(spool: Spool) -> None:
    put: list[str] = []

    def fill() -> None:
        while len(put) < 10_000:
            spool.put([entry(f"d{len(put)}")])
            put.append(f"d{len(put)}")

    with pytest.raises(Unavailable, match=r"the spool is full: [\d,]+ decisions wait") as caught:
        fill()
    assert "database" in caught.value.hint
    assert drained(spool) == put
    spool.put([entry("later")])
    assert drained(spool) == ["later"]


def test_the_depth_is_what_waits_and_since_when(spool: Spool) -> None:
    assert str(spool.depth()) == "nothing waits in the spool"
    early, late = decision("d1"), decision("d2", recorded_at=decision().recorded_at + timedelta(hours=1))
    spool.put([Entry([early])])
    spool.put([Entry([late]), Entry([decision("d3")])])
    depth = spool.depth()
    assert (depth.groups, depth.decisions, depth.oldest) == (2, 3, early.recorded_at)
    batch = spool.oldest(1)
    assert batch is not None
    spool.drop(batch)
    depth = spool.depth()
    assert (depth.groups, depth.decisions, depth.oldest) == (1, 2, late.recorded_at)
    drained(spool)
    depth = spool.depth()
    assert (depth.groups, depth.decisions, depth.size, depth.oldest) == (0, 0, 0, None)


def test_a_key_that_is_used_again_after_it_was_drained_is_found_until_that_is_drained(spool: Spool) -> None:
    spool.put([entry("d1", key="m:a")])
    spool.put([entry("d2")])
    first = spool.oldest(1)
    assert first is not None
    spool.drop(first)
    later = [entry(f"e{number}", key="m:a" if number == 5 else "") for number in range(6)]
    for each in later:
        spool.put([each])
    while (batch := spool.oldest(1)) and batch.entries[0] != later[4]:
        spool.drop(batch)
    assert spool.answered("m:a") == later[5].answered


def test_any_text_may_be_a_key(spool: Spool) -> None:
    odd = 'm:"x\\ \u00e9 \u2603 \n'
    spool.put([entry("d1"), entry("d2", key=odd)])
    assert spool.answered(odd) == entry(key=odd).answered
