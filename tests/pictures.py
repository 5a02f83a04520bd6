"""The pictures of the console that the documents show, taken of a replay: `make pictures`.

python -m tests.pictures [--home var/replay/shift]
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from models.errors import NotFound
from tests.consoles import served

IMAGES = Path("docs/images")
WIDTH = 1180
PICTURES = {"console-today": ("/", "light", 470), "console-model": ("/models/credit_default", "dark", 1180)}
"""By name: the page, the scheme, and how much of it is shown, in pixels."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=Path("var/replay/shift"))
    home = parser.parse_args().home
    if not (home / "clock").is_file():
        raise NotFound(f"there is no replay in {home}", hint="make replay SCENARIO=shift")
    environment = os.environ | {"STEWARD_HOME": str(home), "STEWARD_CLOCK_FILE": str(home / "clock")}
    subprocess.run([sys.executable, "-m", "pipelines", "alerts"], env=environment, check=False)
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with served(home, STEWARD_CLOCK_FILE=str(home / "clock")) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--headless", "--no-sandbox", "--disable-gpu"])
        for name, (path, scheme, shown) in PICTURES.items():
            page = browser.new_page(base_url=base, color_scheme=scheme, viewport={"width": WIDTH, "height": shown})
            page.goto(path, wait_until="networkidle")
            page.screenshot(path=IMAGES / f"{name}.png", clip={"x": 0, "y": 0, "width": WIDTH, "height": shown})
            print(IMAGES / f"{name}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
