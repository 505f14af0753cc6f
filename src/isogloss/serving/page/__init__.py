"""The page at `/`: files of this package, which need nothing from elsewhere."""

from __future__ import annotations

from importlib.resources import files

from fastapi import FastAPI, Request, Response

_FILES = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
PATHS = tuple(_FILES)
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add_page(app: FastAPI) -> None:
    """Add the page and its files to an application."""
    here = files("isogloss.serving.page")
    for path, (name, kind) in _FILES.items():
        _add_file(app, path, (here / name).read_bytes(), kind)


def _add_file(app: FastAPI, path: str, content: bytes, kind: str) -> None:
    headers = {"content-security-policy": _POLICY, "cache-control": "no-cache"}

    async def file(_: Request) -> Response:
        return Response(content, media_type=kind, headers=headers)

    app.add_route(path, file, methods=["GET"], include_in_schema=False)
