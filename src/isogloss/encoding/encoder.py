"""Text in, vectors out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from isogloss.encoding.loading import load_sentence_transformer, prompts_of
from isogloss.encoding.precision import Precision, check_precision
from isogloss.encoding.prompts import Prompts
from isogloss.errors import ModelError

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

Side = Literal["query", "passage"]
_Thing = TypeVar("_Thing", bound=Hashable)
Progress = Callable[[int], None]
"""Called with the number of texts just done."""


def running_total(report: Callable[[int], None]) -> Progress:
    """Turn what is just done into what is done in all, and report that."""
    done = 0

    def add(just_done: int) -> None:
        nonlocal done
        done += just_done
        report(done)

    return add


class Encoder(Protocol):
    """Anything that turns queries and passages into vectors whose dot product is their score."""

    name: str

    def encode(
        self, texts: Sequence[str], side: Side, progress: Progress | None = None
    ) -> NDArray[np.float32]:
        """Encode texts to float32 vectors of unit length, shape (texts, dimension), in the order given."""
        ...

    def describe(self) -> dict[str, Any]:
        """Say what the vectors depend on, as far as a reader of results wants to know, in JSON's types.

        `name`, `query_prompt`, `passage_prompt`, `max_length` in tokens, `dimension`, `precision` and `device` are
        always there, None where they are not known; a source other than a local model has `source`, and what belongs
        to it.
        """
        ...


@runtime_checkable
class LanguageAwareEncoder(Encoder, Protocol):
    """An encoder whose vectors depend on the language that a text is said to be in."""

    def encode_in_languages(
        self, texts: Sequence[str], languages: Sequence[str], side: Side, progress: Progress | None = None
    ) -> NDArray[np.float32]:
        """Encode as `encode` does, each text as one of its language."""
        ...


class SentenceTransformerEncoder:
    """A local sentence-transformers model.

    Args:
        model: the loaded model.
        name: what to call it in results.
        prompts: put before queries and passages.
        max_length: tokens after which a text is cut, special tokens included; None keeps the model's own limit.
        token_budget: tokens a forward pass, padding included; None takes what is fast on the model's device.
        precision: the arithmetic of the model; `load` prepares a model for int8.
        converted_from: digest of the weights that an int8 model was made of.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        name: str,
        prompts: Prompts,
        *,
        max_length: int | None = None,
        token_budget: int | None = None,
        precision: Precision = "float32",
        converted_from: str | None = None,
    ) -> None:
        self.model = model
        self.name = name
        self.prompts = prompts
        self.max_length = max_length
        self.token_budget = token_budget or default_token_budget(model.device)
        self.precision = precision
        self.converted_from = converted_from

    @classmethod
    def load(
        cls,
        model: str | Path,
        *,
        query_prompt: str | None = None,
        passage_prompt: str | None = None,
        max_length: int | None = None,
        token_budget: int | None = None,
        precision: Precision = "float32",
        device: str | None = None,
    ) -> SentenceTransformerEncoder:
        """Load a model by name or folder, with its own prompts unless others are given.

        Args:
            model: as `load_sentence_transformer` takes it.
            query_prompt: put before queries; None takes the model's own.
            passage_prompt: put before passages, likewise.
            max_length: as for the class.
            token_budget: as for the class.
            precision: ``int8`` runs on the processor, with the extra `int8`.
            device: a torch device; None picks a GPU where there is one.

        Raises:
            ModelError: it cannot be found or loaded, gives no sentence vectors, or cannot be put into int8.
            RecipeError: the precision is unknown, the device is not there or not one for int8, or `max_length` is more
                than the model takes.
        """
        check_precision(precision, device)
        # int8 runs on the processor, whatever else there is.
        place = "cpu" if precision == "int8" else device
        loaded = load_sentence_transformer(model, device=place, max_length=max_length)
        prompts = prompts_of(loaded, str(model), query_prompt=query_prompt, passage_prompt=passage_prompt)
        converted_from = None
        if precision == "int8":
            from isogloss.encoding.identity import weights_digest
            from isogloss.encoding.int8_transformer import convert_to_int8

            converted_from = weights_digest(loaded)
            convert_to_int8(loaded, str(model))
        return cls(
            loaded,
            str(model),
            prompts,
            max_length=max_length,
            token_budget=token_budget,
            precision=precision,
            converted_from=converted_from,
        )

    def encode(
        self, texts: Sequence[str], side: Side, progress: Progress | None = None
    ) -> NDArray[np.float32]:
        """Encode texts in micro-batches under the token budget, as `encode_texts` does.

        Args:
            texts: the texts, without prompts.
            side: which prompt to put before them.
            progress: called after each forward pass with the texts done in it.

        Returns:
            float32, shape (texts, dimension), unit length, in the order of `texts`.

        Raises:
            ModelError: the model fails.
        """
        import torch

        from isogloss.encoding.token_budget import encode_texts

        try:
            with torch.autocast(self.model.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
                return encode_texts(
                    self.model,
                    texts,
                    prompt=self.prompts.query if side == "query" else self.prompts.passage,
                    max_length=self.max_length,
                    token_budget=self.token_budget,
                    progress=progress,
                )
        except torch.OutOfMemoryError as error:
            raise ModelError(
                f"{self.name}: out of memory at {self.token_budget} tokens a forward pass; give a smaller"
                " token budget"
            ) from error
        except (RuntimeError, ValueError, IndexError) as error:
            raise ModelError(
                f"{self.name}: the model failed on {len(texts)} {side} texts: {error}"
            ) from error

    def describe(self) -> dict[str, Any]:
        """Say what the vectors depend on."""
        return {
            "name": self.name,
            "query_prompt": self.prompts.query,
            "passage_prompt": self.prompts.passage,
            "max_length": self.max_length or self.model.max_seq_length,
            "dimension": self.model.get_embedding_dimension(),
            "precision": self.precision,
            "device": str(self.model.device),
        }


def default_token_budget(device: torch.device) -> int:
    """Return the tokens a forward pass that are fast on a device.

    On processors activations of this many tokens stay in the caches; GPUs want more work at once.
    """
    return 1024 if device.type == "cpu" else 32768


def encode_distinct(
    encoder: Encoder,
    texts: Sequence[str],
    side: Side,
    progress: Progress | None = None,
    languages: Sequence[str] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Encode each distinct text once.

    Args:
        encoder: the model.
        texts: the texts.
        side: what they are.
        progress: told of the texts just done.
        languages: of the texts, where they are known; read where vectors depend on them, and a text in two languages is
            then two texts.

    Returns:
        The vectors of the distinct texts, float32, shape (distinct, dimension), in order of first appearance; and for
        each text the row of its vector, int64, shape (texts,).
    """
    if languages is None or not isinstance(encoder, LanguageAwareEncoder):
        distinct, rows = _distinct(texts)
        return encoder.encode(distinct, side, progress), rows
    pairs, rows = _distinct(list(zip(texts, languages, strict=True)))
    vectors = encoder.encode_in_languages(
        [text for text, _ in pairs], [language for _, language in pairs], side, progress
    )
    return vectors, rows


def _distinct(things: Sequence[_Thing]) -> tuple[list[_Thing], NDArray[np.int64]]:
    row_of: dict[_Thing, int] = {}
    rows = np.fromiter(
        (row_of.setdefault(thing, len(row_of)) for thing in things), dtype=np.int64, count=len(things)
    )
    return list(row_of), rows
