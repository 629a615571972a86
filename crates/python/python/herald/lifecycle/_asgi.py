"""ASGI app that reports health over HTTP."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from herald.lifecycle._lifecycle import Lifecycle

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class HealthApp:
    """Answers `/live` and `/ready` below its mount point with 200 or 503."""

    def __init__(self, lifecycle: "Lifecycle") -> None:
        self._lifecycle = lifecycle

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = str(scope["path"]).rstrip("/")
        if path.endswith("/live"):
            health = await self._lifecycle.liveness()
        elif path.endswith("/ready"):
            health = await self._lifecycle.readiness()
        else:
            await _answer(send, 404, {"status": "not found"})
            return
        await _answer(send, 200 if health.is_ok else 503, health.to_dict())


async def _answer(send: Send, status: int, body: dict[str, object]) -> None:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
