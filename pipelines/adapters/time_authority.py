"""A time-stamp service by RFC 3161: asked over HTTP (its section 3.4), believed only under the given root certificates."""

from datetime import datetime
from pathlib import Path

import httpx
from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, VerificationError, VerifierBuilder, decode_timestamp_response

from models.errors import Integrity, Misconfigured, Unavailable

PATIENCE_SECONDS = 3.0
"""Below the five seconds in which a stop must act."""


class TimeAuthority:
    """`roots` is a PEM file with the certificates that an answer must lead to. Without a `url` it only checks."""

    def __init__(self, url: str, roots: Path, patience: float = PATIENCE_SECONDS) -> None:
        self._url = url
        self._roots = roots
        self._patience = patience

    def stamp(self, data: bytes) -> bytes:
        request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
        headers = {"content-type": "application/timestamp-query"}
        try:
            answer = httpx.post(self._url, content=request.as_bytes(), headers=headers, timeout=self._patience).raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(
                f"the time-stamp service {self._url} does not answer: {error}", hint="see STEWARD_TIMESTAMP_URL"
            ) from error
        self._verified(answer.content, data, request.nonce)
        return answer.content

    def time(self, token: bytes, data: bytes) -> datetime:
        return self._verified(token, data, None)

    def _verified(self, token: bytes, data: bytes, nonce: int | None) -> datetime:
        verifier = VerifierBuilder(roots=self._certificates(), nonce=nonce).build()
        try:
            response = decode_timestamp_response(token)
            verifier.verify_message(response, data)
        except (VerificationError, ValueError) as error:
            raise Integrity(
                f"a time stamp is not one of these bytes by an authority under {self._roots.name}: {error}",
                hint="are these the certificates of the service that stamped? see STEWARD_TIMESTAMP_ROOTS",
            ) from error
        return response.tst_info.gen_time

    def _certificates(self) -> list[Certificate]:
        try:
            return load_pem_x509_certificates(self._roots.read_bytes())
        except (OSError, ValueError) as error:
            raise Misconfigured(
                f"there are no certificates in {self._roots}", hint="STEWARD_TIMESTAMP_ROOTS names the service's roots, as PEM"
            ) from error
