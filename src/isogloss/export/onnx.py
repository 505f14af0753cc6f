"""A model as a folder with an ONNX export, checked before it is there.

    FOLDER/onnx/model.onnx      token ids to token vectors, as optimum lays it out
    FOLDER/modules.json, ...    all else of the sentence-transformers model, its prompts too
    FOLDER/export.json          how it was made, and how it compares with the original
    FOLDER/debias.json, ...     the cure, where the model has one

With a cure that depends on a text's language the model lies in FOLDER/base, as `debias.saved` has it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from isogloss._version import __version__
from isogloss.corpus import RetrievalBenchmark
from isogloss.encoding.debias.encoder import DebiasedEncoder
from isogloss.encoding.debias.saved import BASE, BASE_CARD, MEANS, RECORD
from isogloss.encoding.encoder import Encoder, SentenceTransformerEncoder, default_token_budget
from isogloss.encoding.identity import weights_digest
from isogloss.encoding.int8_transformer import import_openvino
from isogloss.encoding.last_hidden_state import transformer_of
from isogloss.encoding.loading import resolve_model
from isogloss.encoding.onnx_model import MODULES_AFTER
from isogloss.encoding.opening import open_encoder
from isogloss.encoding.versions import library_versions
from isogloss.errors import ModelError, RecipeError
from isogloss.export.card import write_card
from isogloss.export.checking import Progress, benchmark_figures, sample_probe
from isogloss.export.graph import FILE, import_onnx, write_graph
from isogloss.export.int8_graph import quantise_graph
from isogloss.export.older_form import write_older_form
from isogloss.files import finished_folder, refuse_existing

EXPORT_RECORD = "export.json"
LOWEST_COSINE = 0.9999
"""What the vectors of an export in float32 must have with the original's, each of them."""

_FORMAT = 1
_GRAPH = "onnx"
_WEIGHTS = ("*.safetensors", "*.safetensors.index.json", "pytorch_model*.bin*")
_OF_TRAINING = ("recipe.toml", "training.json")


