"""What flows and steps tell of themselves."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from models.errors import Held, Unavailable
from monitoring.telemetry.context import cause
from monitoring.telemetry.tracing import Note
from pipelines.observing import run_of, step_of


class Spans:
    """Names with how deep they lie."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, str]] = []
        self._depth = 0

    @contextmanager
    def __call__(self, name: str, parent: str) -> Iterator[Note]:
        self.begun.append((self._depth, name))
        self._depth += 1
        try:
            yield lambda facts: None
        finally:
            self._depth -= 1


def test_the_steps_of_a_run_lie_in_its_span_and_carry_its_id(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "steward.flows")
    spans = Spans()
    step = step_of("search", cause, lambda: spans)
    run = run_of("train", lambda: step(), lambda: spans, lambda: "r1")
    assert run() == "r1"
    assert cause() == ""
    assert spans.begun == [(0, "flow train"), (1, "step search")]
    assert [record.getMessage() for record in caplog.records] == ["step search: done", "flow train: done"]
    assert all(record.__dict__["seconds"] >= 0 for record in caplog.records)


@pytest.mark.parametrize(
    ("error", "level"), [(Held("a person"), "INFO"), (Unavailable("away"), "WARNING"), (ValueError("A94731"), "ERROR")]
)
def test_an_end_that_is_no_good_one_is_told_by_its_kind_and_goes_on(
    caplog: pytest.LogCaptureFixture, error: Exception, level: str
) -> None:
    caplog.set_level(logging.INFO, "steward.flows")

    def breaks() -> None:
        raise error

    with pytest.raises(type(error)):
        step_of("search", breaks, Spans)()
    (record,) = caplog.records
    assert (record.levelname, record.getMessage()) == (level, f"step search: {type(error).__name__}")
