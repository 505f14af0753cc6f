"""Run the application until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from isogloss.errors import Interrupted, OutputError
from isogloss.search import Searcher
from isogloss.serving.app import make_app
from isogloss.serving.guard import App
from isogloss.serving.logs import ServerLog, UvicornHandler
from isogloss.serving.settings import ServingSettings

_SECONDS_TO_FINISH = 10


def serve(searcher: Searcher, settings: ServingSettings) -> None:
    """Serve an index until SIGTERM or Ctrl-C; what is under way then is still answered.

    Args:
        searcher: the index and its model.
        settings: where and how.

    Raises:
        OutputError: the address or port cannot be had.
        Interrupted: it was Ctrl-C.
    """
    log = ServerLog(questions=settings.log_questions)
    with listening_socket(settings.host, settings.port) as listening:
        port = listening.getsockname()[1]
        server = http_server(make_app(searcher, settings, log))
        shown = f"[{settings.host.strip('[]')}]" if ":" in settings.host else settings.host
        log.write("started", url=f"http://{shown}:{port}/", key_needed=settings.api_key is not None)
        with _uvicorn_logs_to(log), _noted_signals() as got:
            asyncio.run(server.serve(sockets=[listening]))
        log.write("stopped")
    if signal.SIGINT in got:
        raise Interrupted("stopped")


def http_server(app: App) -> uvicorn.Server:
    """Make the HTTP server, which does not run yet."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            # Its parser in Python bounds a request's head, which the one in C does not.
            http="h11",
            ws="none",
            lifespan="on",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            log_config=None,
            timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        )
    )


def listening_socket(host: str, port: int) -> socket.socket:
    """Listen on an address.

    Raises:
        OutputError: it cannot be had.
    """
    host = host.strip("[]")
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise OutputError(
            f"{host}, port {port}: cannot listen there: {error.strerror or error}; choose another --port or --host"
        ) from error
    return found


@contextmanager
def _uvicorn_logs_to(log: ServerLog) -> Iterator[None]:
    """Let what uvicorn has to say be written into the one log."""
    logger = logging.getLogger("uvicorn.error")
    handler, propagated = UvicornHandler(log), logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated


@contextmanager
def _noted_signals() -> Iterator[set[int]]:
    """Note signals instead of ending the process: the HTTP server raises them again once it has shut down."""
    got: set[int] = set()

    def note(number: int, _: FrameType | None) -> None:
        got.add(number)

    numbers = [signal.SIGTERM, signal.SIGINT]
    if sys.platform == "win32":
        numbers.append(signal.SIGBREAK)
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield got
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
