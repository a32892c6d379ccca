"""The study over HTTP: one page, the listed films, and five small requests.

Starlette and uvicorn do what a web server must get right: parsing, ranges of films (without which
Safari plays none), slow and broken connections. A participant is a random token in a cookie that no
script can read. Nothing that the page is sent says whose film is whose.
"""

import json
import socket
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.errors import MienError
from mien.study.films import Films
from mien.study.plan import CHECKS, CHOICES, QUESTIONS, draw
from mien.study.store import Screen, StaleError, Store

PAGE = Path(__file__).with_name("page")
FILES = {
    "/": ("index.html", "text/html"),
    "/study.css": ("study.css", "text/css"),
    "/study.js": ("study.js", "text/javascript"),
}
MAX_BODY = 1024
"""bytes of a request; the largest that the page sends has sixty"""
MAX_CONNECTIONS = 256
MONTH = 30 * 24 * 3600
HALF = 0.5
"""of the film: how far the wrong side of a `late` check runs ahead"""
PATIENCE = 2
"""seconds that a stopping server waits for connections"""
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; media-src 'self'; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True)
class Site:
    """A study as it is served."""

    films: Films
    store: Store
    pairs: int | None = None
    """that each participant judges; None for all"""
    checks: int = CHECKS
    """attention checks among them"""

    @property
    def cookie(self) -> str:
        """The cookie's name: cookies do not tell ports apart, so each study has its own."""
        return f"mien-study-{self.films.fingerprint[:12]}"

    @property
    def length(self) -> int:
        """How many screens a participant sees."""
        return min(self.pairs or len(self.films.pairs), len(self.films.pairs)) + self.checks

    def state(self, token: str | None) -> dict[str, Any]:
        """What the page shows: `new`, `judging` or `done`, and the films of the moment."""
        screen = self.store.screen(token)
        if screen is None:
            return {"phase": "new", "total": self.length}
        if screen.task is None:
            return {"phase": "done", "total": screen.total}
        return {"phase": "judging", **self._shown(screen)}

    def _shown(self, screen: Screen) -> dict[str, Any]:
        task = screen.task
        assert task is not None
        pair = self.films.by_name[task.pair]
        sides = {
            side: {
                "film": f"/film/{pair.film(system).key}",
                "start": HALF if task.late == side else 0.0,
            }
            for side, system in (("left", task.left), ("right", task.right))
        }
        return {
            "place": screen.place,
            "total": screen.total,
            "description": pair.description,
            "answers": screen.answers,
            **sides,
        }

    def begin(self) -> str:
        """Take in a participant; return their token."""
        tasks = draw(self.store.judged(), pairs=self.pairs, checks=self.checks)
        return self.store.begin(tasks)


def application(site: Site) -> Starlette:
    """The study as an ASGI application."""

    def token(request: Request) -> str | None:
        return request.cookies.get(site.cookie)

    async def state(request: Request) -> Response:
        return _said(await run_in_threadpool(site.state, token(request)))

    async def start(request: Request) -> Response:
        """Begin, or go on where this browser has begun."""
        await _sent(request, {})
        now = await _kept(site.state, token(request))
        if now["phase"] != "new":
            return _said(now)
        new = await _kept(site.begin)
        response = _said(await run_in_threadpool(site.state, new))
        response.set_cookie(
            site.cookie, new, max_age=MONTH, httponly=True, samesite="strict", path="/"
        )
        return response

    async def answer(request: Request) -> Response:
        sent = await _sent(request, {"place": int, "question": str, "choice": str})
        if sent["question"] not in QUESTIONS or sent["choice"] not in CHOICES:
            raise HTTPException(400, "no such question or choice")
        await _kept(site.store.answer, token(request), **sent)
        return _said({"saved": True})

    async def finish(request: Request) -> Response:
        sent = await _sent(request, {"place": int})
        await _kept(site.store.finish, token(request), **sent)
        return _said(await run_in_threadpool(site.state, token(request)))

    async def leave(request: Request) -> Response:
        """Make room for the next person at this browser; what was answered stays."""
        await _sent(request, {})
        response = _said(await run_in_threadpool(site.state, None))
        response.delete_cookie(site.cookie, path="/", httponly=True, samesite="strict")
        return response

    async def film(request: Request) -> Response:
        """One of the listed films by its key: no path is ever made of what was sent."""
        found = site.films.by_key.get(request.path_params["key"])
        if found is None or not found.path.is_file():
            raise HTTPException(404)
        headers = {"cache-control": "private, max-age=86400"}
        return FileResponse(found.path, media_type=found.media_type, headers=headers)

    async def page(request: Request) -> Response:
        name, kind = FILES[request.url.path]
        return FileResponse(PAGE / name, media_type=kind, headers={"cache-control": "no-cache"})

    routes = [
        *(Route(path, page) for path in FILES),
        Route("/film/{key}", film),
        Route("/api/state", state),
        Route("/api/start", start, methods=["POST"]),
        Route("/api/answer", answer, methods=["POST"]),
        Route("/api/finish", finish, methods=["POST"]),
        Route("/api/leave", leave, methods=["POST"]),
    ]
    return Starlette(routes=routes, middleware=[Middleware(_Headers)])


def listen(host: str, port: int) -> socket.socket:
    """Take a port, 0 for any that is free; MienError where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
        taken.listen(128)
    except (OSError, OverflowError) as error:
        taken.close()
        reason = getattr(error, "strerror", None) or error
        raise MienError(f"cannot listen at {host} port {port} ({reason}); choose --port") from error
    return taken


def address(taken: socket.socket) -> str:
    """The URL at which a socket is reached."""
    host, port = taken.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def serve(site: Site, taken: socket.socket) -> None:
    """Serve until Ctrl-C."""
    try:
        server(site).run(sockets=[taken])
    except KeyboardInterrupt:  # which uvicorn raises again after it has stopped
        pass
    finally:
        taken.close()


def server(site: Site) -> uvicorn.Server:
    """The server, not yet running."""
    return uvicorn.Server(
        uvicorn.Config(
            application(site),
            http="h11",
            ws="none",
            lifespan="off",
            log_level="error",
            access_log=False,
            server_header=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_graceful_shutdown=PATIENCE,
        )
    )


async def _sent(request: Request, fields: dict[str, type]) -> dict[str, Any]:
    """The JSON object of a request, held to its fields. Other sites cannot send this type."""
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise HTTPException(415, "send application/json")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            raise HTTPException(413)
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "not JSON") from None
    if not isinstance(sent, dict) or {name: type(sent[name]) for name in sent} != fields:
        raise HTTPException(400, f"send {', '.join(fields) or 'an empty object'}")
    if not 0 <= sent.get("place", 0) < 2**31:
        raise HTTPException(400, "no such place")
    return sent


async def _kept(act: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Do something with the answers in a thread; what cannot be is said with its status."""
    try:
        return await run_in_threadpool(partial(act, *arguments, **named))
    except StaleError as error:
        raise HTTPException(409, str(error)) from error
    except sqlite3.Error as error:  # a full disk, say: the page tries again
        raise HTTPException(503, "the answer could not be kept") from error


def _said(content: dict[str, Any]) -> Response:
    return JSONResponse(content, headers={"cache-control": "no-store"})


class _Headers:
    """Adds the headers that keep a browser from doing more than the page needs."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    *((name.encode(), value.encode()) for name, value in HEADERS.items()),
                ]
            await send(message)

        await self.app(scope, receive, dressed)
