"""Approvers' own keys: made by the person, admitted into the trust file by whoever administers it, taken out again."""

import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from models.adapters import durable
from models.adapters.key_files import LOCAL_SIGNERS, keep_trust, key_path, signer, trust, trust_of
from models.bundle import canonical
from models.errors import Conflict, Misconfigured, NotFound, Unavailable
from models.governance.signing import Duty, Signer

SHORTEST_PASSPHRASE = 10
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")


class ApproverKeys:
    """`own` holds private keys and lies outside the project; `proposed` takes public keys that wait to be admitted."""

    def __init__(self, own: Path, proposed: Path, trust_file: Path) -> None:
        self._own = own.expanduser()
        self._proposed = proposed
        self._trust_file = trust_file

    def make(self, name: str, passphrase: str) -> tuple[Path, Path]:
        """A key pair: the encrypted private key, which only its owner may read, and the proposal of the public one.

        Raises `Conflict` if there is one already, `Misconfigured` for a name or a passphrase that will not do.
        """
        if name in LOCAL_SIGNERS:
            raise Misconfigured(
                f"{name!r} cannot be an approver's name: it is reserved for a job", hint="take a person's: ana-perez"
            )
        if not _NAME.fullmatch(name):
            raise Misconfigured(f"{name!r} cannot be an approver's name", hint="small letters, digits and hyphens: ana-perez")
        if len(passphrase) < SHORTEST_PASSPHRASE:
            raise Misconfigured("the passphrase is too short", hint=f"at least {SHORTEST_PASSPHRASE} characters")
        sealed = BestAvailableEncryption(passphrase.encode())
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed)
        path, proposal = key_path(self._own, name, Duty.APPROVE), self._proposal(name)
        try:
            self._own.mkdir(mode=0o700, parents=True, exist_ok=True)
            durable.create(path, pem, 0o600)
            public = self.open(name, passphrase).public()
            durable.replace(proposal, canonical({Duty.APPROVE: {name: public}}))
        except FileExistsError as error:
            raise Conflict(f"{name} has a key already: {path}", hint="move it away to make another one") from error
        except OSError as error:
            raise Unavailable(f"{error.filename} cannot be written: {error.strerror}", hint="see the settings") from error
        return path, proposal

    def open(self, name: str, passphrase: str) -> Signer:
        """Raises `Misconfigured` if there is no such key or the passphrase is wrong."""
        return signer(self._own, name, Duty.APPROVE, passphrase)

    def proposal(self, name: str) -> str:
        """The public key of who may be admitted. Raises `NotFound`, `Conflict`, `Misconfigured`."""
        path = self._proposal(name)
        key = trust(path).keys.get(Duty.APPROVE, {}).get(name) if path.exists() else None
        if key is None:
            raise NotFound(f"nobody proposed {name}", hint=f"they run: make approver NAME={name}")
        approvers = self._approvers()
        if approvers.get(name, key) != key:
            raise Conflict(f"another key is trusted as {name}", hint=f"take it out first: make distrust NAME={name}")
        trust_of({**trust(self._trust_file).keys, Duty.APPROVE: {**approvers, name: key}}, self._trust_file)
        return key

    def admit(self, name: str) -> str:
        """Trust a proposed approver; the public key. Raises as `proposal` does, and `Unavailable`."""
        key = self.proposal(name)
        self._write({**self._approvers(), name: key})
        return key

    def dismiss(self, name: str) -> str:
        """Trust an approver no longer; the public key. What they approved stops counting at once. Raises `NotFound`."""
        approvers = self._approvers()
        if name not in approvers:
            raise NotFound(f"{name} is not trusted to approve", hint=f"trusted: {', '.join(sorted(approvers)) or 'nobody'}")
        key = approvers.pop(name)
        self._write(approvers)
        return key

    def _approvers(self) -> dict[str, str]:
        return dict(trust(self._trust_file).keys.get(Duty.APPROVE, {}))

    def _write(self, approvers: dict[str, str]) -> None:
        keep_trust(self._trust_file, trust_of({**trust(self._trust_file).keys, Duty.APPROVE: approvers}, self._trust_file))

    def _proposal(self, name: str) -> Path:
        return self._proposed / f"{name}.json"
