"""The stored files of a pack, and the figures that are read from them: no number comes from anywhere else."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import cached_property
from math import isfinite
from typing import Any

from models.bundle import sha256
from models.errors import Integrity

NO_GATE = "none: reported only"
ASSESSMENT = "assessment.json"
REFUSED = "nothing is sealed"
Scalar = float | int | str | bool


class Verdict(StrEnum):
    """`BINDING`: had it failed, there would be no pack. `REPORTED`: nothing depends on it here."""

    PASSED = "passed"
    FAILED = "failed"
    INSUFFICIENT = "insufficient"
    BINDING = "binding"
    REPORTED = "reported"


class Unit(StrEnum):
    """How a value is written."""

    COUNT = "count"  # also the length of a list or of an object
    POINTS = "points"
    FINE = "fine"
    SHARE = "share"
    PLAIN = "plain"
    TEXT = "text"
    DIGEST = "digest"
    PASSED = "passed"
    INSTANT = "instant"
    KEY = "key"  # the name at the end of the pointer


@dataclass(frozen=True)
class Gate:
    """What a figure can fail, and whether it did."""

    name: str
    limit: str
    verdict: Verdict


FREE = Gate(NO_GATE, "", Verdict.REPORTED)


@dataclass(frozen=True)
class Figure:
    """A value, where it stands (a JSON pointer into a file of the pack, RFC 6901, and that file's digest) and its gate."""

    name: str
    value: Scalar
    unit: Unit
    file: str
    pointer: str
    digest: str
    gate: Gate = FREE
    low: float | None = None
    high: float | None = None

    @property
    def words(self) -> str:
        """As it stands on the page."""
        return written(self.value, self.unit)

    @property
    def interval(self) -> str:
        """ "" if it has none."""
        if self.low is None or self.high is None:
            return ""
        return f"{written(self.low, self.unit)} to {written(self.high, self.unit)}"

    @property
    def is_number(self) -> bool:
        return isinstance(self.value, int | float) and not isinstance(self.value, bool)

    @property
    def number(self) -> float:
        """Raises `Integrity` for what is none."""
        if not self.is_number:
            raise missing(f"{self.file} has no number at {self.pointer}")
        return float(self.value)

    def to_dict(self) -> dict[str, Any]:
        plain = asdict(self)
        source = {"file": plain.pop("file"), "pointer": plain.pop("pointer"), "digest": plain.pop("digest")}
        gate = plain.pop("gate")
        return plain | {"source": source, "gate": gate["name"], "limit": gate["limit"], "verdict": gate["verdict"]}


def written(value: Scalar, unit: Unit) -> str:
    """A value in words; the unit decides on digits and signs."""
    if isinstance(value, str):
        return {Unit.DIGEST: value[:12], Unit.INSTANT: value[:16].replace("T", " ")}.get(unit, value)
    if unit is Unit.PASSED:
        return "passed" if value else "failed"
    form = {Unit.POINTS: ".3f", Unit.FINE: ".4f", Unit.SHARE: ".1%", Unit.COUNT: ",.0f"}.get(unit, ".6g")
    return format(value, form)


class Artefacts:
    """Files by name. What is asked for and is not there fails the build: nothing on a page is left out silently."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self._parsed: dict[str, Any] = {}

    def has(self, file: str) -> bool:
        return file in self.files

    def at(self, file: str, pointer: str = "") -> Any:
        """The JSON value at a pointer. Raises `Integrity` if file or value is missing."""
        found = self._document(file)
        for token in map(_unescaped, pointer.split("/")[1:]):
            try:
                found = found[int(token)] if isinstance(found, list) else found[token]
            except (KeyError, IndexError, ValueError, TypeError) as error:
                raise missing(f"{file} has nothing at {pointer}") from error
        return found

    def names(self, file: str, pointer: str = "") -> list[str]:
        """Pointers of what stands one level below, in order."""
        found = self.at(file, pointer)
        if not isinstance(found, dict | list):
            raise missing(f"{file} has no list at {pointer}")
        tokens = found if isinstance(found, dict) else map(str, range(len(found)))
        return [f"{pointer}/{_escaped(token)}" for token in tokens]

    def figure(self, file: str, pointer: str, unit: Unit, gate: Gate = FREE) -> Figure:
        """Raises `Integrity` for a value that is missing or undefined."""
        found, low, high = self.at(file, pointer), None, None
        if unit is Unit.KEY:
            found = _unescaped(pointer.rsplit("/", 1)[-1])
        elif isinstance(found, dict) and "value" in found:
            found, low, high = found["value"], found.get("low"), found.get("high")
        elif isinstance(found, dict | list) and unit is Unit.COUNT:
            found = len(found)
        defined = isfinite(found) if isinstance(found, float) else found != "" and isinstance(found, str | int)
        if not defined:
            raise missing(f"{file} has no value at {pointer}")
        name = f"{file.removesuffix('.json')}{pointer}".replace("/", ".")
        return Figure(name, found, unit, file, pointer, self.digests[file], gate, low, high)

    def given(self, file: str, pointer: str, unit: Unit) -> Figure | str:
        """The figure, or "" where the artefact says that it is undefined (null) or has nothing to say."""
        found = self.at(file, pointer)
        undefined = found in (None, "") or (isinstance(found, dict) and found.get("value", 0) is None)
        return "" if undefined else self.figure(file, pointer, unit)

    def check(self, name: str) -> Gate:
        """A check of the gate that judged this version. Raises `Integrity` if it was not made."""
        for made in self.at(ASSESSMENT, "/gate/checks"):
            if made["name"] == name:
                return Gate(name, made["limit"], Verdict.PASSED if made["passed"] else Verdict.FAILED)
        raise missing(f"the gate made no check {name!r}")

    def judged(self, file: str, pointer: str, unit: Unit, name: str) -> Figure:
        """A number under the check that judged it: one of its ends is the very number that the check read.

        Where the gate read another one, of fewer rows for instance, or did not make this check yet when the version was
        trained, this number can fail nothing and is reported only.
        """
        figure = self.figure(file, pointer, unit)
        made = next((each for each in self.at(ASSESSMENT, "/gate/checks") if each["name"] == name), None)
        read = made is not None and made["value"] in (figure.value, figure.low, figure.high)
        return replace(figure, gate=self.check(name)) if read else figure

    @cached_property
    def digests(self) -> dict[str, str]:
        return {name: sha256(data) for name, data in self.files.items()}

    def _document(self, file: str) -> Any:
        if file not in self._parsed:
            if file not in self.files:
                raise missing(f"there is no {file}")
            try:
                self._parsed[file] = json.loads(self.files[file])
            except ValueError as error:
                raise missing(f"{file} cannot be read") from error
        return self._parsed[file]


def missing(what: str) -> Integrity:
    return Integrity(f"missing: {what}; {REFUSED}", hint="compute it again: make evidence; or train again")


def stale(what: str) -> Integrity:
    return Integrity(f"stale: {what}; {REFUSED}", hint="compute it again from what is stored now: make evidence")


def _escaped(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")


def _unescaped(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")
