"""The code's folders: what each is for, who imports whom, and which contracts hold that."""

import ast
import tomllib
from pathlib import Path
from typing import Any

import grimp

from infra.architecture.markdown import mermaid, table


def diagram(root: Path) -> str:
    """An arrow is what the code imports today; the order is that of the contract's layers."""
    tops = roots(root)
    between, using = _imports(tops, external(root))
    lines = [f'{name}["{name}/<br>{purpose(root / name)}"]' for name in tops]
    lines += ['tools[("third-party tools")]']
    lines += [f"{importer} --> {imported}" for importer, imported in sorted(between)]
    lines += [f"{name} -.->|adapters| tools" for name in tops if name in using]
    return mermaid("flowchart TD", lines)


def contracts(root: Path) -> str:
    rows = ((f"`{each['id']}`", f"{each['name']}", each["type"]) for each in _linter(root)["contracts"])
    return table(("contract", "what it holds", "kind"), rows)


def packages(root: Path) -> str:
    """The packages of each folder, by the first sentence of their own docstrings."""
    found = (
        (f"`{path.parent.relative_to(root).as_posix()}/`", purpose(path.parent))
        for top in roots(root)
        for path in sorted((root / top).glob("*/__init__.py"))
    )
    return table(("package", "what it is for"), found)


def roots(root: Path) -> list[str]:
    """From the upper layer to the lowest, as the contract has them."""
    layers = next(each["layers"] for each in _linter(root)["contracts"] if each["type"] == "layers")
    return [name.strip() for layer in layers for name in layer.split("|")]


def external(root: Path) -> frozenset[str]:
    """The tools that only adapters may import."""
    return frozenset(next(each["forbidden_modules"] for each in _linter(root)["contracts"] if each["id"] == "tools"))


def purpose(package: Path) -> str:
    """The first sentence of its docstring."""
    said = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    first = " ".join(said.split("\n\n")[0].split())
    return first.split(". ")[0].rstrip(".")


def _imports(tops: list[str], tools: frozenset[str]) -> tuple[set[tuple[str, str]], set[str]]:
    """Which folder imports which, and whose adapters import tools."""
    graph = grimp.build_graph(*tops, include_external_packages=True, cache_dir=None)
    direct = [
        (module, imported)
        for module in graph.modules
        if module.split(".")[0] in tops
        for imported in graph.find_modules_directly_imported_by(module)
    ]
    between = {(importer.split(".")[0], imported.split(".")[0]) for importer, imported in direct}
    own = {(importer, imported) for importer, imported in between if imported in tops and importer != imported}
    return own, {importer.split(".")[0] for importer, imported in direct if imported in tools and ".adapters" in importer}


def _linter(root: Path) -> dict[str, Any]:
    linter: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]
    return linter
