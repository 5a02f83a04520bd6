"""Tokens signed by an issuer whose public keys are fetched from a JWKS address (RFC 7517). Needs the extra `tokens`.

The keys are fetched by a thread of their own: no request waits for the network, and a token with an unknown key makes it look
sooner, but never sooner than `least` seconds after the last time, however many such tokens come. While the issuer is away, the
keys that it gave last go on for `most` seconds. Only public keys for the algorithms named here are taken out of what it gives.
"""

import logging
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm

from models.errors import Misconfigured, PlatformError, Unavailable
from serving.door.register import loopback
from serving.door.tokens import no_token
from serving.protocols import strict_json

ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
"""Asymmetric ones only: nobody signs with a key that is public."""
LEAST_BITS = 2_048
LARGEST = 256 * 2**10
"""Bytes of a key set, at most."""

_TYPES = ("jwt", "at+jwt", "application/at+jwt")
_KINDS = {
    ("RSA", None): ("RS256", "PS256"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("OKP", "Ed25519"): ("EdDSA",),
}

logger = logging.getLogger("steward.serving")


class IssuerKeys:
    """`start` it, and `close` it. `fetch` gives the key set's bytes, and raises `OSError` where it cannot."""

    def __init__(
        self,
        fetch: Callable[[], bytes],
        every: float = 300.0,
        least: float = 30.0,
        most: float = 86_400.0,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jwt = _library()
        self._fetch = fetch
        self._every, self._least, self._most = every, least, most
        self._ticks = ticks
        self._keys: Mapping[tuple[str, str], Any] = {}
        self._fetched = self._looked = float("-inf")
        self._wrong = "they were not fetched yet"
        self._sooner, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="issuer-keys", daemon=True)
        self.generation = 0

    def start(self) -> None:
        """The first look is waited for: a service that starts beside its issuer knows its keys."""
        self.look()
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        self._sooner.set()
        if self._thread.is_alive():
            self._thread.join(1.0)  # it may be waiting for the network, and ends with the process

    def look(self) -> None:
        """Fetch the keys. What cannot be fetched or read leaves those that are known."""
        self._looked = self._ticks()
        try:
            keys = self._usable(self._fetch())
        except (OSError, HTTPException, ValueError) as error:
            self._wrong = type(error).__name__
            logger.warning("the token issuer's keys cannot be fetched: %s", self._wrong)
            return
        if keys.keys() != self._keys.keys() or any(keys[each].key != self._keys[each].key for each in keys):
            self._keys, self.generation = keys, self.generation + 1
        self._fetched, self._wrong = self._looked, ""

    def ensure_known(self) -> None:
        """As `Verifier` says."""
        if self._ticks() - self._fetched > self._most:
            raise Unavailable("the token issuer's keys are not known", "try again; /health/ready says why")

    def claims(self, token: bytes) -> Mapping[str, Any]:
        """As `Verifier` says."""
        jwt = self._jwt
        try:
            head = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError) as error:
            raise no_token("this is no token") from error
        algorithm, name, kind = head.get("alg"), head.get("kid"), head.get("typ", "JWT")
        if algorithm not in ALGORITHMS or str(kind).lower() not in _TYPES or not isinstance(name, str):
            raise no_token("this token is not signed as this service's issuer signs")
        try:
            whole = jwt.PyJWS(algorithms=list(ALGORITHMS)).decode_complete(
                token, key=self._key(name, algorithm), algorithms=[algorithm]
            )
            claims = strict_json.read(whole["payload"])
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise no_token("this token's signature is not its issuer's") from error
        if not isinstance(claims, dict):
            raise no_token("this token says nothing")
        return claims

    def notes(self) -> Mapping[str, PlatformError]:
        if not self._wrong:
            return {}
        left = max(0.0, self._most - (self._ticks() - self._fetched))
        return {
            "tokens": Unavailable(
                f"the token issuer's keys cannot be fetched ({self._wrong}); those known last are taken for {left / 3_600:.1f} h",
                hint="see to the issuer, or STEWARD_SERVING_TOKEN_KEYS_URL",
            )
        }

    def _key(self, name: str, algorithm: str) -> Any:
        self.ensure_known()
        found = self._keys.get((name, algorithm))
        if found is not None:
            return found
        if self._ticks() - self._looked >= self._least:
            self._sooner.set()
            raise Unavailable("this token's key is not known yet", "try again at once: the issuer's keys are being fetched")
        raise no_token("this token's key is none of its issuer's")

    def _usable(self, content: bytes) -> dict[tuple[str, str], Any]:
        """By name and algorithm. Raises `ValueError` if there is none."""
        said = strict_json.read(content)
        listed = said.get("keys") if isinstance(said, dict) else None
        found: dict[tuple[str, str], Any] = {}
        for each in listed if isinstance(listed, list) else []:
            if isinstance(each, dict):
                for name, algorithm, key in self._read(each):
                    found.setdefault((name, algorithm), key)
        if not found:
            raise ValueError("there is no usable key")
        return found

    def _read(self, said: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
        """A key for every algorithm that it may be used with: none for a secret, a private or a weak one."""
        name, declared = said.get("kid"), said.get("alg")
        kind = str(said.get("kty")), str(said["crv"]) if "crv" in said else None
        fitting = [each for each in _KINDS.get(kind, ()) if declared in (None, each)]
        if not isinstance(name, str) or said.get("use", "sig") != "sig" or "d" in said:
            return []
        found = []
        for algorithm in fitting:
            try:
                key = self._jwt.PyJWK(dict(said), algorithm)
            except (self._jwt.PyJWTError, UnsupportedAlgorithm, ValueError, TypeError):
                continue
            if getattr(key.key, "key_size", LEAST_BITS) >= LEAST_BITS or algorithm.startswith("ES"):
                found.append((name, algorithm, key))
        return found

    def _watch(self) -> None:
        while not self._ending.is_set():
            self._sooner.wait(self._least if self._wrong else self._every)
            self._sooner.clear()
            if not self._ending.is_set() and self._ticks() - self._looked >= self._least:
                self.look()


def fetching(url: str, seconds: float = 5.0) -> Callable[[], bytes]:
    """From an https address, or from this machine. No redirection is followed and no proxy asked. Raises `Misconfigured`."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback(parts.hostname or "")):
        raise Misconfigured(
            "the token issuer's keys would come over a way that anybody can change",
            hint="STEWARD_SERVING_TOKEN_KEYS_URL=https://…",
        )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Straight())

    def fetch() -> bytes:
        with opener.open(url, timeout=seconds) as response:
            content: bytes = response.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ValueError("the key set is too large")
        return content

    return fetch


class _Straight(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _library() -> Any:
    try:
        import jwt
    except ImportError as error:
        raise Misconfigured(
            "tokens are wanted, and PyJWT is not installed",
            hint="install steward[tokens]; or unset STEWARD_SERVING_TOKEN_ISSUER",
        ) from error
    return jwt
