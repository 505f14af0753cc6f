"""What the tokenizers of NLLB, M2M100 and OPUS-MT (Marian) have in common, and where they differ: language codes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from isogloss.endpoints.hub import only_here
from isogloss.errors import ModelError, RecipeError
from isogloss.translation.codes import flores_codes, opus_codes, same_language, short_codes
from isogloss.translation.engine import Failure

_KINDS = {
    "NllbTokenizer": "nllb",
    "NllbTokenizerFast": "nllb",
    "M2M100Tokenizer": "m2m100",
    "MarianTokenizer": "marian",
}


@dataclass(frozen=True)
class PreparedSentences:
    """A batch as a model is given it.

    Attributes:
        results: of all sentences; a failure for each, to be replaced for those that fit.
        fitting: the places of the sentences that the model takes.
        ids: their token numbers.
        longest: tokens of the longest of them.
        limit: tokens that a translation may have.
        first: the token that a translation begins with, if any.
    """

    results: list[str | Failure]
    fitting: list[int]
    ids: list[list[int]]
    longest: int
    limit: int
    first: int | None

    def set(self, number: int, text: str, *, ended: bool) -> None:
        """Take the translation of one that fits; one that did not come to an end is a failure."""
        self.results[self.fitting[number]] = text if ended else Failure("cut off", text or None)

    def no_memory(self) -> bool:
        """Make a sentence that is alone, and that the device has no memory for, a failure; False for several."""
        if len(self.fitting) != 1:
            return False
        self.results[self.fitting[0]] = Failure(f"engine: the device has no memory for {self.longest} tokens")
        return True


class TranslationTokenizer:
    """The tokenizer of a translation model.

    Args:
        place: folder or hub name.
        name: what to call the engine in errors.
        codes: the model's codes for languages of the corpus, where they cannot be found.

    Raises:
        ModelError: there is no tokenizer, or it is of none of the models that are known.
        RecipeError: a package that it needs is not installed.
    """

    def __init__(self, place: str, *, name: str, codes: Mapping[str, str]) -> None:
        from transformers import AutoTokenizer

        try:
            import sentencepiece  # noqa: F401 - the tokenizers say less clearly that they need it
        except ImportError as error:
            raise RecipeError(
                f"{name}: its tokenizer needs the package sentencepiece: pip install 'isogloss[translate]'"
            ) from error
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=only_here(place))
        except Exception as error:  # whatever a broken folder makes of it
            raise ModelError(f"{name}: the tokenizer of {place} cannot be loaded: {_line(error)}") from error
        found = type(self._tokenizer).__name__
        if found not in _KINDS:
            raise ModelError(f"{name}: of no known kind ({found}); NLLB, M2M100 and OPUS-MT (Marian) are")
        self.kind = _KINDS[found]
        self._codes = dict(codes)
        vocabulary = self._tokenizer.get_vocab()
        # M2M100's codes are not in its vocabulary, but numbered after it.
        self._known = set(self._tokenizer.lang_code_to_id if self.kind == "m2m100" else vocabulary)
        self.digest = hashlib.sha256(repr(sorted(vocabulary.items())).encode()).hexdigest()
        self.eos: int = self._tokenizer.eos_token_id
        # A number beyond all bounds where the tokenizer does not say.
        self.positions: int = self._tokenizer.model_max_length
        if self.kind == "marian":
            # One language on each side, unless there are marks to choose the target by.
            self._marks = {code for code in self._known if code.startswith(">>") and code.endswith("<<")}

    def refusal(self, source: str, target: str) -> str | None:
        """Say why there is no translating from one language to another; None where there is."""
        if self.kind != "marian":
            for language in (source, target):
                if self._code(language) is None:
                    return (
                        f"the model has no language {language} ({' or '.join(self._candidates(language))}); if it has"
                        f" another code for it, give it: --code {language}=..."
                    )
            return None
        for side, language in (("source", source), ("target", target)):
            own = getattr(self._tokenizer, f"{side}_lang", None)
            if side == "target" and self._marks:
                if self._code(target) is None:
                    return (
                        f"the model does not translate to {target}; it has {' '.join(sorted(self._marks)[:50])};"
                        f" if one of them is it, give it: --code {target}=..."
                    )
            elif isinstance(own, str) and same_language(own, language) is False:
                return f"the model translates {'from' if side == 'source' else 'to'} {own}, not {language}"
        return None

    def encode(self, sentences: Sequence[str], source: str, target: str) -> list[list[int]]:
        """Token numbers of sentences, with all that the model wants around them; never cut."""
        texts = list(sentences)
        if self.kind == "marian":
            if self._marks:
                texts = [f"{self._code(target)} {text}" for text in texts]
        else:
            self._tokenizer.src_lang = self._code(source)
        return [list(ids) for ids in self._tokenizer(texts, truncation=False, verbose=False)["input_ids"]]

    def prepared(
        self, sentences: Sequence[str], source: str, target: str, positions: int
    ) -> PreparedSentences:
        """Sentences for a model that takes so many positions; those that are longer are failures already."""
        encoded = self.encode(sentences, source, target)
        fitting = [number for number, ids in enumerate(encoded) if len(ids) <= positions]
        longest = max((len(encoded[number]) for number in fitting), default=0)
        return PreparedSentences(
            results=[Failure(too_long(len(ids), positions)) for ids in encoded],
            fitting=fitting,
            ids=[encoded[number] for number in fitting],
            longest=longest,
            limit=room(longest, positions),
            first=self.first_token(target),
        )

    def first_token(self, target: str) -> int | None:
        """The token that a translation begins with and that says its language; None for Marian."""
        if self.kind == "marian":
            return None
        code = self._code(target)
        if self.kind == "m2m100":
            return int(self._tokenizer.get_lang_id(code))
        return int(self._tokenizer.convert_tokens_to_ids(code))

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token numbers, without special tokens."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """The tokens of token numbers."""
        return list(self._tokenizer.convert_ids_to_tokens(ids))

    def numbers(self, tokens: Sequence[str]) -> list[int]:
        """The numbers of tokens."""
        return list(self._tokenizer.convert_tokens_to_ids(list(tokens)))

    def _code(self, language: str) -> str | None:
        """The model's own code for a language, of Marian's with its marks; None where it has none."""
        for code in self._candidates(language):
            # --code may be given with the marks or without.
            code = code.strip("_") if self.kind == "m2m100" else code
            if self.kind == "marian":
                code = f">>{code.removeprefix('>>').removesuffix('<<')}<<"
            if code in self._known:
                return code
        return None

    def _candidates(self, language: str) -> Iterator[str]:
        if language in self._codes:
            yield self._codes[language]
            return
        codes = {"marian": opus_codes, "m2m100": short_codes, "nllb": flores_codes}[self.kind]
        yield from dict.fromkeys(codes(language))


def room(longest: int, positions: int) -> int:
    """Tokens that a translation may have: three times those of the longest sentence and 32 more, if the model has them.

    Args:
        longest: tokens of the longest sentence of a batch.
        positions: what the model takes.
    """
    return max(1, min(3 * longest + 32, positions - 2))


def too_long(tokens: int, positions: int) -> str:
    """The reason for which a sentence is not translated."""
    return f"too long for the engine: {tokens} tokens, it takes {positions}"


def _line(error: Any) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
