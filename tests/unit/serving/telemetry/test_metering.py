"""What the service counts of itself."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from models.clock import Month
from monitoring.adapters.exposition import Exposition
from monitoring.decisions import LoggedDecision
from monitoring.telemetry.families import Family, Histogram, gauge, joined
from serving.adapters.meter_files import MeterFiles
from serving.telemetry.metering import SCORES, Meter, Numbers, in_force
from tests.bundles import MODEL, NOW
from tests.unit.serving.answers.test_prediction import loaded


def decision(probability: float, action: str, **changes: str | tuple[str, ...]) -> LoggedDecision:
    return LoggedDecision("d", MODEL, 3, "b", "p1", Month(2005, 7), {}, probability, action, NOW, "r", **changes)  # type: ignore[arg-type]


def read(*families: Family) -> dict[str, dict[frozenset[tuple[str, str]], float]]:
    """What Prometheus understands: by name of the sample and labels."""
    found: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
    for family in text_string_to_metric_families(Exposition().text(families).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


@given(st.lists(st.floats(0, 2)))
def test_a_histogram_counts_every_value_at_or_below_the_first_end_that_holds_it(values: list[float]) -> None:
    histogram = Histogram(SCORES)
    for value in values:
        histogram.add(value)
    buckets = read(Family("steward_x", "histogram", "", {(): histogram}))["steward_x_bucket"]
    for end in SCORES:
        assert buckets[frozenset({("le", str(end))})] == sum(value <= end for value in values)
    assert buckets[frozenset({("le", "+Inf")})] == len(values)
    assert histogram.total == pytest.approx(sum(values))


def test_recorded_decisions_are_counted_by_action_and_by_what_stood_in_for_the_score() -> None:
    meter = Meter()
    meter.recorded([decision(0.1, "keep"), decision(0.12, "keep"), decision(0.5, "reduce", fallback="stopped")])
    meter.recorded([decision(0.5, "review", out_of_distribution=("bill_0",))])
    found = read(*meter.families())
    common = {("model", MODEL), ("version", "3")}
    assert found["steward_decisions_total"] == {
        frozenset({*common, ("action", "keep"), ("fallback", "false"), ("unfamiliar", "false")}): 2,
        frozenset({*common, ("action", "reduce"), ("fallback", "true"), ("unfamiliar", "false")}): 1,
        frozenset({*common, ("action", "review"), ("fallback", "false"), ("unfamiliar", "true")}): 1,
    }
    assert found["steward_score_count"] == {frozenset({("model", MODEL)}): 4}


def test_a_request_is_in_flight_until_it_is_answered_and_counts_with_its_status() -> None:
    meter = Meter()
    meter.began()
    meter.began()
    meter.ended(0.003)
    meter.responded(200)
    found = read(*meter.families())
    assert found["steward_in_flight"] == {frozenset(): 1}
    assert found["steward_responses_total"] == {frozenset({("status", s)}): n for s, n in (("200", 1), ("500", 0), ("503", 0))}
    assert found["steward_stage_seconds_sum"][frozenset({("stage", "whole")})] == 0.003


def test_what_answers_is_named_with_its_age_and_the_end_of_its_approval() -> None:
    [model] = loaded(0.1)
    found = read(*in_force([model]))
    named = frozenset({("model", MODEL)})
    assert found["steward_model"] == {named | {("version", "1"), ("bundle", model.pointer.bundle)}: 1}
    assert found["steward_model_published_seconds"] == {named: NOW.timestamp()}
    assert found["steward_model_stale"] == {named: 0}
    assert read(*in_force([model], {MODEL}))["steward_model_stale"] == {named: 1}
    assert found["steward_model_approval_ends_seconds"][named] >= (NOW + timedelta(days=1)).timestamp()


def test_a_service_that_counted_nothing_yet_says_what_it_takes_itself() -> None:
    found = read(*Meter().families())
    assert found["process_cpu_seconds_total"][frozenset()] > 0
    assert "steward_decisions_total" not in found


def test_what_workers_count_adds_up_and_what_each_sees_does_not() -> None:
    one, other = Meter(), Meter()
    one.recorded([decision(0.1, "keep"), decision(0.5, "reduce")])
    other.recorded([decision(0.12, "keep")])
    other.began()
    ready = gauge("ready", "", 1)
    found = read(*joined([*one.families(), ready], [[*other.families(), ready]]))
    assert sum(found["steward_decisions_total"].values()) == 3
    assert found["steward_score_count"] == {frozenset({("model", MODEL)}): 3}
    assert (found["steward_in_flight"], found["steward_ready"]) == ({frozenset(): 1}, {frozenset(): 1})


def test_whichever_worker_is_asked_tells_for_all_of_them_and_for_those_that_are_gone(tmp_path: Path) -> None:
    context = get_context("fork")

    def counted(times: int) -> None:
        meter = Meter()
        meter.recorded([decision(0.1, "keep")] * times)
        MeterFiles(tmp_path).keep(Numbers(meter.families()))

    for times in (2, 3):  # two workers that have ended since
        worker = context.Process(target=counted, args=(times,))
        worker.start()
        worker.join()
    own = Meter()
    own.recorded([decision(0.2, "keep")])
    found = read(*MeterFiles(tmp_path).together(Numbers(own.families())))
    assert sum(found["steward_decisions_total"].values()) == 6
    assert found["steward_score_count"] == {frozenset({("model", MODEL)}): 6}
    again = read(*MeterFiles(tmp_path).together(Numbers(own.families())))
    assert again["steward_decisions_total"] == found["steward_decisions_total"]


def test_what_a_worker_has_in_hand_counts_as_long_as_it_lives_and_what_it_counted_for_ever(tmp_path: Path) -> None:
    context = get_context("fork")
    left, ending = context.Event(), context.Event()

    def work() -> None:
        meter = Meter()
        meter.recorded([decision(0.1, "keep")])
        meter.began()
        MeterFiles(tmp_path).keep(Numbers(meter.families()))
        left.set()
        ending.wait(60)

    def told() -> tuple[float, float]:
        found = read(*MeterFiles(tmp_path).together(Numbers(Meter().families())))
        return found["steward_in_flight"][frozenset()], sum(found["steward_decisions_total"].values())

    worker = context.Process(target=work)
    worker.start()
    assert left.wait(60)
    assert told() == (1, 1)
    ending.set()
    worker.join()
    assert told() == (0, 1)


def test_a_folder_that_is_gone_costs_the_numbers_of_the_others_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = Meter()
    own.recorded([decision(0.2, "keep")])
    found = read(*MeterFiles(tmp_path / "gone").together(Numbers(own.families())))
    assert sum(found["steward_decisions_total"].values()) == 1
    assert "cannot be left to the others" in caplog.text


def counted(times: int) -> Numbers:
    meter = Meter()
    meter.recorded([decision(0.1, "keep")] * times)
    return Numbers(meter.families())


def told_by_another(folder: Path) -> float:
    """Decisions, by a worker that finds what this process left as the file of another one."""
    (folder / f"{os.getpid()}.json").replace(folder / "1.json")
    return sum(read(*MeterFiles(folder).together(Numbers()))["steward_decisions_total"].values())


def test_scrapes_and_looks_at_the_same_time_leave_whole_numbers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files, own = MeterFiles(tmp_path), counted(3)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda number: files.keep(own) if number % 2 else files.together(own), range(400)))
    assert caplog.text == ""
    assert {len(families) for families in told if families} == {len(own)}
    assert [path.name for path in tmp_path.iterdir()] == [f"{os.getpid()}.json"]
    assert told_by_another(tmp_path) == 3


def test_a_thread_that_comes_late_puts_no_older_numbers_over_newer_ones(tmp_path: Path) -> None:
    files, older, newer = MeterFiles(tmp_path), counted(1), counted(2)
    files.keep(newer)
    files.keep(older)
    assert told_by_another(tmp_path) == 2


def test_numbers_are_those_of_their_moment_whatever_is_counted_later() -> None:
    meter = Meter()
    meter.recorded([decision(0.1, "keep")])
    gathered = Numbers(meter.families())
    meter.recorded([decision(0.1, "keep")])
    assert read(*gathered)["steward_score_count"] == {frozenset({("model", MODEL)}): 1}


def test_what_another_worker_left_counts_as_it_was_read_last_while_it_cannot_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = MeterFiles(tmp_path)
    files.keep(counted(2))
    other = (tmp_path / f"{os.getpid()}.json").replace(tmp_path / "1.json")
    for text in (other.read_text(), "", '[["half'):
        other.write_text(text)
        assert sum(read(*files.together(counted(1)))["steward_decisions_total"].values()) == 3
    assert "cannot be read" in caplog.text
