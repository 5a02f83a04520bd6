"""Ports and their adapters: a class of an `adapters` package fits a protocol if it has its methods with their parameters."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.architecture.folders import external, roots
from infra.architecture.markdown import table

Methods = Mapping[str, tuple[str, ...]]
"""Names of methods, and the names of their parameters."""


@dataclass(frozen=True)
class Described:
    module: Path
    name: str
    methods: Methods
    protocol: bool

    @property
    def adapter(self) -> bool:
        return "adapters" in self.module.parts and not self.protocol

    def fits(self, port: "Described") -> bool:
        return all(self.methods.get(name) == parameters for name, parameters in port.methods.items())


def adapters(root: Path) -> str:
    """Every port that an adapter serves; those that pure code serves are not of interest here."""
    tools, found = external(root), sorted(classes(root), key=lambda each: (each.module, each.name))
    rows = []
    for port in (each for each in found if each.protocol and each.methods and "adapters" not in each.module.parts):
        if fitting := [each for each in found if each.adapter and each.fits(port)]:
            used = sorted({tool for each in fitting for tool in imported(root / each.module) & tools})
            names = ", ".join(f"`{each.name}`" for each in fitting)
            rows.append((f"`{port.name}`", f"`{port.module.as_posix()}`", names, ", ".join(used) or "the standard library"))
    return table(("port", "where it is written", "adapters", "they use"), rows)


def classes(root: Path) -> Iterator[Described]:
    for top in roots(root):
        for path in sorted((root / top).rglob("*.py")):
            nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]
            beside = {node.name: node for node in nodes}
            for node in nodes:
                if not node.name.startswith("_"):
                    yield Described(path.relative_to(root), node.name, _inherited(node, beside), "Protocol" in _bases(node))


def imported(path: Path) -> set[str]:
    """The outermost names of whatever a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


def _bases(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(base).split("[")[0] for base in node.bases]


def _inherited(node: ast.ClassDef, beside: Mapping[str, ast.ClassDef]) -> dict[str, tuple[str, ...]]:
    """Its methods, and those of its bases in the same module."""
    found: dict[str, tuple[str, ...]] = {}
    for base in _bases(node):
        if base in beside and base != node.name:
            found |= _inherited(beside[base], beside)
    return found | _methods(node)


def _methods(node: ast.ClassDef) -> dict[str, tuple[str, ...]]:
    functions = (each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
    return {
        each.name: tuple(a.arg.strip("_") for a in (*each.args.posonlyargs, *each.args.args, *each.args.kwonlyargs))
        for each in functions
        if not each.name.startswith("_")
    }
