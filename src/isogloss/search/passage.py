"""One passage of an index: a text, its language, and what else is known of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from isogloss.corpus.languages import standard_language
from isogloss.corpus.records import character_problem
from isogloss.errors import CorpusError

_NO_METADATA = frozenset(("id", "language", "title", "text", "passage", "query", "negatives", "metadata"))
LONGEST_ID = 512
"""Characters."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What is indexed and found.

    Attributes:
        id: what the passage is called; with `said_language` it tells it from all others of an index.
        text: what is shown.
        language: its language; None until it is detected.
        title: put before the text where it is encoded; None where there is none.
        metadata: values by name, strings, numbers, truth values and lists of strings, that filters can ask for.
        detected: whether the language was found by a detector, and not said.
    """

    id: str
    text: str
    language: str | None = None
    title: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    detected: bool = False

    @property
    def said_language(self) -> str:
        """The language where the data said it, else the empty string."""
        return "" if self.language is None or self.detected else self.language

    @property
    def encoded_text(self) -> str:
        """What the model is given: the title, if there is one, and the text."""
        return f"{self.title}\n{self.text}" if self.title else self.text

    def digest(self) -> bytes:
        """SHA-256 over everything that is stored; equal digests, equal passages."""
        parts = [self.text, self.said_language, self.title, dict(self.metadata)]
        packed = json.dumps(parts, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(packed.encode()).digest()


def make_passage(record: object, default_id: str, language: str | None = None) -> Passage:
    """Make a passage of a record: a mapping with `text` (or `passage`, as in a parallel corpus).

    `id`, `language`, `title` and `metadata` (an object) are optional; other fields with a string, a number, a truth
    value or a list of strings become metadata. `query` and `negatives` of a parallel corpus are not looked at.

    Args:
        record: the record.
        default_id: the id of a record that has none.
        language: the language of a record that says none; None leaves it to be detected.

    Raises:
        CorpusError: the record is wrong; the message says how, and leaves the place to the caller.
    """
    if not isinstance(record, Mapping):
        raise CorpusError(f"expected an object with the field 'text', found {type(record).__name__}")
    name = "text" if "text" in record else "passage"
    if record.get(name) is None:
        raise CorpusError("the field 'text' is missing (or 'passage', as in a parallel corpus)")
    text = _text(name, record[name])
    given = record.get("id")
    number = default_id if given is None or given == "" else given
    if isinstance(number, int) and not isinstance(number, bool):
        number = str(number)
    number = _text("id", number)
    if len(number) > LONGEST_ID:
        raise CorpusError(f"the field 'id' has {len(number)} characters; at most {LONGEST_ID} are kept")
    said = record.get("language") or language
    if said is not None:
        said = standard_language(_text("language", said))
    title = record.get("title")
    return Passage(
        id=number,
        text=text,
        language=said,
        title=_text("title", title) if title not in (None, "") else None,
        metadata=_metadata(record),
    )


def _metadata(record: Mapping[Any, Any]) -> dict[str, Any]:
    own = record.get("metadata")
    if own is not None and not isinstance(own, Mapping):
        raise CorpusError(f"the field 'metadata' must be an object, not {type(own).__name__}")
    found = {key: value for key, value in record.items() if key not in _NO_METADATA} | dict(own or {})
    kept = {}
    for key, value in found.items():
        if value is None:
            continue
        whole_list = isinstance(value, list) and all(isinstance(one, str) for one in value)
        if not isinstance(value, str | int | float | bool) and not whole_list:
            raise CorpusError(
                f"the field {key!r} must be a string, a number, a truth value or a list of strings, not"
                f" {type(value).__name__}; leave it out, or flatten it"
            )
        if isinstance(value, float) and not -1e308 <= value <= 1e308:
            raise CorpusError(f"the field {key!r} is {value}, which is no number to compare with")
        for one in [value] if isinstance(value, str) else value if isinstance(value, list) else []:
            _check_characters(str(key), one)
        kept[str(key)] = value
    return kept


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise CorpusError(f"the field {name!r} must be a string, not {type(value).__name__}")
    if not value.strip():
        raise CorpusError(f"the field {name!r} is empty")
    _check_characters(name, value)
    return value


def _check_characters(name: str, value: str) -> None:
    if problem := character_problem(name, value):
        raise CorpusError(problem[1])
