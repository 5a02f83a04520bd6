"""What a browser may do with a page. No page of ours runs a script; what is shown from elsewhere is shut in a frame."""

OWN_PAGES = "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'"
STORED_PAGES = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
)
PACK_PAGES = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'"
CHECKED_PAGES = "sandbox; default-src 'none'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'"
PICTURES = "default-src 'none'; style-src 'unsafe-inline'"
_KINDS = {
    "/documents/": STORED_PAGES,
    "/evidence/files/": PACK_PAGES,
    "/swap-sets/": PACK_PAGES,
    "/validations/": CHECKED_PAGES,
    "/charts/": PICTURES,
}
_FRAMED = (STORED_PAGES, PACK_PAGES)


def of(path: str, *, secure: bool) -> dict[str, str]:
    """The headers of an answer. Stored pages (Evidently's) run their own scripts without our origin and can fetch nothing."""
    policy = next((policy for part, policy in _KINDS.items() if part in path), OWN_PAGES)
    framed = "'self'" if policy in _FRAMED else "'none'"
    headers = {
        "Content-Security-Policy": f"{policy}; frame-ancestors {framed}",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-cache" if path.startswith("/static/") else "private, no-cache",
    }
    return headers | ({"Strict-Transport-Security": "max-age=31536000"} if secure else {})
