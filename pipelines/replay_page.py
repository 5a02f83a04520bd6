"""The replay's page: one HTML file that needs nothing else. Pictures are embedded, styles are inline."""

from base64 import b64encode
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined

from models.clock import Month
from pipelines.replay_story import ReplayResult, differs, figures, headline, points, shares, subline

WORDS = {"promoted": "promoted", "kept": "champion kept", "held": "held", "accepted": "accepted by a person"}


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
