"""A form from a page elsewhere acts on nothing, whatever it carries."""

import pytest

from monitoring.console.access.origin import ensure_own
from monitoring.console.access.refusals import NotPermitted

HOST = {"host": "localhost:8090"}


@pytest.mark.parametrize(
    "said",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:3000"},  # another program at the same machine
        {"origin": "https://localhost:8090"},
        {"origin": "null"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"origin": "http://localhost:8090", "sec-fetch-site": "cross-site"},
    ],
    ids=str,
)
def test_what_a_page_elsewhere_sends_is_refused_and_may_only_look(said: dict[str, str]) -> None:
    with pytest.raises(NotPermitted, match="from a page elsewhere"):
        ensure_own("POST", HOST | said, address="", secure=False)
    ensure_own("GET", HOST | said, address="", secure=False)


def test_our_own_pages_send_also_behind_a_proxy_and_so_does_who_is_no_browser() -> None:
    ensure_own("POST", HOST, address="", secure=False)
    ensure_own("POST", HOST | {"origin": "http://localhost:8090", "sec-fetch-site": "same-origin"}, address="", secure=False)
    address = "https://steward.bank.example"
    ensure_own("POST", HOST | {"origin": address}, address=f"{address}/", secure=True)
    ensure_own("POST", {"host": "steward.bank.example", "origin": address}, address="", secure=True)
    with pytest.raises(NotPermitted):
        ensure_own("POST", HOST | {"origin": "http://steward.bank.example"}, address=address, secure=True)
