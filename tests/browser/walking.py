"""Walks a console from its first page over every link, as far as pages differ in kind, and notes what is wrong with each."""

import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

STORED = ("/documents/", "/evidence/files/", "/swap-sets/", "/validations/")
"""Pages of other tools, shown in frames: what they look like is theirs."""
FILES = (".png", ".csv", ".svg", ".json")
SAME_KIND = 3  # pages looked at that differ only in numbers, months and names
GRAVE = ("serious", "critical")
WIDTHS = (390, 1300)


@dataclass
class Walk:
    """`seen` are the paths walked over, `wrong` what was found: a path with a complaint each."""

    page: Page
    wrong: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def over(self, start: str = "/") -> "Walk":
        waiting, known, kinds = deque([start]), {start}, Counter[str]()
        while waiting:
            path = waiting.popleft()
            if kinds[_kind(path)] >= SAME_KIND:
                continue
            kinds[_kind(path)] += 1
            for found in self._look(path):
                if found not in known:
                    known.add(found)
                    (self.files if urlsplit(found).path.endswith(FILES) else waiting).append(found)
        return self

    def _look(self, path: str) -> Iterator[str]:
        complaints: list[str] = []
        self.page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        answer = self.page.goto(path)
        self.seen.append(path)
        if answer is None or answer.status != 200:
            self.wrong.append(f"{path}: answered {answer and answer.status}")
            return
        if any(part in path for part in STORED):
            return
        self.wrong += [f"{path}: {text}" for text in complaints]
        self.wrong += [f"{path}: {text}" for text in self._unfit()]
        self.wrong += [f"{path}: {text}" for text in grave(self.page)]
        yield from self.page.eval_on_selector_all(LINKS, HERE)
        yield from self.page.eval_on_selector_all("img, source", SHOWN)

    def _unfit(self) -> Iterator[str]:
        self.page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            if (found := self.page.evaluate("document.documentElement.scrollWidth")) > width:
                yield f"{found} pixels wide in a window of {width}"


def grave(page: Page) -> list[str]:
    """What axe finds that keeps people out."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{each['id']} ({each['impact']}): {each['nodes'][0]['html'][:100]}" for each in found if each["impact"] in GRAVE]


def _kind(path: str) -> str:
    return re.sub(r"[0-9a-f]{8,}|\d+|(?<=/features/)\w+", "#", urlsplit(path).path)


LINKS = "a[href^='/']:not([download])"
HERE = "links => links.map(link => link.getAttribute('href').split('#')[0])"
SHOWN = (
    "parts => parts.map(part => part.getAttribute('srcset') || part.getAttribute('src')).filter(of => of.includes('/charts/'))"
)
