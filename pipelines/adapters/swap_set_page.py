"""The page of a swap-set report: one HTML file that needs nothing else. Styles are inline, no scripts."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from models.policy import Action
from pipelines.swap_set.report import SwapSet


def render(report: SwapSet) -> bytes:
    environment = Environment(loader=PackageLoader("pipelines"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.lstrip_blocks = True
    environment.filters |= {"percent": lambda share: f"{share:.1%}", "share": _share}
    return environment.get_template("swap_set.html").render(report=report, actions=list(Action)).encode()


def _share(count: int | None, of: int) -> str:
    """A count with its share; withheld ones say so."""
    return "withheld" if count is None else f"{count:,} ({count / of:.1%})"
