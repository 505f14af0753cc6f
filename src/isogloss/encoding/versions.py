"""The versions that vectors, and so figures, depend on."""

from __future__ import annotations

import platform
from importlib.metadata import version


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that make vectors."""
    names = ("torch", "transformers", "sentence-transformers", "tokenizers")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
