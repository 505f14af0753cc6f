"""A sentence-transformers model's vectors without computing on padding.

`SentenceTransformer.encode` sorts texts by characters and pads batches of a fixed number of texts. Scripts differ in
characters a token, so on multilingual texts a third to a half of what it computes is padding. Here texts are
tokenised once and taken in order of their tokens, as many at a time as a token budget allows. The model's own modules
run on them, whatever they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from isogloss.encoding.micro_batches import split, take, token_mask

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_TOKENISED_AT_ONCE = 4096
"""Texts: enough for the tokenizer's threads and for full micro-batches, few enough to pad them together."""

_TEXTS_AT_ONCE = 64
"""A forward pass of a model whose tokens cannot be counted."""


def encode_texts(
    model: SentenceTransformer,
    texts: Sequence[str],
    *,
    prompt: str,
    max_length: int | None,
    token_budget: int,
    progress: Callable[[int], None] | None = None,
) -> NDArray[np.float32]:
    """Encode texts in micro-batches under a token budget, long ones first, so that memory peaks at once.

    The vectors are those of `SentenceTransformer.encode`, up to the order of additions. A model whose features have
    no attention mask to count tokens by (static embeddings, bags of words, flattened inputs) goes through it.

    Args:
        model: the model; it is put into evaluation mode.
        texts: the texts, without the prompt.
        prompt: put before every text.
        max_length: tokens after which a text is cut, special tokens included; None keeps the model's own limit.
        token_budget: texts times longest text of a forward pass, at most; a longer text is alone in its own.
        progress: called after each forward pass with the texts done in it.

    Returns:
        Unit vectors, float32, shape (texts, dimension), in the order of `texts`.
    """
    model.eval()
    options: dict[str, Any] = {"prompt": prompt}
    if max_length is not None:
        options["processing_kwargs"] = {"text": {"max_length": max_length, "truncation": True}}
    vectors: NDArray[np.float32] | None = None
    # Characters tell enough of the tokens to tokenise texts of like length together.
    order = np.argsort([-len(text) for text in texts], kind="stable")
    with torch.inference_mode():
        countable = len(texts) > 0 and token_mask(model.preprocess([texts[0]], **options)) is not None
        at_once = _TOKENISED_AT_ONCE if countable else _TEXTS_AT_ONCE
        for start in range(0, len(order), at_once):
            positions = order[start : start + at_once]
            chunk = [texts[position] for position in positions]
            parts = (
                _forward(model, chunk, options, token_budget) if countable else _plain(model, chunk, options)
            )
            for rows, part in parts:
                if vectors is None:
                    vectors = np.empty((len(texts), part.shape[1]), dtype=np.float32)
                vectors[positions[rows]] = part.cpu().numpy()
                if progress is not None:
                    progress(len(rows))
    if vectors is None:
        return np.empty((0, model.get_embedding_dimension() or 0), dtype=np.float32)
    return vectors


def _forward(
    model: SentenceTransformer, texts: list[str], options: dict[str, Any], token_budget: int
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """Yield the positions of each micro-batch's texts and their vectors."""
    from sentence_transformers.util import batch_to_device

    features = model.preprocess(texts, **options)
    for part in split(features["attention_mask"], token_budget):
        output = model(batch_to_device(take(features, part), model.device))
        # Half precision ends here: rounded cosines would tie.
        vectors: Tensor = output["sentence_embedding"][:, : model.truncate_dim].float()
        yield part.rows, torch.nn.functional.normalize(vectors, dim=1)


def _plain(
    model: SentenceTransformer, texts: list[str], options: dict[str, Any]
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    vectors = model.encode(
        texts,
        batch_size=len(texts),
        normalize_embeddings=True,
        convert_to_tensor=True,
        show_progress_bar=False,
        **options,
    )
    yield np.arange(len(texts)), vectors.float()
