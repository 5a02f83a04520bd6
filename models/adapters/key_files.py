"""Keys in a folder: private ones as PEM files that only their owner may read, public ones in `trust.json`.

In the local profile missing keys are made on first use. In production they are mounted, and a missing one stops the start.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from models.adapters import durable
from models.adapters.private import tightened
from models.bundle import canonical
from models.errors import Misconfigured, Unavailable
from models.governance.approval import DEMONSTRATION_APPROVER as DEMONSTRATION_APPROVER
from models.governance.signing import Duty, Signer, Trust

PUBLISHER = "pipeline"
WITNESS = "ledger"
LOCAL_SIGNERS = {PUBLISHER: Duty.PUBLISH, DEMONSTRATION_APPROVER: Duty.APPROVE, WITNESS: Duty.ATTEST}


_MOUNT = "put the key back from its backup, or mount it there, as unencrypted PEM; one that is made anew counts for nothing"


def signer(folder: Path, name: str, duty: Duty, passphrase: str = "") -> Signer:
    """The signer whose private key is `<duty>-<name>.pem` in `folder`; a job's key has no passphrase. Raises `Misconfigured`."""
    path = key_path(folder, name, duty)
    if not path.exists():
        hint = f"is {name!r} the right name, and STEWARD_PIPELINES_APPROVER_KEYS the right folder? make approver makes a key"
        raise Misconfigured(f"there is no private key to {duty} at {path}", hint=hint if passphrase else _MOUNT)
    try:
        key = load_pem_private_key(tightened(path).read_bytes(), password=passphrase.encode() or None)
    except (OSError, ValueError, TypeError) as error:
        raise Misconfigured(
            f"{path} cannot be opened", hint="the passphrase is wrong, or it is no PEM key" if passphrase else _MOUNT
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(f"{path} is not an Ed25519 key", hint="make one with `openssl genpkey -algorithm ed25519`")
    return Signer(name, duty, key)


def trust(path: Path, *, demonstration: bool = False) -> Trust:
    """Whose signatures count; those of a demonstration only if said so, in the local profile.

    Raises `Misconfigured` if the file is missing or broken, or if one key stands under two names or duties: two
    signatures must be of two people.
    """
    try:
        keys: dict[str, dict[str, str]] = {Duty(duty): dict(names) for duty, names in json.loads(path.read_bytes()).items()}
        return trust_of(keys, path, demonstration=demonstration)
    except FileNotFoundError as error:
        raise Misconfigured(
            f"there is no trust file at {path}", hint="`make train` makes one in the local profile; else set STEWARD_TRUST_FILE"
        ) from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise Misconfigured(
            f"the trust file {path} cannot be read", hint='it is {"publish": {name: base64 key}, "approve": {...}, "attest": ...}'
        ) from error


def trust_of(keys: Mapping[str, Mapping[str, str]], path: Path, *, demonstration: bool = False) -> Trust:
    """Raises `Misconfigured` if one key stands twice, `ValueError` if one is no key. `path` is for the message."""
    raw = [_raw(key) for names in keys.values() for key in names.values()]
    if len(set(raw)) < len(raw):
        raise Misconfigured(
            f"the trust file {path} gives one key two names or two duties",
            hint="maker, checker and witness hold different keys, and so do two approvers",
        )
    return Trust(keys, demonstration)


def keep_trust(path: Path, changed: Trust) -> None:
    """Raises `Unavailable` where somebody else administers the trust file."""
    try:
        durable.replace(path, canonical(changed.keys))
    except OSError as error:
        raise Unavailable(
            f"the trust file {path} cannot be written: {error.strerror}", hint="whoever administers it makes this change"
        ) from error


def make_local_keys(folder: Path, trust_path: Path) -> None:
    """Make what is missing of the local profile's keys, and the trust file. Several processes may do so at once.

    A key that the trust file lists already is never made again: it was lost, and another one would count for nothing.
    """
    known = trust(trust_path).keys if trust_path.exists() else {}  # read first: it is written once all keys are there
    for name, duty in LOCAL_SIGNERS.items():
        path = key_path(folder, name, duty)
        if not path.exists() and name not in known.get(duty, {}):
            pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            _unless_there(path, pem, 0o600)
    if not known:
        public = {str(duty): {name: signer(folder, name, duty).public()} for name, duty in LOCAL_SIGNERS.items()}
        _unless_there(trust_path, canonical(public), 0o644)
    elif Duty.ATTEST not in known:  # a home of before there was a witness
        witness = {WITNESS: signer(folder, WITNESS, Duty.ATTEST).public()}
        durable.replace(trust_path, canonical({**known, Duty.ATTEST: witness}))


def key_path(folder: Path, name: str, duty: Duty) -> Path:
    return folder / f"{duty}-{name}.pem"


def _unless_there(path: Path, data: bytes, mode: int) -> None:
    try:
        durable.create(path, data, mode)
    except FileExistsError:
        return  # another process was first: its key counts


def _raw(key: str) -> bytes:
    found = base64.b64decode(key, validate=True)
    if len(found) != 32:
        raise ValueError("an Ed25519 public key has 32 bytes")
    return found
