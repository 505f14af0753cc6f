"""A version in another language, put together from the translations of its sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from isogloss.corpus.records import Version
from isogloss.translation.checking import is_copy
from isogloss.translation.engine import Failure
from isogloss.translation.sentences import Sentences, join_sentences, split_sentences

LEFT_OUT = "left out"
WITHOUT_IT = "kept without it"
KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Problem:
    """A text of a version that was not translated as it should be.

    Attributes:
        id: of the item.
        language: translated to.
        field: `query`, `passage`, `title`, `negatives[0]`.
        reason: what is wrong.
        record: what became of the version: `left out`, `kept without it` (without the title or negative), or `kept`.
        sentence: the sentence that it is about.
        translation: what came of the sentence, if anything.
    """

    id: str
    language: str
    field: str
    reason: str
    record: str
    sentence: str
    translation: str | None

    def as_record(self) -> dict[str, Any]:
        """The problem as it stands in the side file."""
        return asdict(self)


class SplitVersion:
    """A version whose texts are split into sentences.

    Args:
        version: the version.
    """

    def __init__(self, version: Version) -> None:
        self.version = version
        self._fields = {name: split_sentences(text, version.language) for name, text in _fields(version)}

    def sentences(self) -> Iterator[str]:
        """All sentences, some perhaps more than once."""
        for split in self._fields.values():
            yield from split.texts

    def translated(
        self, target: str, found: Mapping[str, str | Failure]
    ) -> tuple[Version | None, list[Problem]]:
        """Put the version together in a language.

        A version whose query or passage failed is left out. One whose title or negative failed has no title, or one
        negative less; so has one with a negative that is the passage in the new language.

        Args:
            target: the language.
            found: what came of each sentence.

        Returns:
            The version, or None; and what is to be said of it.
        """
        version, problems = self.version, list[Problem]()
        done: dict[str, str] = {}
        for field, split in self._fields.items():
            fate = LEFT_OUT if field in ("query", "passage") else WITHOUT_IT
            failed = False
            parts: list[str] = []
            for sentence in split.texts:
                result = found.get(sentence, Failure("not translated"))
                if isinstance(result, Failure):
                    failed = True
                    problems.append(
                        Problem(version.id, target, field, result.reason, fate, sentence, result.text)
                    )
                    continue
                if is_copy(sentence, result):
                    problems.append(Problem(version.id, target, field, "copy", KEPT, sentence, result))
                parts.append(result)
            if not failed:
                done[field] = self._joined(split, parts, target)
        if "query" not in done or "passage" not in done:
            # Nothing of the version is kept, whatever befell its other fields.
            return None, [Problem(**{**asdict(problem), "record": LEFT_OUT}) for problem in problems]
        negatives = []
        for number, original in enumerate(version.negatives):
            field = f"negatives[{number}]"
            negative = done.get(field)
            if negative == done["passage"]:
                problems.append(
                    Problem(version.id, target, field, "same as the passage", WITHOUT_IT, original, negative)
                )
            elif negative is not None:
                negatives.append(negative)
        return (
            Version(
                version.id,
                target,
                done["query"],
                done["passage"],
                done.get("title"),
                tuple(negatives),
                version.dataset,
            ),
            problems,
        )

    def _joined(self, split: Sentences, parts: list[str], target: str) -> str:
        return join_sentences(parts, split.between, self.version.language, target)


def _fields(version: Version) -> Iterator[tuple[str, str]]:
    yield "query", version.query
    yield "passage", version.passage
    if version.title is not None:
        yield "title", version.title
    for number, negative in enumerate(version.negatives):
        yield f"negatives[{number}]", negative
