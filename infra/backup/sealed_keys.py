"""The keys of a home in one file that only a passphrase opens. Keep it elsewhere than the backup."""

import os
import tarfile
from io import BytesIO
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from models.adapters import durable
from models.errors import Integrity, Misconfigured, NotFound

SHORTEST = 12
_FORMAT = b"steward-keys-1\n"


def seal(keys: Path, file: Path, passphrase: str) -> None:
    """Raises `Misconfigured` for a passphrase that is short, `NotFound` without keys."""
    if len(passphrase) < SHORTEST:
        raise Misconfigured(
            f"the passphrase of the keys has fewer than {SHORTEST} characters",
            hint="set BACKUP_PASSPHRASE, and keep it elsewhere",
        )
    if not keys.is_dir():
        raise NotFound(f"there are no keys in {keys}", hint="name the home: STEWARD_HOME")
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(keys, arcname="keys")
    salt, nonce = os.urandom(16), os.urandom(12)
    closed = ChaCha20Poly1305(_key(passphrase, salt)).encrypt(nonce, packed.getvalue(), _FORMAT)
    durable.replace(file, _FORMAT + salt + nonce + closed)
    file.chmod(0o600)


def opened(file: Path, passphrase: str) -> bytes:
    """What `lay_down` takes. Raises `NotFound`; `Integrity` for another passphrase or an edited file."""
    if not file.is_file():
        raise NotFound(f"there are no sealed keys {file}", hint="name the file: KEYS")
    data = file.read_bytes()
    head = len(_FORMAT)
    salt, nonce, closed = data[head : head + 16], data[head + 16 : head + 28], data[head + 28 :]
    try:
        return ChaCha20Poly1305(_key(passphrase, salt)).decrypt(nonce, closed, data[:head])
    except InvalidTag as error:
        raise Integrity(f"{file} does not open with this passphrase, or was edited", hint="try another copy of it") from error


def lay_down(keys: bytes, home: Path) -> None:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tarfile.open(fileobj=BytesIO(keys)) as archive:
        archive.extractall(home, filter="data")
    for path in (home / "keys").rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode())
