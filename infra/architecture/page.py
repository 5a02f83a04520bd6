"""The page: prose by people, and between two marks each what is drawn."""

from collections.abc import Mapping
from pathlib import Path

from infra.architecture import flows, folders, ports, services

ROOT = Path(__file__).parents[2]
FLOWS = ROOT / "pipelines" / "flows.py"
PAGE = ROOT / "docs" / "architecture.md"


def drawn() -> dict[str, str]:
    """What stands between the marks, by the name in them."""
    return {
        "folders": folders.diagram(ROOT),
        "contracts": folders.contracts(ROOT),
        "packages": folders.packages(ROOT),
        "ports": ports.adapters(ROOT),
        "flows": flows.diagram(FLOWS),
        "what flows do": flows.meanings(FLOWS),
        "services": services.diagram(),
        "doors": services.doors(),
    }


def renewed(text: str, parts: Mapping[str, str]) -> str:
    """The page with these parts. Raises `ValueError` if one has no place in it."""
    for name, part in parts.items():
        begin, end = f"<!-- drawn: {name} -->\n", f"\n<!-- end of {name} -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"the page has no marks for {name}: {begin.strip()} … {end.strip()}")
        text = before + begin + part + end + after
    return text
