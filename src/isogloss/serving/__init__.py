"""Serve an index over HTTP: an API and one page.

    guard (host, key, limits, time) -> app (routes) -> service -> batching (the model's thread), threads (the index)
    server: runs it;  page/: the page;  schemas, refusals: the forms of requests, answers and errors

`make_app` gives an ASGI application for any server; `serve` runs one.
"""

from isogloss.serving.app import make_app
from isogloss.serving.server import serve
from isogloss.serving.settings import ServingSettings

__all__ = ["ServingSettings", "make_app", "serve"]
