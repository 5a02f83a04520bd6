"""The guard at the door: who asks, whether they may, whether they ask too much, and how long it may take. Plain ASGI (spec 2.3).

Health is never turned away: whoever looks after an overloaded service must be able to see that it lives. A request holds a place
from when its body is there until it was answered, so a slow sender takes nobody's place.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from models.errors import PlatformError, Unavailable
from serving.door.bodies import Header
from serving.door.deadlines import Deadlines
from serving.door.envelope import Application, Message, Receive, Scope, Send
from serving.door.holders import Holder
from serving.door.needs import Need, needed
from serving.door.refusals import AddressTooLong, HeadTooLarge, NotAuthenticated, Overloaded, TooLate
from serving.door.register import Register

MOST_HEADERS = 100
LONGEST_ADDRESS = 2_048
"""Characters of a path with its query, at most."""

_AUTHORIZATION, _BEARER = b"authorization", b"bearer "


@dataclass(frozen=True)
class Bounds:
    """Of one service process. `queued`: decisions that wait to be recorded; `arriving_bytes`: bodies that are not whole yet."""

    in_flight: int = 512
    queued: int = 100_000
    arriving_bytes: int = 256 * 2**20
    request_seconds: float = 30.0


class Guard:
    """`refusal` makes the response to whoever is turned away, given the request's id; `queued` says how many decisions wait."""

    def __init__(
        self,
        app: Application,
        register: Register,
        bounds: Bounds,
        refusal: Callable[[Exception, str], Application],
        queued: Callable[[], int],
    ) -> None:
        self._app = app
        self._register = register
        self._refusal = refusal
        self._queued = queued
        self.deadlines = Deadlines(bounds.request_seconds)
        self.bounds = bounds
        self.in_flight = 0
        self.arriving = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope["state"]
        try:
            _check_head(scope)
            need = needed(scope["path"])
            holder = state["holder"] = self._known(scope) if need.nothing else self._admitted(scope, need)
        except PlatformError as error:
            await self._refusal(error, state["request_id"])(scope, receive, send)
            return
        if need.nothing or holder is None:
            await self._app(scope, receive, send)
        else:
            await self._visited(_Visit(self, holder, receive, send), scope)

    def enter(self, need: Need, presented: Sequence[bytes]) -> Holder:
        """The same of a request whose body is there already, given its values of `authorization`: who asks, with a place that
        `leave` gives back. Nothing is counted if it raises: `NotAuthenticated`, `NotPermitted`, `TooManyRequests`, `Overloaded`.
        """
        holder = self._register.admit(_single(presented)) if self._register.closed else self._register.anybody
        holder.permit(need)
        if self._queued() >= self.bounds.queued or self.in_flight >= self.bounds.in_flight:
            raise Overloaded("more is worked on than may")
        holder.enter()
        try:
            holder.count()
        except PlatformError:
            holder.leave()
            raise
        self.in_flight += 1
        return holder

    def leave(self, holder: Holder) -> None:
        self.in_flight -= 1
        holder.leave()

    def _admitted(self, scope: Scope, need: Need) -> Holder:
        holder = self._register.admit(_presented(scope["headers"])) if self._register.closed else self._register.anybody
        holder.permit(need)
        holder.count()
        if self._queued() >= self.bounds.queued:
            raise Overloaded("more decisions wait to be recorded than may")
        return holder

    def _known(self, scope: Scope) -> Holder | None:
        """Whoever holds a key, for paths that need none."""
        try:
            return self._register.admit(_presented(scope["headers"]) if self._register.closed else None)
        except (NotAuthenticated, Unavailable):
            return None  # health is told to anybody

    async def _visited(self, visit: "_Visit", scope: Scope) -> None:
        loop, task, late = asyncio.get_running_loop(), asyncio.current_task(), False
        assert task is not None
        self.deadlines.begin(task, loop)
        try:
            if scope["method"] == "POST" or await self._entered(visit, scope):
                await self._app(scope, visit.receive, visit.send)
        except asyncio.CancelledError:
            if self.deadlines.end(task):
                raise  # cancelled by somebody else
            task.uncancel()
            late = True
        finally:
            self.deadlines.end(task)
            visit.leave()
        if late and not visit.started:
            refused = self._refusal(TooLate(self.deadlines.seconds), scope["state"]["request_id"])
            await refused(scope, visit.receive, visit.send)

    async def _entered(self, visit: "_Visit", scope: Scope) -> bool:
        """Whether there is a place for a request without a body, whose sender is told otherwise."""
        try:
            visit.enter()
        except PlatformError as error:
            await self._refusal(error, scope["state"]["request_id"])(scope, visit.receive, visit.send)
            return False
        return True


class _Visit:
    """One request, from its head to its answer."""

    __slots__ = ("_arrived", "_entered", "_guard", "_holder", "_receive", "_send", "started")

    def __init__(self, guard: Guard, holder: Holder, receive: Receive, send: Send) -> None:
        self._guard = guard
        self._holder = holder
        self._receive = receive
        self._send = send
        self._arrived = 0
        self._entered = False
        self.started = False

    async def receive(self) -> Message:
        """Takes a place when the body is there. Raises `Overloaded` or `TooManyRequests` if there is none."""
        message = await self._receive()
        if not self._entered and message["type"] == "http.request":
            if message.get("more_body", False):
                self._arrive(len(message["body"]))
            else:
                self.enter()
        return message

    def send(self, message: Message) -> Awaitable[None]:
        self.started = True
        return self._send(message)

    def enter(self) -> None:
        if self._guard.in_flight >= self._guard.bounds.in_flight:
            raise Overloaded("more requests are worked on than may")
        self._holder.enter()
        self._guard.in_flight += 1
        self._entered = True

    def leave(self) -> None:
        self._guard.arriving -= self._arrived
        if self._entered:
            self._guard.leave(self._holder)

    def _arrive(self, count: int) -> None:
        self._arrived += count
        self._guard.arriving += count
        if self._guard.arriving > self._guard.bounds.arriving_bytes:
            raise Overloaded("more bodies arrive at a time than may")


def _check_head(scope: Scope) -> None:
    if len(scope["headers"]) > MOST_HEADERS:
        raise HeadTooLarge(f"there are more than {MOST_HEADERS} headers", "send fewer")
    if len(scope["path"]) + len(scope["query_string"]) > LONGEST_ADDRESS:
        raise AddressTooLong(f"the address is longer than {LONGEST_ADDRESS:,} characters", "the paths are in /openapi.json")


def _presented(headers: Iterable[Header]) -> bytes | None:
    """The key that is presented, None for none. Raises `NotAuthenticated` if it is not clear which."""
    return _single([value for name, value in headers if name == _AUTHORIZATION])


def _single(found: Sequence[bytes]) -> bytes | None:
    if not found:
        return None
    if len(found) > 1 or found[0][: len(_BEARER)].lower() != _BEARER:
        raise NotAuthenticated("no single key is presented as Bearer", presented=True)
    return found[0][len(_BEARER) :].strip()
