"""The keys of homes that deliver: a home's own, and those that its trust file lists to deliver here."""

import re
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from models.adapters import durable
from models.adapters.key_files import keep_trust, key_path, signer, trust, trust_of
from models.errors import Conflict, Misconfigured, NotFound
from models.governance.signing import Duty, Signer, Trust

_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")


class SenderKeys:
    def __init__(self, folder: Path, trust_file: Path) -> None:
        self._folder = folder
        self._trust_file = trust_file

    def own(self, name: str) -> Signer:
        """What this home sends with. Raises `Misconfigured` if there is no such key."""
        return signer(self._folder, _checked(name), Duty.DELIVER)

    def make(self, name: str) -> Signer:
        """The key of this home, made unless it is there."""
        path = key_path(self._folder, _checked(name), Duty.DELIVER)
        if not path.exists():
            pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            durable.create(path, pem, 0o600)
        return self.own(name)

    def proposed(self, name: str, key: str) -> Trust:
        """The trust file with this sender. Raises `Conflict` if another key is listed, `Misconfigured` if it is no key."""
        now = trust(self._trust_file)
        known = dict(now.keys.get(Duty.DELIVER, {}))
        if known.get(_checked(name), key) != key:
            raise Conflict(f"another key is listed as {name}", hint=f"take it out first: make dismiss-sender NAME={name}")
        return self._changed(now, {**known, name: key})

    def without(self, name: str) -> Trust:
        """The trust file without this sender. Raises `NotFound`."""
        now = trust(self._trust_file)
        known = dict(now.keys.get(Duty.DELIVER, {}))
        if known.pop(name, None) is None:
            raise NotFound(f"{name} does not deliver here", hint=f"those who do: {', '.join(sorted(known)) or 'nobody'}")
        return self._changed(now, known)

    def write(self, changed: Trust) -> None:
        """Raises `Unavailable` where somebody else administers the trust file."""
        keep_trust(self._trust_file, changed)

    def _changed(self, now: Trust, senders: dict[str, str]) -> Trust:
        keys = {**now.keys, Duty.DELIVER: senders}
        try:
            return replace(now, keys=trust_of(keys, self._trust_file).keys)
        except ValueError as error:
            raise Misconfigured("that is no public key", hint="copy what make sender said in the sending home") from error


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Misconfigured(f"{name!r} cannot be the name of a home", hint="small letters, digits and hyphens: staging")
    return name
