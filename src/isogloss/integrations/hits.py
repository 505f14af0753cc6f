"""What every framework is told of a hit beside its text."""

from __future__ import annotations

from typing import Any

from isogloss.search import Hit


def metadata_of(hit: Hit) -> dict[str, Any]:
    """A passage's metadata, and its `id`, `language`, `rank`, `score` and, where it has one, `title`."""
    own = {"id": hit.id, "language": hit.language, "rank": hit.rank, "score": hit.score}
    if hit.title is not None:
        own["title"] = hit.title
    return {**hit.metadata, **own}


def unique_id(hit: Hit) -> str:
    """An id that tells a passage from its translations, which share its own id."""
    return f"{hit.id}@{hit.language}"
