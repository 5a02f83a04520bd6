"""Whether a form was sent from a page of ours: what a browser says by itself of the page that sends."""

from collections.abc import Mapping

from monitoring.console.access.refusals import NotPermitted

LOOKING = frozenset({"GET", "HEAD"})


def ensure_own(method: str, headers: Mapping[str, str], *, address: str, secure: bool) -> None:
    """Raises `NotPermitted` for an act that a page elsewhere sends. Who is no browser says nothing, and needs the token anyway.

    `address` is where people reach the console, "" if that is the host they ask: a proxy may ask under another one.
    """
    if method in LOOKING:
        return
    here = f"{'https' if secure else 'http'}://{headers.get('host', '')}"
    own = {here, address.rstrip("/") or here}
    origin = headers.get("origin")
    if headers.get("sec-fetch-site") == "cross-site" or (origin is not None and origin not in own):
        raise NotPermitted("this form is from a page elsewhere", hint="open the console itself and send it from there")
