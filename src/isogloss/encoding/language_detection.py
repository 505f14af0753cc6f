"""The language of a text that nobody named, from a packaged detector: py3langid, without a network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from isogloss.errors import IsoglossError

_CHARACTERS_READ = 2000


def detect_languages(
    texts: Sequence[str], languages: Sequence[str] = (), *, missing: IsoglossError
) -> list[str]:
    """Say in which language each text most likely is.

    Args:
        texts: the texts; their beginnings are read.
        languages: what to choose from; those that the detector does not know are never found. Where it knows none of
            them, or none is given, it chooses from all that it knows.
        missing: the error where the detector is not installed.
    """
    known = known_languages(missing=missing)
    chosen = {one.split("-")[0]: one for one in languages if one.split("-")[0] in known}
    identifier = language_identifier(tuple(sorted(chosen)), missing=missing)
    labels = [str(identifier.classify(text[:_CHARACTERS_READ])[0]) for text in texts]
    return [chosen.get(label, label) for label in labels]


def known_languages(*, missing: IsoglossError) -> frozenset[str]:
    """The languages that the detector knows; `missing` is raised where it is not installed."""
    return frozenset(language_identifier(missing=missing).labels)


def language_identifier(
    languages: tuple[str, ...] = (), *, probabilities: bool = False, missing: IsoglossError
) -> Any:
    """py3langid's identifier.

    Args:
        languages: what it chooses from; empty, all that it knows.
        probabilities: whether it says how probable what it finds is, and not a score.
        missing: the error where it is not installed.
    """
    try:
        return _identifier(languages, probabilities)
    except ImportError as error:
        raise missing from error


@lru_cache(maxsize=16)
def _identifier(languages: tuple[str, ...], probabilities: bool) -> Any:
    """Kept, as unpacking the model takes a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=probabilities)
    if languages:
        identifier.set_languages(list(languages))
    return identifier
