"""An encoder whose vectors are cured."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.encoding.debias.cures import Cure
from isogloss.encoding.encoder import Encoder, Progress, Side
from isogloss.encoding.language_detection import detect_languages, known_languages
from isogloss.errors import ModelError


class DebiasedEncoder:
    """Vectors of a base, cured.

    Args:
        base: gives the vectors.
        cure: what is done to them; None where the base does it already.
        name: what to call it in results.
        record: what results say of the cure: method, fitted on, languages.

    Attributes:
        not_fitted: languages of texts encoded so far that the cure was not fitted on; they were treated like the mean
            of all languages.
    """

    def __init__(self, base: Encoder, cure: Cure | None, name: str, record: Mapping[str, Any]) -> None:
        self.base = base
        self.cure = cure
        self.name = name
        self.record = record
        self.not_fitted: set[str] = set()

    @property
    def uses_languages(self) -> bool:
        """Whether the cure needs the language of a text."""
        return self.cure is not None and self.cure.needs_language

    def encode(
        self,
        texts: Sequence[str],
        side: Side,
        progress: Progress | None = None,
        *,
        languages: Sequence[str] | None = None,
    ) -> NDArray[np.float32]:
        """Encode texts and cure their vectors.

        Args:
            texts: the texts.
            side: queries or passages.
            progress: told of the texts just done.
            languages: of the texts; where the cure needs them and they are not given, they are detected among those
                fitted.

        Returns:
            float32, shape (texts, dimension), unit length; zero where the cure leaves nothing.

        Raises:
            ModelError: the base fails or is not the one fitted on, or languages cannot be detected here.
        """
        if self.cure is not None and self.uses_languages:
            if languages is None:
                # Before the long part, as it may fail.
                languages = _detected(texts, self.cure.languages)
            self.not_fitted |= set(languages) - set(self.cure.languages)
        return self._cured(self.base.encode(texts, side, progress), languages)

    def describe(self) -> dict[str, Any]:
        """As an `Encoder`; ``debias`` holds the record, and the languages met that were not fitted."""
        said = {**self.record, "not_fitted": sorted(self.not_fitted)}
        return {**self.base.describe(), "name": self.name, "debias": said}

    def cure_digest(self) -> str | None:
        """SHA-256 over what is done to the base's vectors; None where nothing is."""
        if self.cure is None:
            return None
        cure = self.cure
        digest = hashlib.sha256(repr((cure.method, cure.languages, cure.reference)).encode())
        for numbers in (cure.means, cure.directions):
            digest.update(f"{numbers.shape}".encode())
            digest.update(np.ascontiguousarray(numbers, dtype="<f4").tobytes())
        return digest.hexdigest()

    def _cured(self, vectors: NDArray[np.float32], languages: Sequence[str] | None) -> NDArray[np.float32]:
        if self.cure is None or not len(vectors):
            return vectors
        if vectors.shape[1] != self.cure.means.shape[1]:
            raise ModelError(
                f"{self.name}: the base gives vectors of {vectors.shape[1]} dimensions, and the cure was fitted on"
                f" {self.cure.means.shape[1]}; fit it anew"
            )
        return self.cure.apply(vectors, languages)


def _detected(texts: Sequence[str], languages: Sequence[str]) -> list[str]:
    """The language of each text, among those that a cure was fitted on."""
    missing = ModelError(
        "this cure needs the language of each text, and none was given: pip install 'isogloss[detect]' to detect"
        " it, or use project, which needs none"
    )
    if known_languages(missing=missing).isdisjoint(language.split("-")[0] for language in languages):
        raise ModelError(
            f"the detector knows none of {', '.join(languages)}; use project, which needs no language"
        )
    return detect_languages(texts, languages, missing=missing)
