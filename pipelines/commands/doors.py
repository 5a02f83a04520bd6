"""How commands are typed. People come through make, so what they mistype is named as make names it."""

import argparse
import os
import re
from typing import NoReturn, TextIO

VARIABLES = (
    "ACCEPT",
    "ACTIONS",
    "AGAINST",
    "ALERT",
    "AS_OF",
    "BUNDLE",
    "BY",
    "CHALLENGER",
    "COLUMN",
    "COMMENT",
    "CONDITIONS",
    "DAYS",
    "DOCUMENT",
    "FALLBACK",
    "FROM",
    "ID",
    "INPUT",
    "KEY",
    "MODEL",
    "MODELS",
    "MONTH",
    "NAME",
    "OUTPUT",
    "PROCESSES",
    "REASON",
    "REBUILD",
    "REVIEWERS",
    "ROLES",
    "ROWS",
    "SCENARIO",
    "SEED",
    "SHARE",
    "TO",
    "VERSION",
)
"""What make hands over as an option of the same name; other options go through ARGS."""
RENAMED = {("decisions", "ID"): "ACCOUNT"}
_SENTENCES = ("ACCEPT", "COMMENT", "CONDITIONS", "REASON")
_REQUIRED = "the following arguments are required: "
_ARGUMENT = re.compile(r"^argument (?:-\w/)?(--[a-z-]+)(?:/-\w)?: ")


class Door(argparse.ArgumentParser):
    """A parser whose complaints can be typed again: exit code 2, one sentence, and the make form."""

    def error(self, message: str) -> NoReturn:
        verb = self.prog.rpartition(" ")[2]
        if message.startswith(_REQUIRED):
            options = message.removeprefix(_REQUIRED).split(", ")
            *first, last = (_name(verb, option) for option in options)
            said = f"{verb} needs {', '.join(first) + ' and ' if first else ''}{last}"
        else:
            said = _ARGUMENT.sub(lambda found: f"{_name(verb, found[1])}: ", message)
        needed = [option for action in self._actions if action.required for option in action.option_strings[:1]]
        form = " ".join([f"make {verb}", *(_filled(_name(verb, option)) for option in needed)])
        self.exit(2, f"{said}\n" + (f"  -> {form}\n" if needed else f"  -> see {self.prog} --help\n"))


def written(text: str) -> str:
    """A name or a sentence that says something."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; write it out")
    return text.strip()


def _name(verb: str, option: str) -> str:
    variable = option.removeprefix("--").replace("-", "_").upper()
    return RENAMED.get((verb, variable), variable) if variable in VARIABLES else option


def _filled(name: str) -> str:
    return f'{name}="…"' if name in _SENTENCES else f"{name}=…" if name.isupper() else f'ARGS="{name} …"'


class Listener:
    """Standard output whose reader may go away (`make versions | head -1`).

    The command goes on to its own end and its own exit code; what it would still say goes nowhere.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._leave()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._leave()

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def _leave(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