def export_onnx(
    model: str | Path,
    output: Path,
    *,
    quantize: str | None = None,
    benchmark: RetrievalBenchmark | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Export a sentence-transformers model, with its cure if it has one, to a folder that `open_encoder` opens.

    Args:
        model: a folder or name of a sentence-transformers model, or a folder that `isogloss debias` made of one.
        output: the new folder; it is there only if all checks are passed.
        quantize: ``int8`` puts the weights into 8 bits; None keeps float32.
        benchmark: to measure original and export on; None compares vectors alone.
        progress: told of each stage.

    Returns:
        What `export.json` says: `cosine`, by arithmetic `lowest` and `mean` over `texts` texts; `bytes`, by arithmetic;
        `check`, by `original` and arithmetic the figures on the benchmark, or None; and how it was made.

    Raises:
        ModelError: onnx or OpenVINO is not installed; the model is not one of sentence-transformers, has modules that
            an export cannot have, cannot be traced; or the export's vectors are not the model's.
        OutputError: the folder exists or cannot be written.
        RecipeError: `quantize` is unknown.
    """
    if quantize not in (None, "int8"):
        raise RecipeError(f"--quantize {quantize}: there is int8; without it weights stay in float32")
    refuse_existing(output)
    import_onnx()
    import_openvino(f"{model}: checking the export", "export")
    name = str(model)
    original = open_encoder(model)
    source = _torch_base(original, name)
    sentence_model = source.model
    transformer = transformer_of(sentence_model, name, "exporting", "use the model as it is")
    _check_modules(sentence_model, name)

    def stage(what: str) -> Callable[[int, int], None] | None:
        return None if progress is None else lambda done, total: progress(what, done, total)

    def figures(encoder: Encoder, what: str) -> dict[str, Any] | None:
        if benchmark is None:
            return None
        of_stage = None if progress is None else lambda part, *counts: progress(f"{what}: {part}", *counts)
        return benchmark_figures(encoder, benchmark, of_stage)

    probe = sample_probe()
    expected = probe.encode(original, stage("original"))
    measured = {"original": figures(original, "original")}
    record: dict[str, Any] = {
        "format": _FORMAT,
        "isogloss": __version__,
        "model": name,
        "weights": weights_digest(sentence_model),
        "quantize": quantize,
        "graph": f"{_GRAPH}/{FILE}",
        "texts": len(probe.texts),
        "languages": probe.languages,
        "cosine": {},
        "bytes": {},
        "check": None,
        "versions": {**library_versions(), "onnx": import_onnx().__version__},
    }
    with finished_folder(output) as folder:
        place = _copy_cure(original, folder)
        _write_model(source, place)
        write_graph(transformer, name, place / _GRAPH)
        for arithmetic in ("float32", *([quantize] if quantize else [])):
            if arithmetic == "int8":
                quantise_graph(place / _GRAPH, name)
            exported = _open(folder, name)
            likeness = probe.likeness(expected, probe.encode(exported, stage(f"ONNX, {arithmetic}")))
            # Written so that NaN is refused too.
            if arithmetic == "float32" and not likeness.lowest >= LOWEST_COSINE:
                raise ModelError(
                    f"{name}: the export's vectors are not the model's: cosine {likeness.lowest:.6f} for the"
                    f" {likeness.worst}, and at least {LOWEST_COSINE} is wanted; nothing was written"
                )
            record["cosine"][arithmetic] = {"lowest": likeness.lowest, "mean": likeness.mean}
            record["bytes"][arithmetic] = sum(one.stat().st_size for one in (place / _GRAPH).iterdir())
            measured[arithmetic] = figures(exported, f"ONNX, {arithmetic}")
        if benchmark is not None:
            record["check"] = {"data": benchmark.name, "checksum": benchmark.checksum, **measured}
        record["sha256"] = _digests(place / _GRAPH)
        if place != folder:
            record["graph"] = f"{BASE}/{record['graph']}"
        whence = _folder_of(name)
        _copy_training(whence, folder)
        write_card(whence, folder, record)
        (folder / EXPORT_RECORD).write_text(
            json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
    return record


def _torch_base(encoder: Encoder, name: str) -> SentenceTransformerEncoder:
    """The model whose weights are here, on the CPU in float32, as it is then compared with.

    Raises:
        ModelError: there is none.
    """
    base = encoder.base if isinstance(encoder, DebiasedEncoder) else encoder
    if not isinstance(base, SentenceTransformerEncoder) or base.converted_from is not None:
        what = f"its base {base.name}" if base is not encoder else "it"
        raise ModelError(
            f"{name}: cannot be exported: {what} is an endpoint, stored vectors or an ONNX export already; give a"
            " sentence-transformers model"
        )
    base.model = base.model.float().to("cpu").eval()
    base.token_budget = default_token_budget(base.model.device)
    return base


def _check_modules(model: Any, name: str) -> None:
    for module in list(model)[1:]:
        kind = type(module).__name__
        if kind != "Dropout" and type(module) is not MODULES_AFTER.get(kind):
            raise ModelError(
                f"{name}: has a module {kind} after the transformer; an export may have"
                f" {', '.join(MODULES_AFTER)}"
            )


def _write_model(source: SentenceTransformerEncoder, place: Path) -> None:
    """Write the model without its transformer's weights, and with the prompts that it is used with."""
    model = source.model
    model.prompts = {"query": source.prompts.query, "document": source.prompts.passage}
    model.default_prompt_name = None
    model.save_pretrained(str(place), create_model_card=False)
    for pattern in _WEIGHTS:
        for path in place.glob(pattern):
            path.unlink()
    write_older_form(place, model.max_seq_length)


def _copy_cure(encoder: Encoder, folder: Path) -> Path:
    """Copy a cure's files, and return where the model itself belongs."""
    if not isinstance(encoder, DebiasedEncoder):
        return folder
    cured = Path(encoder.name)
    shutil.copyfile(cured / RECORD, folder / RECORD)
    if encoder.cure is None:
        return folder
    shutil.copyfile(cured / MEANS, folder / MEANS)
    return folder / BASE


def _folder_of(name: str) -> Path:
    """The model's folder; of a name on the hub a path that is not there."""
    given = Path(name).expanduser()
    return given if given.is_dir() else Path(resolve_model(name))


def _copy_training(source: Path, folder: Path) -> None:
    """Copy what says what the model was trained on."""
    for path in (source / name for name in _OF_TRAINING):
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
    if (source / BASE_CARD).is_dir():
        shutil.copytree(source / BASE_CARD, folder / BASE_CARD)


def _open(folder: Path, name: str) -> Encoder:
    try:
        return open_encoder(folder)
    except ModelError as error:
        raise ModelError(f"{name}: the export cannot be read back: {error}") from error


def _digests(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
