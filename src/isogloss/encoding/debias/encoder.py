"""An encoder whose vectors are cured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.encoding.debias.cures import Cure
from isogloss.encoding.encoder import Encoder, Progress, Side
from isogloss.errors import ModelError


class DebiasedEncoder:
    """Vectors of a base, cured.

    Args:
        base: gives the vectors.
        cure: what is done to them; None where the base does it already.
        name: what to call it in results.
        record: what results say of the cure: method, fitted on, languages.
    """

    def __init__(self, base: Encoder, cure: Cure | None, name: str, record: Mapping[str, Any]) -> None:
        self.base = base
        self.cure = cure
        self.name = name
        self.record = record

    def encode(
        self, texts: Sequence[str], side: Side, progress: Progress | None = None
    ) -> NDArray[np.float32]:
        """Encode texts; where the cure needs their languages, those are detected.

        Raises:
            ModelError: the base fails, or languages cannot be detected here.
        """
        languages = None
        if self.cure is not None and self.cure.needs_language:
            languages = detect_languages(texts, self.cure.languages)
        return self._cured(self.base.encode(texts, side, progress), languages)

    def encode_in_languages(
        self, texts: Sequence[str], languages: Sequence[str], side: Side, progress: Progress | None = None
    ) -> NDArray[np.float32]:
        """Encode texts whose languages are known.

        Raises:
            ModelError: the base fails.
        """
        return self._cured(self.base.encode(texts, side, progress), languages)

    def describe(self) -> dict[str, Any]:
        """As an `Encoder`; ``debias`` holds the record."""
        return {**self.base.describe(), "name": self.name, "debias": dict(self.record)}

    def _cured(self, vectors: NDArray[np.float32], languages: Sequence[str] | None) -> NDArray[np.float32]:
        if self.cure is None or not len(vectors):
            return vectors
        if vectors.shape[1] != self.cure.means.shape[1]:
            raise ModelError(
                f"{self.name}: the base gives vectors of {vectors.shape[1]} dimensions, and the cure was fitted on"
                f" {self.cure.means.shape[1]}; fit it anew"
            )
        return self.cure.apply(vectors, languages)


def detect_languages(texts: Sequence[str], languages: Sequence[str]) -> list[str]:
    """Say in which of some languages each text most likely is, with py3langid.

    Args:
        texts: the texts.
        languages: what to choose from; those that the detector does not know are never found.

    Raises:
        ModelError: the detector is not installed, or knows none of the languages.
    """
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError as error:
        raise ModelError(
            "this cure needs the language of each text, and none was given: pip install 'isogloss[detect]' to detect"
            " it, or use project, which needs none"
        ) from error
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    known = set(identifier.labels)
    chosen = {language.split("-")[0]: language for language in languages if language.split("-")[0] in known}
    if not chosen:
        raise ModelError(
            f"the detector knows none of {', '.join(languages)}; use project, which needs no language"
        )
    identifier.set_languages(list(chosen))
    return [chosen[identifier.classify(text)[0]] for text in texts]
