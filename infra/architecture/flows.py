"""What each flow does, step by step, read from `pipelines/flows.py`: its tasks in their order, and what a branch depends on."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from infra.architecture.markdown import mermaid

_SHELL, _TASK = "_flow", "_step"


@dataclass
class Drawing:
    """Of one flow. `ends` are the boxes that the next one follows, each with what its arrow says."""

    tasks: dict[str, str]
    helpers: dict[str, ast.FunctionDef]
    prefix: str
    lines: list[str] = field(default_factory=list)
    ends: list[tuple[str, str]] = field(default_factory=list)
    boxes: int = 0

    def follow(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            if isinstance(statement, ast.If):
                self._branch(statement)
            else:
                for call, condition in _calls(statement, ""):
                    self._call(call, condition)

    def box(self, text: str, shape: tuple[str, str] = ("[", "]"), condition: str = "") -> None:
        name, self.boxes = f"{self.prefix}-{self.boxes}", self.boxes + 1
        self.lines.append(f'{name}{shape[0]}"{text}"{shape[1]}')
        for end, said in self.ends:
            label = said or condition
            self.lines.append(f'{end} -->|"{label}"| {name}' if label else f"{end} --> {name}")
        passed = [(end, f"not {condition}") for end, _ in self.ends] if condition else []
        self.ends = [(name, ""), *passed]

    def _branch(self, statement: ast.If) -> None:
        """The body, and what comes after it if that is not so; a body that returns ends there."""
        asked, before = _text(statement.test), self.ends
        self.ends = [(end, asked) for end, _ in before]
        self.follow(statement.body)
        returned = isinstance(statement.body[-1], ast.Return)
        others = [(end, "otherwise") for end, _ in before]
        self.ends = others if returned else [*self.ends, *others]

    def _call(self, call: ast.Call, condition: str) -> None:
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if name in self.tasks:
            self.box(self.tasks[name], condition=condition)
        elif name in self.helpers:
            self.follow(self.helpers[name].body)


def diagram(module: Path) -> str:
    """Every flow of the module, in its order."""
    tree = ast.parse(module.read_text())
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    helpers = {name: function for name, function in functions.items() if name.startswith("_")}
    tasks, lines = dict(_tasks(tree)), list[str]()
    for name, function in flows(functions.values()):
        drawing = Drawing(tasks, helpers, name)
        drawing.box(name, ("([", "])"))
        drawing.follow(function.body)
        lines += drawing.lines
    return mermaid("flowchart LR", lines)


def meanings(module: Path) -> str:
    """The first line of what each flow says of itself."""
    functions = (node for node in ast.parse(module.read_text()).body if isinstance(node, ast.FunctionDef))
    return "\n".join(f"- **{name}**: {(ast.get_docstring(each) or '').splitlines()[0]}" for name, each in flows(functions))


def flows(functions: Iterable[ast.FunctionDef]) -> Iterator[tuple[str, ast.FunctionDef]]:
    for function in functions:
        for shell in function.decorator_list:
            if isinstance(shell, ast.Call) and _text(shell.func) == _SHELL and isinstance(shell.args[0], ast.Constant):
                yield str(shell.args[0].value), function


def _tasks(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names of the tasks, and what the engine calls them."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _text(node.value.func) == _TASK:
            yield _text(node.targets[0]), _text(node.value.args[0]).rsplit(".", 1)[-1].replace("_", " ")


def _calls(node: ast.AST, condition: str) -> Iterator[tuple[ast.Call, str]]:
    """Calls in the order in which they happen, with the condition of an `x if y else z` around them."""
    if isinstance(node, ast.IfExp):
        yield from _calls(node.test, condition)
        yield from _calls(node.body, _text(node.test))
        yield from _calls(node.orelse, f"not {_text(node.test)}")
        return
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, condition)
    if isinstance(node, ast.Call):
        yield node, condition


def _text(node: ast.AST) -> str:
    return ast.unparse(node)
