"""A batch is decided as requests are, each row once, whatever kills it on the way."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import pyarrow as pa
import pytest

from models.channel import release
from models.errors import Conflict, InputRefused, Integrity, NoChampion, NotApproved, NotFound
from models.governance.ledger import Event
from models.governance.stop import Stopped
from monitoring.adapters.sql_decisions import SqlDecisionLog
from monitoring.decisions import LoggedDecision
from serving.answers.loaded import LoadedModel
from tests.batches import PART_ROWS, Batches, accounts, written
from tests.bundles import MODEL, NOW, fake_bundle, real_bundle, record
from tests.fakes.decisions import InMemoryDecisionLog
from tests.rings import ACCOUNTS, log_keys

pytestmark = pytest.mark.integration

COUNT = 45  # in two files: parts of 10, 10, 5 and 10, 10


@pytest.fixture
def batches(tmp_path: Path) -> Batches:
    made = Batches(tmp_path)
    made.promote()
    written(made.source / "one.parquet", accounts(25))
    written(made.source / "two.parquet", accounts(20, first=25))
    return made


def logged(made: Batches) -> dict[str, LoggedDecision]:
    assert isinstance(made.log, InMemoryDecisionLog)
    return made.log.decisions


def test_every_row_is_decided_as_the_service_would(tmp_path: Path) -> None:
    from models.adapters.onnx_runtime import OnnxScorer

    made = Batches(tmp_path, make_scorer=OnnxScorer)
    made.promote(real_bundle(0.2))
    sent = accounts(24)
    written(made.source / "rows.parquet", sent)

    made.run()

    model = LoadedModel.load(release(made.channel, made.office.trust, MODEL, now=NOW), OnnxScorer, 1_000)
    judged = model.judged(sent)
    assert "reduce" in {each.action for each in judged} != {"reduce"}
    for each, answer, row in zip(judged, made.answers(), sent, strict=True):
        kept = made.log.find(answer["decision_id"])
        assert answer["account_id"] == row["account_id"]
        assert (answer["action"], answer["probability"]) == (each.action, each.probability) == (kept.action, kept.probability)
        assert (answer["interval_low"], answer["interval_high"]) == each.interval
        assert kept.reasons == each.why.reasons
        assert json.loads(answer["reasons"] or "[]") == [reason.to_dict() for reason in each.why.reasons]
        assert (kept.no_notice, answer["no_notice"]) == (each.why.no_notice, each.why.no_notice)
        assert kept.inputs == {name: row[name] for name in model.contract.inputs}
        assert kept.account_id == ACCOUNTS.pseudonym(row["account_id"])
        assert (kept.bundle, kept.version, str(kept.month)) == (model.pointer.bundle, 1, row["snapshot_month"])


def test_a_second_call_finds_everything_done(batches: Batches) -> None:
    first, again = batches.run(), batches.run()

    assert (first.now, again.now) == (5, 0)
    assert first.counts == again.counts
    assert len(logged(batches)) == COUNT


def test_a_label_scores_the_same_input_once_more(batches: Batches) -> None:
    batches.run()
    with pytest.raises(Conflict, match="answers of another run"):
        batches.run(label="again")


def test_what_breaks_the_contract_is_refused_with_its_reason_and_the_rest_decided(batches: Batches) -> None:
    schema = pa.Table.from_pylist(accounts(1)).schema
    bad = [
        record(account_id="B1", status_0=12),
        record(account_id="B2", credit_limit=float("nan")),
        record(account_id="B3", snapshot_month="2005-13"),
        record(account_id="not an account", bill_0=0.0),
        record(account_id="B5", payment_0=None),
        record(account_id="B6", snapshot_month="2005-09"),
    ]
    written(batches.source / "three.parquet", [*bad, *accounts(1, first=99)], schema)

    found = batches.run()

    assert found.refused == len(bad)
    said = [row["refused"] for row in batches.refused()]
    assert said[0] == "status_0: 12 is refused: one of -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert said[1].startswith("credit_limit: nan is refused: number from 1 to")
    assert said[2].startswith("snapshot_month: 2005-13 is refused")
    assert said[3].startswith("account_id: text matching")
    assert "not an account" not in said[3]
    assert said[4].startswith("payment_0: None is refused")
    assert said[5] == "snapshot_month: 2005-09 is refused: a month up to 2005-08"
    assert json.loads(batches.refused()[0]["record"])["account_id"] == "B1"
    assert len(logged(batches)) == COUNT + 1
    assert (batches.home / "quarantine").stat().st_mode & 0o077 == 0


def test_an_account_that_stands_twice_is_not_decided(batches: Batches) -> None:
    written(batches.source / "three.parquet", [record(account_id="A3"), record(account_id="A3", snapshot_month="2005-06")])

    found = batches.run()

    assert found.refused == 2
    assert {json.loads(row["record"])["account_id"] for row in batches.refused()} == {"A3"}
    assert {str(each.month) for each in logged(batches).values() if each.account_id == ACCOUNTS.pseudonym("A3")} == {"2005-06"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sex": 1}, "sex: prohibited: this column may not reach a model"),
        ({"nonsense": 1}, "nonsense: not one of account_id"),
        ({"status_0": 0.0}, "status_0: another type"),
        ({"bill_0": "28"}, "bill_0: another type"),
    ],
)
def test_a_file_with_other_columns_is_refused_whole(batches: Batches, change: dict[str, Any], said: str) -> None:
    written(batches.source / "three.parquet", [record(account_id="B1") | change])

    with pytest.raises(InputRefused, match=said):
        batches.run()
    assert not logged(batches)


def test_a_missing_column_is_named(batches: Batches) -> None:
    short = record(account_id="B1")
    del short["bill_1"]
    written(batches.source / "three.parquet", [short])

    with pytest.raises(InputRefused, match=r"three.parquet, bill_1: missing; number from"):
        batches.run()


@pytest.mark.parametrize(("kind", "taken"), [(pa.int64(), True), (pa.float32(), False)])
def test_whole_amounts_are_taken_and_narrow_ones_are_not(batches: Batches, kind: pa.DataType, taken: bool) -> None:
    schema = pa.Table.from_pylist(accounts(1)).schema
    fields = [field.with_type(kind) if field.name == "bill_0" else field for field in schema]
    rows = [row | {"bill_0": int(row["bill_0"])} for row in accounts(1, first=90)]
    written(batches.source / "three.parquet", rows, pa.schema(fields))
    if taken:
        assert batches.run().refused == 0
        return
    with pytest.raises(InputRefused, match="bill_0: another type"):
        batches.run()


def test_nothing_at_the_path_is_said(tmp_path: Path) -> None:
    made = Batches(tmp_path)
    made.promote()

    with pytest.raises(NotFound, match="no Parquet file"):
        made.run()


def test_no_champion_an_ended_approval_and_a_stop_refuse_as_they_do_in_the_service(batches: Batches) -> None:
    empty = Batches(batches.home, channel=type(batches.channel)())
    with pytest.raises(NoChampion):
        empty.run()

    batches.stop(1)
    with pytest.raises(Stopped, match="a jump in scores"):
        batches.run()
    batches.stop(2, stopped=False)
    batches.clock.set(NOW + timedelta(days=4_000))
    with pytest.raises(NotApproved, match="expired"):
        batches.run()
    assert not logged(batches)


def test_a_stop_or_a_pointer_that_the_ledger_knows_may_not_be_missing(batches: Batches) -> None:
    facts = {"sequence": 1, "reason": "a jump", "fallback": "", "published_at": NOW.isoformat()}
    batches.ledger.append(Event.STOPPED, model=MODEL, actor="on-call", at=NOW, facts=facts)

    with pytest.raises(Integrity, match="stops of credit_default were taken away"):
        batches.run()


def test_a_fallback_decides_marked_as_such(batches: Batches) -> None:
    first = release(batches.channel, batches.office.trust, MODEL, now=NOW).bundle
    batches.promote(fake_bundle(0.2), version=2)
    batches.stop(1, fallback=first.digest)

    batches.run()

    assert {(each.bundle, each.fallback) for each in logged(batches).values()} == {(first.digest, "a jump in scores")}


class Interrupted(Exception):
    """A kill, as far as one process can play it."""


class Meddling:
    """A port that lets something happen before or after the n-th of its calls that change anything."""

    def __init__(self, port: Any, names: tuple[str, ...], act: Callable[[], None]) -> None:
        self._port, self._names, self._act = port, names, act

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name not in self._names:
            return found

        def called(*args: Any, **kwargs: Any) -> Any:
            self._act()
            result = found(*args, **kwargs)
            self._act()
            return result

        return called


class Countdown:
    def __init__(self, moment: int) -> None:
        self.left = moment

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Interrupted


@pytest.mark.parametrize("part_rows", [PART_ROWS, 4, 17])
def test_a_run_that_ends_at_any_moment_goes_on_to_the_same_end_also_with_other_parts(
    batches: Batches, tmp_path: Path, part_rows: int
) -> None:
    batches.run()
    whole, answers = dict(logged(batches)), batches.answers()
    moment = 0
    while True:
        moment += 1
        made = replace(batches, home=tmp_path / f"{moment}", log=InMemoryDecisionLog())
        made.home.mkdir()
        (made.home / "in").symlink_to(batches.source)
        countdown = Countdown(moment)
        desk = made.desk
        meddled = replace(
            desk,
            log=Meddling(desk.log, ("append_all",), countdown),
            runs=Meddling(desk.runs, ("hand_out", "finish", "drop", "stage"), countdown),
        )
        try:
            made.run(meddled)
        except Interrupted:
            made.run(part_rows=part_rows)
        assert logged(made) == whole, f"interrupted at moment {moment}"
        assert made.answers() == answers
        if countdown.left > 0:
            break
    assert moment > 30


def test_what_the_champion_of_before_had_staged_is_decided_by_the_new_one(batches: Batches) -> None:
    """Nobody had seen it, and it was not recorded."""
    desk = batches.desk
    with pytest.raises(Interrupted):
        batches.run(replace(desk, log=Meddling(desk.log, ("append_all",), Countdown(5))))
    before = {each.bundle for each in logged(batches).values()}
    second = batches.promote(fake_bundle(0.2), version=2)

    found = batches.run()

    assert {each.bundle for each in logged(batches).values()} == before | {second.digest}
    assert len(logged(batches)) == COUNT
    assert found.versions == {1: 2, 2: 3}
    assert {row["decision_id"]: row["bundle"] for row in batches.answers()} == {
        each.decision_id: each.bundle for each in logged(batches).values()
    }


def test_a_promotion_between_two_parts_counts_from_the_next_part_on(batches: Batches) -> None:
    desk = batches.desk
    promoted: list[str] = []

    def promote_once() -> None:
        if not promoted and logged(batches):
            promoted.append(batches.promote(fake_bundle(0.2), version=2).digest)

    batches.run(replace(desk, log=Meddling(desk.log, ("append_all",), promote_once)))

    assert len(logged(batches)) == COUNT
    assert {row["version"] for row in batches.answers()} == {1, 2}


def test_a_stop_between_two_parts_ends_the_run_until_it_is_lifted(batches: Batches) -> None:
    desk = batches.desk
    stopped: list[int] = []

    def stop_once() -> None:
        if not stopped and logged(batches):
            stopped.append(1)
            batches.stop(1)

    with pytest.raises(Stopped):
        batches.run(replace(desk, log=Meddling(desk.log, ("append_all",), stop_once)))
    assert len(logged(batches)) <= PART_ROWS
    batches.stop(2, stopped=False)
    batches.run()

    assert len(logged(batches)) == COUNT


def test_two_processes_do_not_work_on_one_run(batches: Batches) -> None:
    desk = batches.desk
    with desk.runs.claimed(batches.plan()), pytest.raises(Conflict, match="another process"):
        batches.run()


@pytest.mark.parametrize("moment", [1, 2, 7])
def test_kill_9_around_a_commit_of_the_real_log_decides_no_row_twice(batches: Batches, tmp_path: Path, moment: int) -> None:
    """The log is SQLite here; the process dies just before or just after a commit, and again in the next run."""
    url = f"sqlite:///{tmp_path / 'decisions.db'}"
    script = tmp_path / "scoring.py"
    script.write_text(
        dedent(f"""
        import pickle, sys
        from dataclasses import replace
        from pathlib import Path
        from monitoring.adapters.sql_decisions import SqlDecisionLog
        from tests.batches import Batches, Deadly
        from tests.integration.test_batch_scoring import Meddling
        from tests.rings import log_keys

        die = Deadly({moment})
        log = SqlDecisionLog({url!r}, log_keys)
        made = Batches(Path({str(batches.home)!r}), log=log)
        made.promote()
        desk = made.desk
        made.run(replace(desk, log=Meddling(desk.log, ("append_all",), die)))
        """)
    )
    environment = dict(os.environ, PYTHONPATH=str(Path(__file__).parents[2]))
    ended = subprocess.run([sys.executable, script], env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL

    log = SqlDecisionLog(url, log_keys)
    made = replace(batches, log=log)
    made.run()
    undisturbed = replace(batches, home=tmp_path / "other", log=InMemoryDecisionLog())
    undisturbed.home.mkdir()
    (undisturbed.home / "in").symlink_to(batches.source)
    undisturbed.run()

    ids = [link["decision_id"] for link in log.links()]
    assert len(ids) == len(set(ids)) == COUNT
    for decision_id, expected in logged(undisturbed).items():
        assert replace(log.find(decision_id), bundle="") == replace(expected, bundle="")
    assert [row["action"] for row in made.answers()] == [row["action"] for row in undisturbed.answers()]
    log.close()
