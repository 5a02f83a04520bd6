"""What people are told who typed a command wrong, and who stopped reading."""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.__main__ import _parser, main
from pipelines.commands.doors import RENAMED, VARIABLES, Door

ROOT = Path(__file__).parents[4]
MAKEFILE = (ROOT / "Makefile").read_text()


def told(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "needs", "form"),
    [
        ("accept-definition", "VERSION, BY and REASON", 'make accept-definition VERSION=… BY=… REASON="…"'),
        ("accept-input", "MONTH, BY and REASON", 'make accept-input MONTH=… BY=… REASON="…"'),
        ("rollback", "BY and REASON", 'make rollback BY=… REASON="…"'),
        ("rebuild", "VERSION", "make rebuild VERSION=…"),
        ("decisions", "ACCOUNT", "make decisions ACCOUNT=…"),
        ("replay-decision", "ID", "make replay-decision ID=…"),
    ],
)
def test_what_is_missing_is_asked_for_as_make_takes_it(
    capsys: pytest.CaptureFixture[str], command: str, needs: str, form: str
) -> None:
    assert told(capsys, command) == f"{command} needs {needs}\n  -> {form}\n"


def verbs() -> dict[str, Door]:
    (subparsers,) = (action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(subparsers.choices)


def recipe(target: str) -> str:
    """What make runs for a target, with the variables that stand for others written out."""
    found = re.search(rf"^{target}: .*\n((?:\t.*\n)+)", MAKEFILE, re.M)
    assert found, f"make {target} is no target"
    text = found[1]
    for name in ("WHICH", "PERSON", "TRIED", "SIGNED_BY", "MODEL_ARGUMENT", "AS_OF_ARGUMENT"):
        definition = re.search(rf"^{name} *= (.*)$", MAKEFILE, re.M)
        assert definition
        text = text.replace(f"$({name})", definition[1])
    return text


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_whatever_a_command_cannot_do_without_make_hands_over_under_the_name_that_the_message_says(verb: str) -> None:
    for action in verbs()[verb]._actions:
        if action.required:
            option = action.option_strings[0]
            variable = option.removeprefix("--").replace("-", "_").upper()
            assert variable in VARIABLES
            name = RENAMED.get((verb, variable), variable)
            assert re.search(rf"{option} \"?\$\({name}\)", recipe(verb)), f"make {verb} does not hand over {name}"


def test_what_was_mistyped_is_named_as_it_was_typed(capsys: pytest.CaptureFixture[str]) -> None:
    signed = ("--by", "me", "--reason", "agreed with the source")
    assert told(capsys, "accept-input", "--month", "2005-13", *signed).startswith("MONTH: '2005-13' is not a month")
    assert told(capsys, "train", "--trials", "1").startswith("--trials: '1' is not a number of trials")


@pytest.mark.parametrize("empty", ["", "  "])
@pytest.mark.parametrize("verb", sorted(name for name, door in verbs().items() if "--by" in door._option_string_actions))
def test_nobody_acts_without_a_name_or_a_reason(capsys: pytest.CaptureFixture[str], verb: str, empty: str) -> None:
    needed = [action.option_strings[0] for action in verbs()[verb]._actions if action.required]
    assert "--by" in needed
    for silent in [option for option in ("--by", "--reason", "--comment", "--name") if option in needed]:
        given = {
            option: {"--version": "2", "--month": "2005-09", "--days": "30", "--share": ".1"}.get(option, "something")
            for option in needed
        }
        command = [part for option, value in (given | {silent: empty}).items() for part in (option, value)]
        assert "it is empty; write it out" in told(capsys, verb, *command)


def test_a_reader_who_goes_away_is_no_error_and_changes_no_exit_code(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        ended = subprocess.run(
            [sys.executable, "-u", "-m", "pipelines", "inventory"],
            cwd=ROOT,
            env=os.environ | {"STEWARD_HOME": str(tmp_path)},
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    finally:
        os.close(write)
    assert (ended.returncode, ended.stderr) == (0, "")
