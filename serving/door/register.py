"""Who may come in: the holders of keys and of tokens, or anybody while nobody needs one. Nothing here knows of HTTP.

A key that is presented is looked up by its SHA-256, and the two hashes are compared in constant time. Whoever measures the
look-up learns how hashes begin, which tells nothing about a key of 256 random bits.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from ipaddress import ip_address

from models.clock import Clock
from models.errors import Misconfigured, PlatformError
from models.governance.api_keys import Allowance, ApiKey, State
from serving.door.holders import OPEN, Holder
from serving.door.refusals import NotAuthenticated
from serving.door.tokens import Tokens


class Register:
    """`take_over` has one caller at a time; the others are for one event loop, and may run beside it."""

    def __init__(self, clock: Clock, open_to_all: Allowance = OPEN, tokens: Tokens | None = None) -> None:
        """`tokens`: who may come in with one; None takes none."""
        self._clock = clock
        self._tokens = tokens
        self.anybody = Holder(None, open_to_all)
        self._holders: dict[bytes, Holder] = {}
        self._closed = tokens is not None

    @property
    def closed(self) -> bool:
        """Whether a key or a token is needed. It stays so while the process lives: an end of the last key opens no door."""
        return self._closed

    def take_over(self, keys: Sequence[ApiKey], *, any_files: bool) -> None:
        """The keys that there are now. A holder whose key is the same keeps what was counted."""
        known = {holder.key: holder for holder in self._holders.values()}
        self._holders = {bytes.fromhex(key.digest): known.get(key) or Holder(key, key.allowance) for key in keys}
        self._closed = self._closed or any_files

    def admit(self, secret: bytes | None) -> Holder:
        """Who presents this; None for nothing. Raises `NotAuthenticated`."""
        if not self._closed:
            return self.anybody
        if secret is None:
            raise NotAuthenticated("this service answers holders of an API key", presented=False)
        if self._tokens and b"." in secret:  # no key has one, every token has
            return self._tokens.admit(secret, self._clock.now())
        digest = sha256(secret).digest()
        holder = self._holders.get(digest)
        if holder is None or not isinstance(holder.key, ApiKey) or not holder.has(digest):
            raise NotAuthenticated("this is no key of this service", presented=True)
        if holder.key.state(self._clock.now()) is not State.IN_FORCE:
            raise NotAuthenticated("this key is no longer in force", presented=True)
        return holder

    def notes(self) -> Mapping[str, PlatformError]:
        """What is wrong with what tokens are verified by."""
        return self._tokens.notes() if self._tokens else {}


def loopback(host: str) -> bool:
    """Whether only this machine reaches the address. Of a name nobody knows."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def ensure_guarded(*, local: bool, loopback: bool, keys: bool, elsewhere: bool = False) -> None:
    """Raises `Misconfigured` where a service would answer whoever asks. `elsewhere`: another guard stands before it."""
    if keys or elsewhere or (local and loopback):
        return
    where = "on an address that others reach" if local else "outside the local profile"
    raise Misconfigured(
        f"there is no API key, and without one a service does not answer {where}",
        hint="make api-key NAME=… MODELS=… ACTIONS=… DAYS=… BY=… REASON=…" + ("; or unset STEWARD_SERVING_HOST" if local else ""),
    )
