"""The replay's page: one HTML file that needs nothing else. Pictures are embedded, styles are inline."""

from base64 import b64encode
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined

from models.clock import Month
from pipelines.adapters.replay_charts import drift, overview
from pipelines.replay.story import ReplayResult, differs, figures, headline, points, shares, subline

PAGE = "index.html"
WORDS = {
    "promoted": "promoted",
    "kept": "champion kept",
    "refused": "challenger refused",
    "held": "held",
    "accepted": "accepted by a person",
}


def files(result: ReplayResult) -> dict[str, bytes]:
    """Everything a replay publishes, by file name: the page, its pictures, and the figures behind both."""
    embedded = {"overview": overview(result, titled=False), "drift": drift(result)}
    return {
        PAGE: page(result, embedded).encode(),
        "overview.png": overview(result),
        "drift.png": embedded["drift"],
        "replay.json": result.model_dump_json(indent=2).encode(),
    }


def page(result: ReplayResult, pictures: Mapping[str, bytes]) -> str:
    """`pictures` are PNG files by name: `overview` and `drift`."""
    environment = Environment(loader=PackageLoader("pipelines"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= {"points": points, "percent": lambda share: f"{share:.1%}", "month": _named}
    return environment.get_template("replay.html").render(
        result=result,
        headline=headline(result),
        subline=subline(result),
        tiles=figures(result),
        two_readings=any(differs(month) for month in result.months),
        across=3 if result.best_known() else 2,
        times=shares(result.seconds),
        words=WORDS,
        pictures={name: f"data:image/png;base64,{b64encode(data).decode()}" for name, data in pictures.items()},
    )


def _named(text: str) -> str:
    return f"{Month.parse(text).first_day:%B %Y}"
