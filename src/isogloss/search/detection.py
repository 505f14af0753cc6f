"""The language of a text that nobody named."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from isogloss.errors import ModelError

_CHARACTERS_READ = 2000


def detect(texts: Sequence[str], languages: Sequence[str] = ()) -> list[str]:
    """Say in which language each text most likely is, with py3langid.

    Args:
        texts: the texts; their beginnings are read.
        languages: what to choose from; empty, all that the detector knows.

    Raises:
        ModelError: the detector is not installed.
    """
    known = set(_identifier(()).labels)
    chosen = {one.split("-")[0]: one for one in languages if one.split("-")[0] in known}
    identifier = _identifier(tuple(sorted(chosen)))
    labels = [str(identifier.classify(text[:_CHARACTERS_READ])[0]) for text in texts]
    return [chosen.get(label, label) for label in labels]


@lru_cache(maxsize=16)
def _identifier(languages: tuple[str, ...]) -> Any:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError as error:
        raise ModelError(
            "texts whose language nobody says need a detector: pip install 'isogloss[search]', or name the language"
            " with --language"
        ) from error
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    if languages:
        identifier.set_languages(list(languages))
    return identifier
