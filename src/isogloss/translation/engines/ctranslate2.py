"""NLLB, M2M100 and OPUS-MT (Marian) models converted to CTranslate2, which translates several times faster."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isogloss.errors import ModelError, RecipeError
from isogloss.translation.engine import Failure
from isogloss.translation.engines.tokenizing import TranslationTokenizer

_POSITIONS = {"marian": 512, "m2m100": 1024, "nllb": 1024}
"""What the published models take; a converted folder does not say, its tokenizer perhaps."""


class CTranslate2Engine:
    """A translation model that `ct2-transformers-converter` made.

    Args:
        folder: what the converter wrote.
        tokenizer: folder or hub name of the model that was converted; None where the tokenizer's files are in
            `folder` (`--copy_files`).
        codes: the model's codes for languages of the corpus, where they cannot be found.
        beam_size: translations pursued side by side.
        device: cpu or cuda; None takes a GPU where there is one.
        batch_size: sentences a batch.

    Raises:
        ModelError: there is no such model, or it is of no known kind.
        RecipeError: a package is not installed.
    """

    at_once = 1
    tokens: tuple[int, int] | None = None

    def __init__(
        self,
        folder: str,
        *,
        tokenizer: str | None,
        codes: Mapping[str, str],
        beam_size: int,
        device: str | None,
        batch_size: int,
    ) -> None:
        self.name = f"ctranslate2:{folder}"
        self.batch_size = batch_size
        self.batch_characters = 512 * batch_size
        self._beam_size, self._codes, self._folder = beam_size, dict(codes), Path(folder)
        try:
            import ctranslate2
        except ImportError as error:
            raise RecipeError(
                f"{self.name}: needs the package ctranslate2: pip install 'isogloss[ctranslate2]'"
            ) from error
        if not (self._folder / "model.bin").is_file():
            raise ModelError(
                f"{self.name}: no model.bin in this folder; make it of a model with"
                f" ct2-transformers-converter --model MODEL --output_dir {folder}"
            )
        if tokenizer is None and not (self._folder / "tokenizer_config.json").is_file():
            raise ModelError(
                f"{self.name}: no tokenizer in this folder; name the model that was converted: --tokenizer MODEL"
            )
        self._tokenizer = TranslationTokenizer(tokenizer or folder, name=self.name, codes=codes)
        self._positions = min(self._tokenizer.positions, _POSITIONS[self._tokenizer.kind])
        try:
            self._translator = ctranslate2.Translator(folder, device=device or "auto")
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{self.name}: cannot be loaded: {error}") from error
        self._identity: dict[str, Any] | None = None

    def identity(self) -> dict[str, Any]:
        """Checksums of model and vocabulary, type of arithmetic, beams and other codes."""
        if self._identity is None:
            with (self._folder / "model.bin").open("rb") as file:
                weights = hashlib.file_digest(file, "sha256").hexdigest()
            self._identity = {
                "engine": "ctranslate2",
                "weights": weights,
                "vocabulary": self._tokenizer.digest,
                "arithmetic": self._translator.compute_type,
                "beam_size": self._beam_size,
                "codes": self._codes,
            }
        return self._identity

    def refusal(self, source: str, target: str) -> str | None:
        """Say which language the model has not; None where it has both."""
        return self._tokenizer.refusal(source, target)

    def translate(self, sentences: Sequence[str], source: str, target: str) -> list[str | Failure]:
        """Translate a batch; sentences longer than the model takes, and translations that do not end, are failures."""
        batch = self._tokenizer.prepared(sentences, source, target, self._positions)
        if not batch.fitting:
            return batch.results
        first = batch.first
        try:
            made = self._translator.translate_batch(
                [self._tokenizer.tokens(ids) for ids in batch.ids],
                target_prefix=None if first is None else [self._tokenizer.tokens([first])] * len(batch.ids),
                beam_size=self._beam_size,
                max_decoding_length=batch.limit,
                max_input_length=0,
                return_end_token=True,
            )
        except (RuntimeError, ValueError) as error:
            if "out of memory" in str(error) and batch.no_memory():
                return batch.results
            raise ModelError(
                f"{self.name}: {' '.join(str(error).split())[:300]}; if memory ran out, give a smaller --batch-size"
            ) from error
        for number, result in enumerate(made):
            ids = self._tokenizer.numbers(result.hypotheses[0])
            ended = bool(ids) and ids[-1] == self._tokenizer.eos
            # The language's mark stands before the translation.
            text = self._tokenizer.decode(ids[0 if first is None else 1 :])
            batch.set(number, text, ended=ended)
        return batch.results

    def stop(self) -> None:
        """Nothing is under way in other threads."""
