"""Where an OpenAI-compatible server is, and the key for it."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from isogloss.errors import ModelError

SCHEME = "openai:"
KEY_VARIABLE = "OPENAI_API_KEY"

_OPENAI = "https://api.openai.com/v1"


def parse_endpoint(model: str, path: str) -> tuple[str, str]:
    """Take ``openai:MODEL@URL`` apart.

    Args:
        model: the URL up to and including ``/v1``, or with `path`; without one it is OpenAI's.
        path: what follows ``/v1`` in requests, e.g. ``/embeddings``.

    Returns:
        The model's name, and the URL without `path`.

    Raises:
        ModelError: it has no model, or no URL that may be named in results.
    """
    rest = model.removeprefix(SCHEME)
    found = re.fullmatch(r"(.*?)@(https?://.*)", rest)
    if found is None and "@" in rest:
        raise ModelError(f"{model}: after @ comes a URL that begins with http:// or https://")
    name, url = (found[1], found[2]) if found else (rest, _OPENAI)
    if not name.strip():
        raise ModelError(f"{model}: no model is named; write openai:MODEL@URL")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ModelError(f"{SCHEME}{name}: the URL is none: {error}") from error
    if parts.username is not None or parts.query or parts.fragment:
        # It may be a secret, and so is not repeated here.
        raise ModelError(
            f"{SCHEME}{name}: the URL has a user, a query (?...) or a fragment (#...), which would stand in results;"
            f" leave it out, and put the key into {KEY_VARIABLE}"
        )
    if not host:
        raise ModelError(f"{model}: the URL names no server")
    return name, url.rstrip("/").removesuffix(path)


def endpoint_key() -> str | None:
    """Return the key in OPENAI_API_KEY, None where there is none.

    Raises:
        ModelError: it has characters that no key has.
    """
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not (key.isascii() and key.isprintable()):
        # The HTTP library would repeat it in its complaint.
        raise ModelError(f"the key in {KEY_VARIABLE} has characters that no key has; set it again")
    return key or None
