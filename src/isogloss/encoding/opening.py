"""What a model argument means: one place decides it for every command.

    openai:MODEL@URL                                an OpenAI-compatible endpoint (`endpoint`)
    vectors:PATH, *.npy, *.parquet, a folder of     vectors computed elsewhere (`precomputed`)
    *.onnx, a folder of one without torch weights   an ONNX export (`onnx_model`)
    a folder that `isogloss debias` saved           a cure, and any of these as its base (`debias.saved`)

Anything else is a sentence-transformers folder or name (`loading`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from isogloss.encoding.debias.saved import is_cured, load_cured
from isogloss.encoding.encoder import Encoder, SentenceTransformerEncoder
from isogloss.encoding.endpoint import EndpointEncoder
from isogloss.encoding.loading import is_model_folder, prompts_of
from isogloss.encoding.precision import Precision, check_precision
from isogloss.encoding.precomputed import SCHEME as VECTORS
from isogloss.encoding.precomputed import PrecomputedEncoder
from isogloss.encoding.prompts import Prompts
from isogloss.encoding.vector_files import is_vector_file
from isogloss.endpoints.address import SCHEME as ENDPOINT
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
        model: as above.
        query_prompt: put before queries; None takes the model's own, and of an endpoint none.
        passage_prompt: put before passages, likewise.
        max_length: tokens after which a text is cut; None keeps the model's own limit.
        token_budget: tokens a forward pass, padding included; None takes what is fast on the device.
        precision: one of `PRECISIONS`.
        device: a torch device; None picks a GPU where there is one.

    Raises:
        ModelError: it cannot be found, loaded or read.
        OutputError: the cache of an endpoint's vectors cannot be written.
        RecipeError: an option makes no sense for it.
    """
    known = check_precision(precision, device)
    options: dict[str, Any] = {
        "query_prompt": query_prompt,
        "passage_prompt": passage_prompt,
        "max_length": max_length,
        "token_budget": token_budget,
        "precision": known,
        "device": device,
    }
    folder = Path(str(model)).expanduser()
    if is_cured(folder):
        # A cure's base has none itself, and may lie in the very folder.
        return load_cured(folder, _open_without_cure, **options)
    return _open_without_cure(model, **options)


def _open_without_cure(
    model: str | Path,
    *,
    query_prompt: str | None = None,
    passage_prompt: str | None = None,
    max_length: int | None = None,
    token_budget: int | None = None,
    precision: Precision = "float32",
    device: str | None = None,
) -> Encoder:
    name = str(model)
    arithmetic = {"--precision": precision != "float32", "--device": device not in (None, "cpu")}
    lengths = {"--max-length": max_length is not None, "--token-budget": token_budget is not None}
    prompts = {"--query-prompt": query_prompt is not None, "--passage-prompt": passage_prompt is not None}
    if name.startswith(ENDPOINT):
        given = {**lengths, **arithmetic, "--device": device is not None}
        _refuse(given, "an endpoint", "its server decides that")
        return EndpointEncoder(name, Prompts(query_prompt or "", passage_prompt or ""))
    if (vectors := _vectors(name)) is not None:
        given = {**prompts, **lengths, **arithmetic, "--device": device is not None}
        _refuse(given, "vectors that are there already", "it belongs to where they are computed")
        return PrecomputedEncoder(vectors, name)
    if (export := _export(name)) is not None:
        _refuse(arithmetic, "an ONNX export", "it runs on the processor, in its own arithmetic")
        from isogloss.encoding.onnx_model import load_onnx

        loaded, digest, found = load_onnx(export, name, max_length=max_length)
        return SentenceTransformerEncoder(
            loaded,
            name,
            prompts_of(loaded, name, query_prompt=query_prompt, passage_prompt=passage_prompt),
            max_length=max_length,
            token_budget=token_budget,
            precision=found,
            converted_from=digest,
        )
    return SentenceTransformerEncoder.load(
        model,
        query_prompt=query_prompt,
        passage_prompt=passage_prompt,
        max_length=max_length,
        token_budget=token_budget,
        precision=precision,
        device=device,
    )


def _vectors(name: str) -> Path | None:
    """The file or folder of vectors that is meant, if vectors are."""
    if name.startswith(VECTORS):
        return Path(name.removeprefix(VECTORS)).expanduser()
    path = Path(name).expanduser()
    if is_vector_file(path):
        return path
    if path.is_dir() and not is_model_folder(path) and any(map(is_vector_file, path.iterdir())):
        return path
    return None


def _export(name: str) -> Path | None:
    """The ONNX export that is meant, if one is."""
    path = Path(name).expanduser()
    if path.suffix == ".onnx" and path.is_file():
        return path
    weights = ("*.safetensors", "pytorch_model*.bin", "0_*/*.safetensors", "0_*/pytorch_model*.bin")
    if not path.is_dir() or any(any(path.glob(pattern)) for pattern in weights):
        return None
    usual = [path / "onnx" / "model.onnx", path / "model.onnx"]
    found = [one for one in usual if one.is_file()] or [*path.glob("onnx/*.onnx"), *path.glob("*.onnx")]
    if len(found) > 1 and found[0] != usual[0]:
        raise RecipeError(
            f"{name}: holds {', '.join(one.name for one in sorted(found))}: give the file of one"
        )
    return found[0] if found else None


def _refuse(options: dict[str, bool], what: str, why: str) -> None:
    if given := [option for option, is_given in options.items() if is_given]:
        raise RecipeError(f"{', '.join(given)}: not for {what}: {why}; leave it out")
