"""What stands before the routes: who may ask, how much, for how long; and what every answer carries.

Plain ASGI, so that nothing of a request is read before it was looked at.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from isogloss.serving.refusals import Overloaded, Refused
from isogloss.serving.settings import ServingSettings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(:\d{1,5})?", re.IGNORECASE)
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
_UNLESS_SET = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


@dataclass(slots=True)
class Served:
    """One request, for the log and the metrics.

    Attributes:
        method: of HTTP, or "OTHER".
        route: the route's path, or "none"; never the path that was asked for, which may hold anything.
        status: of the answer; 499 where the client went away first.
        sent: whether the whole answer was sent.
        seconds: from the request's head to the end of the answer.
        number: a random name of the request, which the client gets too.
        facts: what the route had to say of it.
        error: what went wrong in the server, if anything did.
    """

    method: str
    route: str
    number: str
    status: int = 0
    sent: bool = False
    seconds: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)
    error: BaseException | None = None


class Guard:
    """Lets requests through that keep to the settings, and answers the others itself.

    Args:
        app: the application with the routes.
        settings: what to keep to.
        routes: paths that there are.
        open_paths: those of them that need no key.
        served: told of every request once it is over.
    """

    def __init__(
        self,
        app: App,
        settings: ServingSettings,
        *,
        routes: Iterable[str],
        open_paths: Iterable[str],
        served: Callable[[Served], None],
    ) -> None:
        self.app = app
        self.settings = settings
        self._routes = frozenset(routes)
        self._open = frozenset(open_paths)
        self._served = served
        self._hosts = settings.host_names
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        until = asyncio.get_running_loop().time() + self.settings.timeout
        request = Served(
            method=scope["method"] if scope["method"] in _METHODS else "OTHER",
            route=scope["path"] if scope["path"] in self._routes else "none",
            number=secrets.token_hex(8),
        )
        scope.setdefault("state", {})["served"] = request

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.status = message["status"]
                there = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *_ALWAYS,
                    *(pair for pair in _UNLESS_SET if pair[0] not in there),
                    (b"x-request-id", request.number.encode()),
                ]
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                request.sent = True

        self._under_way += 1
        try:
            self._check_head(scope)
            # Whether the server lives is answered however much there is to do.
            if self._under_way > self.settings.requests and scope["path"] != "/health":
                raise Overloaded(f"{self.settings.requests} requests are under way")
            body = await self._whole_body(receive, until)
            await self._run(scope, body, receive, answer, request, until)
        except Refused as refusal:
            if not request.status:
                await _refuse(refusal, answer)
        except _Gone:
            request.status = request.status or 499
        except asyncio.CancelledError:
            # The server stops, and this took longer than it waits.
            request.status = request.status or 503
            raise
        except Exception as error:
            request.error = error
            if not request.status:
                await _refuse(Refused(500, f"something went wrong in the server: {request.number}"), answer)
        finally:
            self._under_way -= 1
            request.seconds = time.perf_counter() - began
            self._served(request)

    def _check_head(self, scope: Scope) -> None:
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value)
        self._check_host(headers.get(b"host", []))
        try:
            unquote_to_bytes(scope.get("query_string", b"")).decode()
        except UnicodeDecodeError:
            raise Refused(400, "the query string is not UTF-8") from None
        if self.settings.api_key is not None and scope["path"] not in self._open:
            self._check_key(headers.get(b"authorization", []))
        for value in headers.get(b"content-length", []):
            if value.isdigit() and int(value[:20]) > self.settings.body_bytes:
                raise self._too_large()

    def _check_host(self, given: list[bytes]) -> None:
        if self._hosts is None:
            return
        found = _HOST.fullmatch(given[0].decode("latin-1")) if len(given) == 1 else None
        if found is None or found[1].strip("[]").lower() not in self._hosts:
            raise Refused(
                400,
                "the server is not known by the name in the Host header; it can be started with --allow-host NAME",
            )

    def _check_key(self, given: list[bytes]) -> None:
        assert self.settings.api_key is not None
        scheme, _, key = (given[0] if len(given) == 1 else b"").partition(b" ")
        right = hmac.compare_digest(key.strip(), self.settings.api_key.encode())
        if not right or scheme.lower() != b"bearer":
            wrong = "the API key is wrong" if given else "an API key is needed"
            raise Refused(
                401,
                f"{wrong}; send it as `Authorization: Bearer KEY`",
                headers={"www-authenticate": "Bearer"},
            )

    async def _whole_body(self, receive: Receive, until: float) -> bytes:
        """Read the body, however it is sent, no further than the limit."""
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout_at(until):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Gone
                    part = message.get("body", b"")
                    size += len(part)
                    if size > self.settings.body_bytes:
                        raise self._too_large()
                    parts.append(part)
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            raise Refused(
                504, f"the request did not arrive whole in {self.settings.timeout:g} seconds", headers=_CLOSE
            ) from None

    async def _run(
        self, scope: Scope, body: bytes, receive: Receive, send: Send, request: Served, until: float
    ) -> None:
        """Run the routes until they are done, the client goes away, or the time is over."""
        unread = [body]
        over = asyncio.Event()

        async def replay() -> Message:
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            await over.wait()
            return {"type": "http.disconnect"}

        running = asyncio.ensure_future(self.app(scope, replay, send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait(
                (running, leaving),
                timeout=until - asyncio.get_running_loop().time(),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if running.done() or request.sent:
                await running
            elif leaving.done():
                leaving.result()
                raise _Gone
            else:
                raise Refused(504, f"no answer in {self.settings.timeout:g} seconds; try again later")
        finally:
            over.set()
            for task in (running, leaving):
                if not task.done():
                    task.cancel()
                    with suppress(asyncio.CancelledError, Exception):
                        await task

    def _too_large(self) -> Refused:
        # The rest of the body stays unread, so the connection cannot be used again.
        return Refused(
            413,
            f"the body is larger than {self.settings.body_bytes:,} bytes; send less at once",
            headers=_CLOSE,
        )


_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_CLOSE = {"connection": "close"}


class _Gone(Exception):  # noqa: N818 - the client's doing
    """The client went away."""


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(refusal: Refused, send: Send) -> None:
    body = refusal.body()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **refusal.headers}
    await send(
        {
            "type": "http.response.start",
            "status": refusal.status,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})
