"""Is a text in the language that its record says? Judged by a packaged detector, without a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.encoding.language_detection import language_identifier
from isogloss.errors import RecipeError

# A detector needs no more, and time goes with the length.
_CHARACTERS = 300

# Languages that a detector takes for one another on texts of a sentence or two: no record is judged by that.
_CONFUSABLE = tuple(
    frozenset(group.split())
    for group in (
        "hi mr ne bh sa", "id ms jv su", "hr sr bs sl sh", "cs sk", "da no nb nn sv", "es gl ca pt an ast oc", "it co",
        "ru uk be bg mk", "fr wa oc", "nl af fy li", "tr az uz", "kk ky tt", "fa ps ur ckb ku", "xh zu st tn", "et fi",
        "de lb nds", "lt lv", "as bn", "zh ja yue wuu", "am ti",
        "ar ary arz acm apc ajp aeb", "es ext", "en pcm sco", "tr crh",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Judgement:
    """What the detector says of one record.

    Attributes:
        language: the language found, None where the record's own is accepted or nothing could be judged.
        probability: of the language found.
        agreed: whether query and passage, as far as they can be judged, are in that language.
    """

    language: str | None = None
    probability: float = 0.0
    agreed: bool = True


class LanguageDetector:
    """Finds versions in another language than they say, with py3langid.

    Args:
        confidence: probability that another language must have to be believed.
        min_characters: letters below which a text is not judged.

    Raises:
        RecipeError: the detector is not installed.
    """

    def __init__(self, confidence: float, min_characters: int) -> None:
        self._identifier = language_identifier(
            probabilities=True,
            missing=RecipeError(
                "the languages of texts cannot be checked: pip install 'isogloss[detect]', or leave it out with"
                " --mismatched keep"
            ),
        )
        self._known = frozenset(self._identifier.labels)
        self.confidence = confidence
        self.min_characters = min_characters

    def judge(
        self,
        queries: Sequence[str],
        passages: Sequence[str],
        languages: Sequence[str],
        query_letters: NDArray[np.int64],
        passage_letters: NDArray[np.int64],
    ) -> list[Judgement]:
        """Judge records; `languages` are what they say, and the letters what each text has."""
        return [
            self._judge(query, passage, language.split("-")[0], of_query, of_passage)
            for query, passage, language, of_query, of_passage in zip(
                queries, passages, languages, query_letters.tolist(), passage_letters.tolist(), strict=True
            )
        ]

    def _judge(
        self, query: str, passage: str, said: str, query_letters: int, passage_letters: int
    ) -> Judgement:
        if said not in self._known:
            return Judgement()
        if passage_letters < self.min_characters:
            if query_letters + passage_letters < self.min_characters:
                return Judgement()
            other, probability = self._other(f"{query} {passage}", said)
            return Judgement(other, probability) if other else Judgement()
        of_passage, probability = self._other(passage, said)
        if query_letters < self.min_characters:
            return Judgement(of_passage, probability) if of_passage else Judgement()
        of_query, query_probability = self._other(query, said)
        if of_passage:
            return Judgement(of_passage, probability, of_passage == of_query)
        return Judgement(of_query, query_probability, agreed=False) if of_query else Judgement()

    def _other(self, text: str, said: str) -> tuple[str | None, float]:
        """The language that a text is in, if it is surely another than it says."""
        found, probability = self._identifier.classify(text[:_CHARACTERS])
        if found == said or probability < self.confidence or not np.isfinite(probability):
            return None, 0.0
        if any(found in group and said in group for group in _CONFUSABLE):
            return None, 0.0
        return str(found), float(probability)
