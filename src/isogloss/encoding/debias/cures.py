"""Three ways to take language out of vectors, as arithmetic on arrays.

- centre: v - mean of its language. Libovický, Rosa and Fraser 2020, "On the language neutrality of pre-trained
  multilingual representations", Findings of EMNLP.
- shift: v - mean of its language + mean of all languages' means: languages come to lie on one another, and where the
  whole lies stays the same. Dot products keep the large common part that centring removes.
- project: v - its part along the directions in which languages' means differ, the first right singular vectors of the
  centred means. Closest to LIR (Yang et al. 2021, "A simple and effective method to eliminate the self language bias in
  multilingual representations", EMNLP), which takes directions from the vectors of each language by itself.

After each cure vectors are of unit length again. Queries and passages share their means: with means of their own, cures
fitted on few texts did worse on development data (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import RecipeError

Method = Literal["centre", "shift", "project"]
METHODS: tuple[Method, ...] = get_args(Method)
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Cure:
    """A fitted cure.

    Attributes:
        method: one of `METHODS`.
        languages: the L languages it was fitted on.
        means: (L, d) float32, the mean vector of each language.
        directions: (k, d) float32, orthonormal; what `project` removes, none for the others.
    """

    method: Method
    languages: tuple[str, ...]
    means: Floats
    directions: Floats

    @property
    def needs_language(self) -> bool:
        """Whether a text's language has to be known."""
        return self.method != "project"

    def apply(self, vectors: Floats, languages: Sequence[str] | None = None) -> Floats:
        """Cure vectors.

        Args:
            vectors: (n, d) float32.
            languages: n codes, not read by `project`; a language it was not fitted on has the mean of all means.

        Returns:
            (n, d) float32 of unit length; a vector of which nothing is left is zero.
        """
        if self.method == "project":
            return _unit(vectors - (vectors @ self.directions.T) @ self.directions)
        if languages is None:
            raise ValueError(f"{self.method} needs the language of each text")
        middle = self.means.mean(axis=0)
        place = {language: number for number, language in enumerate(self.languages)}
        rows = np.array([place.get(language, len(place)) for language in languages], dtype=np.int64)
        cured = vectors - np.vstack([self.means, middle])[rows]
        return _unit(cured + middle if self.method == "shift" else cured)


def fit(method: Method, vectors: Floats, languages: Sequence[str], directions: int | None = None) -> Cure:
    """Fit a cure on vectors whose languages are known.

    Args:
        method: one of `METHODS`.
        vectors: (n, d) float32.
        languages: n codes.
        directions: how many `project` removes; None means all in which the means differ, one fewer than there are
            languages or dimensions.

    Raises:
        RecipeError: an unknown method, fewer than two languages, or directions out of range.
    """
    if method not in METHODS:
        raise RecipeError(f"method: {method!r} is none of {', '.join(METHODS)}")
    names = tuple(sorted(set(languages)))
    if len(names) < 2:
        raise RecipeError(
            f"a cure is fitted on two or more languages; this is {', '.join(names) or 'none'} alone"
        )
    of_text = np.array(languages)
    means = np.stack([vectors[of_text == name].mean(axis=0, dtype=np.float64) for name in names])
    most = min(len(names) - 1, vectors.shape[1])
    if directions is not None and method != "project":
        raise RecipeError(f"directions are removed by project alone, not by {method}")
    if directions is not None and not 1 <= directions <= most:
        raise RecipeError(
            f"directions: {directions}; the means of {len(names)} languages differ in 1 to {most}"
        )
    removed = np.empty((0, vectors.shape[1]))
    if method == "project":
        removed = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)[2][: directions or most]
    return Cure(method, names, means.astype(np.float32), removed.astype(np.float32))


def _unit(vectors: NDArray[Any]) -> Floats:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    # What is left by rounding alone has no direction.
    nothing = length < 1e-6
    return np.asarray(np.where(nothing, 0, vectors / np.where(nothing, 1, length)), dtype=np.float32)
