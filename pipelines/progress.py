"""What a person at a terminal sees of a long run; nothing is written where nobody looks."""

import sys
from typing import TextIO


class Progress:
    """Lines, and one line that counts in place. Quiet unless `out` is a terminal."""

    def __init__(self, out: TextIO = sys.stderr) -> None:
        self._out = out
        self._shown = out.isatty()
        self._counting = 0

    def say(self, text: str) -> None:
        self._write(f"{text}\n")

    def count(self, what: str, done: int, total: int) -> None:
        line = f"{what} {done:,}/{total:,}"
        self._write(f"{line}\n" if done == total else line)
        self._counting = 0 if done == total else len(line)

    def _write(self, text: str) -> None:
        if self._shown:
            self._out.write(f"\r{' ' * self._counting}\r{text}" if self._counting else text)
            self._out.flush()
            self._counting = 0
