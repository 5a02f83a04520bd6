"""The console in tests: over HTTP on a home, and what it looks at from fakes."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response

from models.adapters.user_files import UserFiles
from models.clock import SystemClock
from models.errors import Misconfigured
from models.governance.access import Person, Role
from monitoring import wiring
from monitoring.console.access.attempts import Attempts
from monitoring.console.access.guard import Guard
from monitoring.console.access.sessions import Sessions
from monitoring.console.app import Door, console
from monitoring.console.sources import Sources
from monitoring.settings import MonitoringSettings
from tests.fakes.alerts import FakeAlertBook
from tests.fakes.channel import FakeChannel
from tests.fakes.ledger import FakeLedger
from tests.fakes.packs import FakePacks
from tests.fakes.reports import FakeReportStore
from tests.fakes.runs import FakeRunHistory
from tests.fakes.validations import FakeValidations
from tests.fakes.verdicts import FakeVerdictStore
from tests.office import trust, witness

TOKEN = re.compile(r'name="token" value="([^"]+)"')
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
ADA = Person("ada", frozenset(Role))
"""Sits at the machine."""


def client(
    home: Path,
    host: str = "localhost",
    *,
    person: Person | None = ADA,
    sources: Sources | None = None,
    seconds: Callable[[], float] = lambda: 0.0,
    secure: bool = False,
    **settings: Any,
) -> TestClient:
    """`person` sits at the machine; None where people sign in. `seconds` is the clock of the attempts to do so."""
    chosen = MonitoringSettings(home=home, **settings)
    guard = Guard(UserFiles(home / "keys"), Attempts(seconds), Sessions(seconds), person)
    app = console(sources or wiring.sources(chosen), guard, Door(["localhost"], "of a test", "steward", secure=secure))
    return TestClient(app, base_url=f"{'https' if secure else 'http'}://{host}")


def send(asked: TestClient, page: str, address: str, **fields: str) -> Response:
    """Fill in a form of `page` and send it to `address`, as a browser would."""
    return asked.post(address, data={**hidden(asked.get(page).text, address), **fields})


def hidden(page: str, address: str) -> dict[str, str]:
    """What the form to `address` carries by itself; of a page without it only the token."""
    found = TOKEN.search(page)
    assert found, "no form on this page"
    form = page.partition(f'action="{address}"')[2].partition("</form>")[0]
    return {"token": found[1], **dict(HIDDEN.findall(form))}


@contextmanager
def served(home: Path, **settings: str) -> Iterator[str]:
    """The real console as a process of its own; its address. `settings` by the names of their variables."""
    environment = os.environ | {"STEWARD_HOME": str(home), "STEWARD_MONITORING_PORT": "0"} | settings
    with subprocess.Popen([sys.executable, "-m", "monitoring"], env=environment, stdout=subprocess.PIPE, text=True) as console:
        try:
            assert console.stdout is not None
            said = console.stdout.readline()  # printed once the door is open
            found = re.search(r"http://\S+?(?=/ )", said)
            assert found, said
            yield found.group()
        finally:
            console.terminate()


def unavailable(*_given: object) -> Any:
    raise Misconfigured("this is not looked at here")


def looking(**changes: Any) -> Sources:
    """Everything that pages look at, from fakes and empty; what no test of pages needs is unavailable."""
    fakes: dict[str, Any] = {
        "reports": FakeReportStore(),
        "channel": FakeChannel(),
        "trust": trust,
        "ledger": FakeLedger(witness()),
        "runs": FakeRunHistory(running=False),
        "validations": FakeValidations({}),
        "packs": FakePacks(),
        "verdicts": FakeVerdictStore(),
        "swap_sets": FakePacks(),
        "clock": SystemClock(),
        "pictures": None,
        "alerts": FakeAlertBook(),
        "home": "var",
    }
    calls = ("office", "decisions", "lake", "samples", "accounts", "chain_keys", "scorer", "runbooks")
    return Sources(**{**fakes, **dict.fromkeys(calls, unavailable), **changes})
