"""What a model argument means: one place decides it for every command."""

from __future__ import annotations

from pathlib import Path

from isogloss.encoding.encoder import Encoder, SentenceTransformerEncoder
from isogloss.encoding.endpoint import SCHEME, EndpointEncoder
from isogloss.encoding.precision import check_precision
from isogloss.encoding.prompts import Prompts
from isogloss.errors import RecipeError


def open_encoder(
    model: str | Path,
    *,
    query_prompt: str | None = None,
    passage_prompt: str | None = None,
    max_length: int | None = None,
    token_budget: int | None = None,
    precision: str = "float32",
    device: str | None = None,
) -> Encoder:
    """Open whatever gives vectors.

    Args:
        model: a sentence-transformers name or folder, as `load_sentence_transformer` takes it; or an endpoint,
            ``openai:MODEL@URL``, as `parse_endpoint` takes it.
        query_prompt: put before queries; None takes the model's own, and of an endpoint none.
        passage_prompt: put before passages, likewise.
        max_length: tokens after which a text is cut; None keeps the model's own limit.
        token_budget: tokens a forward pass, padding included; None takes what is fast on the device.
        precision: one of `PRECISIONS`.
        device: a torch device; None picks a GPU where there is one.

    Raises:
        ModelError: it cannot be found, loaded or read.
        RecipeError: an option makes no sense for it.
    """
    known = check_precision(precision, device)
    name = str(model)
    elsewhere = {
        "--max-length": max_length is not None,
        "--token-budget": token_budget is not None,
        "--precision": known != "float32",
        "--device": device is not None,
    }
    if name.startswith(SCHEME):
        _refuse(elsewhere, "an endpoint", "its server decides that")
        return EndpointEncoder(name, Prompts(query_prompt or "", passage_prompt or ""))
    return SentenceTransformerEncoder.load(
        model,
        query_prompt=query_prompt,
        passage_prompt=passage_prompt,
        max_length=max_length,
        token_budget=token_budget,
        precision=known,
        device=device,
    )


def _refuse(options: dict[str, bool], what: str, why: str) -> None:
    if given := [option for option, is_given in options.items() if is_given]:
        raise RecipeError(f"{', '.join(given)}: not for {what}: {why}; leave it out")
