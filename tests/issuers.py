"""Somebody who signs tokens, and the address where his keys are."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.bundles import MODEL, NOW

ISSUER, AUDIENCE = "https://login.bank.example", "scoring"
_WRITERS: dict[str, Any] = {"RS256": RSAAlgorithm, "PS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}


def private(algorithm: str, bits: int = 2_048) -> Any:
    if algorithm in ("RS256", "PS256"):
        return rsa.generate_private_key(65_537, bits)
    return ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else ed25519.Ed25519PrivateKey.generate()


class Issuer:
    """`fetch` counts how often it is asked; while `away` nobody answers."""

    def __init__(self, *algorithms: str) -> None:
        self.keys = {f"k{number}": (algorithm, private(algorithm)) for number, algorithm in enumerate(algorithms or ("RS256",))}
        self.extra: list[Any] = []
        self.fetched = 0
        self.away = False
        self.asked = Event()

    def fetch(self) -> bytes:
        self.fetched += 1
        self.asked.set()
        if self.away:
            raise OSError
        return json.dumps({"keys": [self.public(name) for name in self.keys] + self.extra}).encode()

    def public(self, name: str) -> dict[str, Any]:
        algorithm, key = self.keys[name]
        return {**_WRITERS[algorithm].to_jwk(key.public_key(), as_dict=True), "kid": name, "use": "sig"}

    def token(self, kid: str = "k0", head: dict[str, Any] | None = None, **changes: Any) -> str:
        """In force for an hour, for whoever may score and read; a claim of None is left out."""
        algorithm, key = self.keys[kid]
        return jwt.encode(claims(**changes), key, algorithm, headers={"kid": kid} | (head or {}))


def claims(**changes: Any) -> dict[str, Any]:
    now = int(NOW.timestamp())
    said: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "sub": "u-17", "exp": now + 3_600, "nbf": now, "iat": now}
    said |= {"roles": ["scorer"], "preferred_username": "r.lin"} | changes
    return {name: value for name, value in said.items() if value is not None}


@contextmanager
def answering(issuer: Issuer) -> Iterator[str]:
    """The address of the key set, at a real server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/keys")
                self.end_headers()
                return
            try:
                content = issuer.fetch() if self.path == "/keys" else b"x" * 300_000
            except OSError:
                self.send_error(500)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/keys"
        finally:
            server.shutdown()
            thread.join()


ROLES: dict[str, Any] = {
    "scorer": {"models": [MODEL], "actions": ["score", "read"]},
    "officer": {"models": ["other"], "actions": ["review"]},
    "auditor": {"models": ["all"], "actions": ["read"]},
}
