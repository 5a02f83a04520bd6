"""What to do about a kind of alert, as a page shows it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Runbook:
    """`html` is made of our own Markdown and holds no other markup; its headings begin at the third level."""

    title: str
    html: str
