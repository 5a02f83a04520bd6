"""docs/architecture.md shows what the code is, and its drawings are read from the code."""

import ast
from pathlib import Path

import pytest

from infra.architecture import flows, folders, ports, services
from infra.architecture.page import PAGE, ROOT, drawn, renewed

LINTER = """
[[tool.importlinter.contracts]]
id = "layers"
name = "Folders point down"
type = "layers"
layers = ["upper", "lower"]

[[tool.importlinter.contracts]]
id = "tools"
name = "Tools"
type = "forbidden"
forbidden_modules = ["duckdb"]
"""


def test_the_page_is_what_the_code_is() -> None:
    assert PAGE.read_text() == renewed(PAGE.read_text(), drawn()), "make architecture"


def test_a_part_without_its_place_is_named() -> None:
    with pytest.raises(ValueError, match="no marks for doors"):
        renewed("<!-- drawn: folders -->\n\n<!-- end of folders -->", {"folders": "x", "doors": "y"})


def test_what_stands_between_marks_is_replaced_and_nothing_else() -> None:
    text = "before\n<!-- drawn: a -->\nold\n<!-- end of a -->\nafter"
    assert renewed(text, {"a": "new"}) == "before\n<!-- drawn: a -->\nnew\n<!-- end of a -->\nafter"


def test_folders_are_drawn_by_what_they_import_today() -> None:
    drawing = folders.diagram(ROOT)
    assert "serving --> models" in drawing
    assert "models --> serving" not in drawing
    assert "serving --> pipelines" not in drawing


def test_every_contract_of_the_linter_stands_in_the_table() -> None:
    assert "`audit-wall`" in folders.contracts(ROOT)


def written(module: Path, text: str) -> Path:
    module.parent.mkdir(parents=True, exist_ok=True)
    module.write_text(text)
    return module


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(LINTER)
    port = "class Store(Protocol):\n    def put(self, name, data): ...\n"
    written(tmp_path / "lower" / "store.py", port)
    adapters = (
        "import duckdb\n"
        "class Table:\n    def put(self, name, data): pass\n    def more(self): pass\n"
        "class Other:\n    def put(self, name): pass\n"
        "class Larger(Table):\n    pass\n"
        "class _Hidden(Table):\n    pass\n"
    )
    written(tmp_path / "upper" / "adapters" / "table.py", adapters)
    written(tmp_path / "upper" / "pure.py", "class Pure:\n    def put(self, name, data): pass\n")
    return tmp_path


def test_an_adapter_has_the_methods_of_its_port_with_their_parameters(tree: Path) -> None:
    assert ports.adapters(tree).splitlines()[2:] == ["| `Store` | `lower/store.py` | `Larger`, `Table` | duckdb |"]


FLOWS = '''
take = _step(steps.take_in)
rest = _step(steps.rest)
learn = _step(learning.learn)
more = _step(learning.and_more)

@_flow("loop")
def loop(early: bool) -> None:
    """What it is for.

    More of it."""
    take()
    if early:
        return rest()
    wrapped(_learned())

def _learned() -> None:
    keep(learn(), more() if wanted else None)
'''


def test_a_flow_is_drawn_through_branches_and_helpers(tmp_path: Path) -> None:
    lines = {line.strip() for line in flows.diagram(written(tmp_path / "flows.py", FLOWS)).splitlines()}
    assert {'loop-0(["loop"])', 'loop-1["take in"]', 'loop-2["rest"]', 'loop-3["learn"]', 'loop-4["and more"]'} <= lines
    arrows = {line for line in lines if ">" in line}
    assert arrows == {
        "loop-0 --> loop-1",
        'loop-1 -->|"early"| loop-2',
        'loop-1 -->|"otherwise"| loop-3',
        'loop-3 -->|"wanted"| loop-4',
    }


def test_a_flow_says_what_it_is_for(tmp_path: Path) -> None:
    assert flows.meanings(written(tmp_path / "flows.py", FLOWS)) == "- **loop**: What it is for."


def test_every_task_of_the_flows_is_in_some_flow() -> None:
    module = ROOT / "pipelines" / "flows.py"
    shells = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Call)]
    tasks = {ast.unparse(node.args[0]).rsplit(".", 1)[-1] for node in shells if ast.unparse(node.func) == "_step"}
    drawing = flows.diagram(module)
    assert {task for task in tasks if f'["{task.replace("_", " ")}"]' not in drawing} == set()


def test_a_service_is_drawn_to_those_whose_address_it_is_given() -> None:
    lines = {line.strip() for line in services.diagram().splitlines()}
    assert {"proxy --> serving-1", "serving-1 --> postgres", "mlflow --> store", "serving-1 --- home"} <= lines
    assert "serving-1 --> mlflow" not in lines, "no answer needs MLflow"
    assert "people --> postgres" not in lines
