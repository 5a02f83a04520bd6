"""Log lines: one form, the id of the work, and nothing that an error says of itself."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from monitoring.telemetry.context import working
from monitoring.telemetry.logs import HANDLER, Form, log_to_standard_error

SECRET, ACCOUNT, VALUE = "s3cr3t-key", "A94731", 8_675_309

logger = logging.getLogger("steward.test")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The log of this process, which other tests share."""
    root, ours = logging.getLogger(), logging.getLogger("steward")
    levels = root.level, ours.level
    yield
    for handler in [each for each in root.handlers if each.get_name() == HANDLER]:
        root.removeHandler(handler)
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def told_to(out: io.StringIO, form: Form = "json", **given: Any) -> io.StringIO:
    log_to_standard_error("test", form, out=out, **given)
    return out


def test_a_line_has_one_form_and_the_id_of_the_work() -> None:
    out = told_to(io.StringIO(), trace=lambda: "0af7651916cd43dd8448eb211c80319c")
    with working("run_id", "r1"):
        logger.info("step %s ended", "search", extra={"step": "search", "seconds": 2.5, "not_a_field": SECRET})
    logger.warning("and out of it")
    first, second = lines(out)
    assert list(first)[:6] == ["at", "level", "service", "process", "logger", "message"]
    assert first | {"at": "", "process": 0} == {
        "at": "",
        "level": "info",
        "service": "test",
        "process": 0,
        "logger": "steward.test",
        "message": "step search ended",
        "run_id": "r1",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "step": "search",
        "seconds": 2.5,
    }
    assert "run_id" not in second


def test_work_within_work_is_its_own_and_ends() -> None:
    out = told_to(io.StringIO())
    with working("request_id", "outer"):
        with working("run_id", "inner"):
            logger.info("in")
        logger.info("out")
    inner, outer = lines(out)
    assert (inner["run_id"], outer["request_id"]) == ("inner", "outer")
    assert "request_id" not in inner


@pytest.mark.parametrize("form", ["json", "text"])
def test_of_an_error_kind_and_place_are_told_and_neither_secret_account_nor_audit_value(form: Form) -> None:
    out = told_to(io.StringIO(), form)
    try:
        int(f"{SECRET} {ACCOUNT} sex={VALUE}")
    except ValueError:
        logger.exception("it broke", extra={"account_id": ACCOUNT, "sex": VALUE})
    said = out.getvalue()
    assert "ValueError" in said
    assert "test_of_an_error_kind_and_place" in said
    assert [word for word in (SECRET, ACCOUNT, str(VALUE)) if word in said] == []


def test_a_line_break_in_a_message_makes_no_second_line() -> None:
    out = told_to(io.StringIO())
    logger.info('one\n{"level": "info", "message": "forged"}')
    assert len(lines(out)) == 1


def test_a_person_at_a_terminal_reads_text_and_of_a_command_only_what_is_wrong() -> None:
    out = told_to(Terminal(), "auto", quiet=True)
    with working("run_id", "01a21ba6-edcd"):
        logger.info("step ended")
        logger.warning("the registry is away")
    assert out.getvalue().count("\n") == 1
    assert out.getvalue().endswith("WARNING the registry is away  [01a21ba6]\n")


def test_elsewhere_than_on_a_terminal_everything_is_json() -> None:
    out = told_to(io.StringIO(), "auto", quiet=True)
    logger.info("step ended")
    assert lines(out)[0]["message"] == "step ended"


def test_setting_it_up_again_replaces_the_first() -> None:
    out = told_to(told_to(io.StringIO()))
    logger.info("once")
    assert len(lines(out)) == 1


def test_what_the_flow_engine_repeats_of_an_error_is_left_out() -> None:
    out = told_to(io.StringIO())
    (handler,) = (each for each in logging.getLogger().handlers if each.get_name() == HANDLER)
    # Handed over directly: where the engine is loaded, its own handlers want a run.
    for name, heard in (("prefect.flow_runs", False), ("sqlalchemy", True)):
        handler.handle(logging.LogRecord(name, logging.ERROR, "", 0, "Encountered an exception", None, None))
        assert bool(out.getvalue()) is heard
