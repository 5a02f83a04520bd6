"""Tokens with real signatures, and the keys of their issuer."""

import base64
import hashlib
import hmac
import json
from contextlib import suppress
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Misconfigured, Unavailable
from serving.adapters.signed_tokens import ALGORITHMS, IssuerKeys, fetching
from serving.door.refusals import NotAuthenticated
from tests.issuers import Issuer, answering, claims, private


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def met(issuer: Issuer, clock: Clock | None = None) -> IssuerKeys:
    keys = IssuerKeys(issuer.fetch, ticks=clock or Clock())
    keys.look()
    return keys


def refused(keys: IssuerKeys, token: str | bytes) -> str:
    with pytest.raises(NotAuthenticated) as caught:
        keys.claims(token if isinstance(token, bytes) else token.encode())
    return str(caught.value)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_what_the_issuer_signed_is_read(algorithm: str) -> None:
    issuer = Issuer(algorithm)
    assert met(issuer).claims(issuer.token().encode()) == claims()
    for kind in ("at+jwt", "jwt", None):
        assert met(issuer).claims(issuer.token(head={"typ": kind}).encode()) == claims()


def part(said: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()


def test_a_token_without_a_signature_is_refused() -> None:
    issuer = Issuer()
    keys = met(issuer)
    for algorithm in ("none", "None", "NONE", "", None):
        for signature in ("", "x"):
            refused(keys, f"{part({'alg': algorithm, 'kid': 'k0'})}.{part(claims())}.{signature}")
    head, body, _ = issuer.token().split(".")
    refused(keys, f"{head}.{body}.")


def test_a_public_key_signs_nothing() -> None:
    """The old confusion: the verifier takes the public key for a shared secret."""
    issuer = Issuer()
    public = issuer.keys["k0"][1].public_key()
    for form in (PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1):
        for encoding in (Encoding.PEM, Encoding.DER):
            signed = f"{part({'alg': 'HS256', 'kid': 'k0', 'typ': 'JWT'})}.{part(claims())}"
            digest = hmac.new(public.public_bytes(encoding, form), signed.encode(), hashlib.sha256).digest()
            refused(met(issuer), f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}")


def test_a_key_of_somebody_else_under_the_issuer_s_name_is_refused() -> None:
    assert "signature" in refused(met(Issuer()), Issuer().token())
    own = Issuer("ES256")
    refused(met(Issuer("RS256")), own.token())


def test_a_token_may_not_bring_its_own_key() -> None:
    issuer, own = Issuer(), Issuer()
    head = {"jwk": own.public("k0"), "jku": "http://127.0.0.1:1/keys", "x5u": "http://127.0.0.1:1/"}
    refused(met(issuer), own.token(head=head))


def test_what_the_token_asks_to_be_understood_and_is_not_refuses_it() -> None:
    issuer = Issuer()
    refused(met(issuer), issuer.token(head={"crit": ["exp"], "exp": 1}))
    refused(met(issuer), issuer.token(head={"typ": "dpop+jwt"}))
    refused(met(issuer), issuer.token(head={"typ": 7}))


def test_a_changed_token_is_refused() -> None:
    issuer = Issuer("ES256")
    head, body, signature = issuer.token().split(".")
    refused(met(issuer), f"{head}.{part(claims(sub='root'))}.{signature}")
    for other in ("", ".", "..", "...", f"{head}.{body}", f"{head}.{body}.{signature}.x", "é.é.é", f" {head}.{body}.{signature}"):
        refused(met(issuer), other)


@given(noise=st.binary(max_size=60))
def test_whatever_stands_there_is_refused_and_breaks_nothing(noise: bytes) -> None:
    refused(KEYS, noise)
    refused(KEYS, b".".join([noise, noise, noise]))


KEYS = met(Issuer("ES256"))


def test_secrets_private_weak_and_other_keys_are_not_taken() -> None:
    issuer = Issuer("ES256")
    weak, other = Issuer(), Issuer("RS256")
    weak.keys["weak"] = ("RS256", private("RS256", 1_024))
    whole = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1())))
    issuer.extra = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared", "alg": "RS256"},
        whole | {"kid": "private"},
        weak.public("weak"),
        other.public("k0") | {"kid": "sealing", "use": "enc"},
        other.public("k0") | {"kid": "old", "alg": "RS1"},
        {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "curve"},
        {"kty": "RSA", "n": "!", "e": "AQAB", "kid": "broken"},
        {"kty": ["RSA"], "kid": 7},
        "text",
        None,
    ]
    keys = met(issuer)
    assert set(keys._keys) == {("k0", "ES256")}
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = weak.token("weak")
    refused(keys, token)


def test_an_unknown_key_makes_it_look_once_and_not_for_every_token() -> None:
    """A flood of unknown names must not become a flood at the issuer."""
    issuer, clock = Issuer(), Clock()
    keys = met(issuer, clock)
    clock.now = 29.0
    for number in range(1_000):
        refused(keys, issuer.token(head={"kid": f"x{number}"}))
    assert not keys._sooner.is_set()
    clock.now = 30.0
    with pytest.raises(Unavailable, match="not known yet"):
        keys.claims(issuer.token(head={"kid": "x"}).encode())
    assert keys._sooner.is_set()
    keys.look()
    refused(keys, issuer.token(head={"kid": "x"}))
    assert issuer.fetched == 2


def test_a_new_key_is_taken_and_one_that_is_gone_opens_nothing_any_more() -> None:
    issuer, clock = Issuer("ES256"), Clock()
    keys = met(issuer, clock)
    old, before = issuer.token(), keys.generation
    keys.look()
    assert keys.generation == before
    issuer.keys = {"k1": ("ES256", private("ES256"))}
    clock.now = 300.0
    keys.look()
    assert keys.claims(issuer.token("k1").encode())
    assert "none of its issuer's" in refused(keys, old)
    assert keys.generation == before + 1


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"keys": []}', b'{"keys": 7}', b'{"keys": [{"kty": "oct"}]}', b"[" * 9_999]
)
def test_while_the_issuer_is_away_or_says_nothing_its_last_keys_go_on_up_to_a_time(content: bytes) -> None:
    issuer, clock = Issuer("ES256"), Clock()
    keys = met(issuer, clock)
    assert keys.notes() == {}
    keys._fetch = lambda: content
    clock.now = 86_400.0
    keys.look()
    assert keys.claims(issuer.token().encode())
    assert "are taken for 0.0 h" in keys.notes()["tokens"].problem
    keys.ensure_known()
    clock.now = 86_401.0
    with pytest.raises(Unavailable, match="not known"):
        keys.ensure_known()
    with pytest.raises(Unavailable, match="not known"):
        keys.claims(issuer.token().encode())


def test_before_the_keys_are_known_nobody_is_called_a_stranger() -> None:
    issuer = Issuer()
    issuer.away = True
    with pytest.raises(Unavailable):
        met(issuer).claims(issuer.token().encode())


def test_a_thread_fetches_the_keys_from_a_real_address_when_one_is_missing() -> None:
    issuer = Issuer("ES256")
    with answering(issuer) as url:
        keys = IssuerKeys(fetching(url), least=0.0)
        keys.start()
        try:
            assert keys.claims(issuer.token().encode()) == claims()
            issuer.keys["k1"] = ("ES256", private("ES256"))
            token, issuer.asked = issuer.token("k1").encode(), type(issuer.asked)()
            with suppress(Unavailable):
                keys.claims(token)
            assert issuer.asked.wait(30)
            while True:
                with suppress(Unavailable):
                    assert keys.claims(token) == claims()
                    break
        finally:
            keys.close()


def test_what_is_too_large_or_elsewhere_is_not_taken() -> None:
    with answering(Issuer()) as url:
        for path in ("/large", "/moved"):
            keys = IssuerKeys(fetching(url.replace("/keys", path)))
            keys.look()
            assert "cannot be fetched" in keys.notes()["tokens"].problem


@pytest.mark.parametrize("url", ["", "http://login.bank.example/keys", "file:///etc/passwd", "ftp://127.0.0.1/keys", "data:,{}"])
def test_keys_come_over_no_way_that_anybody_can_change(url: str) -> None:
    with pytest.raises(Misconfigured, match="anybody can change"):
        fetching(url)


def test_no_algorithm_has_a_shared_secret() -> None:
    assert not [each for each in ALGORITHMS if each.startswith("HS") or each == "none"]
