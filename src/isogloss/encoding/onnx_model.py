"""An ONNX export of a sentence encoder, run by OpenVINO.

    FOLDER/onnx/model.onnx       beside a sentence-transformers model, as its backend "onnx" or optimum exports it; or
    FOLDER/model.onnx            with a tokenizer beside it

The tokenizer, the pooling and the modules after it are those of the folder; without `modules.json` token vectors are
averaged. The result is a `SentenceTransformer`, so that texts are encoded as every other model's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, InputModule, Normalize
from sentence_transformers.sentence_transformer.modules import LayerNorm, Pooling
from torch import Tensor

from isogloss.encoding.int8_transformer import ACTIVATION_GROUP, import_openvino, processor_settings
from isogloss.encoding.precision import Precision
from isogloss.errors import ModelError, RecipeError

_TOKEN_OUTPUTS = ("token_embeddings", "last_hidden_state")
_SENTENCE_OUTPUT = "sentence_embedding"
MODULES_AFTER = {module.__name__: module for module in (Dense, LayerNorm, Normalize, Pooling)}
"""What may follow the transformer; and Dropout, which does nothing here."""

_USUAL_LIMIT = 512
_NO_LIMIT = 10**6
"""What tokenizers say that have no limit is larger."""


def load_onnx(
    path: Path, name: str, *, max_length: int | None = None
) -> tuple[SentenceTransformer, str, Precision]:
    """Load an export with what lies beside it.

    Args:
        path: the ``.onnx`` file.
        name: what to call it in errors.
        max_length: tokens a text that the model will be asked to take.

    Returns:
        The model, whose first module is an `OnnxTransformer`; a SHA-256 over the export; and its arithmetic, int8
        where its weights are of 8 bits.

    Raises:
        ModelError: OpenVINO is not installed, or something about the export or the folder is not as above.
        RecipeError: texts of `max_length` tokens are longer than the model takes.
    """
    openvino = import_openvino(f"{name}: an ONNX export", "onnx")
    folder = path.parent.parent if path.parent.name == "onnx" else path.parent
    modules = _read_json(folder / "modules.json", [])
    tokenizer = _tokenizer(folder if _has_tokenizer(folder) else path.parent, name)
    limit = _read_json(folder / "sentence_bert_config.json", {}).get("max_seq_length") or (
        tokenizer.model_max_length if tokenizer.model_max_length < _NO_LIMIT else _USUAL_LIMIT
    )
    tokenizer.model_max_length = limit
    if max_length is not None and max_length > limit:
        raise RecipeError(f"max_length: {max_length} tokens, but {name} takes {limit} at most")
    try:
        core = openvino.Core()
        graph = core.read_model(str(path))
        precision: Precision = "int8" if _has_int8_weights(graph) else "float32"
        # Without 8-bit weights the group size changes nothing.
        settings = {**processor_settings(), "DYNAMIC_QUANTIZATION_GROUP_SIZE": ACTIVATION_GROUP}
        compiled = core.compile_model(graph, "CPU", settings)
    except RuntimeError as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise ModelError(f"{name}: OpenVINO cannot run this export: {reason}") from error
    transformer = OnnxTransformer(compiled, tokenizer, name, prefer_tokens=bool(modules))
    after = _modules_after(folder, modules, name, transformer.dimension) if transformer.gives_tokens else []
    saved = _read_json(folder / "config_sentence_transformers.json", {})
    model = SentenceTransformer(
        modules=[transformer, *after],
        device="cpu",
        prompts=saved.get("prompts") or None,
        truncate_dim=saved.get("truncate_dim"),
    )
    return model, _digest(path, folder, tokenizer), precision


class OnnxTransformer(InputModule):  # type: ignore[misc]
    """The tokenizer and the exported graph, as the first module of a `SentenceTransformer`.

    Args:
        compiled: OpenVINO's compiled model.
        tokenizer: a Hugging Face tokenizer that has a limit.
        name: what to call the model in errors.
        prefer_tokens: take the tokens' vectors where the graph gives the sentence's as well.
    """

    def __init__(self, compiled: Any, tokenizer: Any, name: str, *, prefer_tokens: bool) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self._name = name
        self._request = compiled.create_infer_request()
        self._inputs = {port.get_any_name(): port.get_element_type().to_dtype() for port in compiled.inputs}
        self._output = _output(compiled, prefer_tokens)
        try:
            example = self._run(self.preprocess(["x"]))
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise ModelError(f"{name}: the export fails on a text: {reason}") from error
        if example.ndim not in (2, 3) or not np.issubdtype(example.dtype, np.floating):
            raise ModelError(
                f"{name}: the export's output is {example.dtype} of shape {example.shape}; it should be the vectors of"
                " tokens (texts, tokens, d) or of texts (texts, d)"
            )
        self.gives_tokens = example.ndim == 3
        self.dimension = int(example.shape[-1])

    @property
    def max_seq_length(self) -> int:
        """Tokens after which a text is cut."""
        return int(self.tokenizer.model_max_length)

    def get_embedding_dimension(self) -> int:
        """Return the numbers a vector."""
        return self.dimension

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **kwargs: Any) -> dict[str, Any]:
        """Tokenise texts, cut at the limit."""
        options = {"max_length": self.max_seq_length, **kwargs.get("processing_kwargs", {}).get("text", {})}
        texts = [(prompt or "") + text for text in inputs]
        features = dict(
            self.tokenizer(texts, padding=True, return_tensors="pt", **{"truncation": True, **options})
        )
        if prompt:
            # Some models' pooling leaves the prompt out.
            ids = self.tokenizer(prompt)["input_ids"]
            features["prompt_length"] = len(ids) - (ids[-1] in self.tokenizer.all_special_ids)
        return features

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Add the vectors of tokens or, where the export pools itself, of texts."""
        output = torch.from_numpy(self._run(features).astype(np.float32))
        return {**features, "token_embeddings" if self.gives_tokens else "sentence_embedding": output}

    def save(self, output_path: str, *args: Any, **kwargs: Any) -> None:
        """Refuse: an export is copied as it is."""
        raise ModelError(f"{self._name}: an ONNX export is not saved as another model; copy its folder")

    def _run(self, features: dict[str, Any]) -> Any:
        ids: Tensor = features["input_ids"]
        inputs = {}
        for name, dtype in self._inputs.items():
            if name in features:
                inputs[name] = features[name].numpy().astype(dtype)
            elif name == "token_type_ids":
                inputs[name] = np.zeros(tuple(ids.shape), dtype=dtype)
            else:
                raise ModelError(
                    f"{self._name}: the export asks for {name!r}, which its tokenizer does not give"
                )
        outputs = self._request.infer(inputs)
        # The request writes its next output into the same memory.
        return np.array(outputs[self._output])


def _has_int8_weights(graph: Any) -> bool:
    constants = (node for node in graph.get_ordered_ops() if node.get_type_name() == "Constant")
    return any(
        node.get_element_type().get_type_name() in ("i8", "u8") and len(node.get_output_shape(0)) > 1
        for node in constants
    )


def _output(compiled: Any, prefer_tokens: bool) -> int:
    """Which output to take, by its name, else the first."""
    names = [port.get_names() for port in compiled.outputs]
    tokens = [number for number, found in enumerate(names) if found & set(_TOKEN_OUTPUTS)]
    sentences = [number for number, found in enumerate(names) if _SENTENCE_OUTPUT in found]
    wanted = [*tokens, *sentences] if prefer_tokens else [*sentences, *tokens]
    return wanted[0] if wanted else 0


def _modules_after(folder: Path, modules: list[dict[str, Any]], name: str, dimension: int) -> list[Any]:
    """Load what comes after the transformer; averaging where nothing says what does."""
    if not modules:
        return [Pooling(dimension, pooling_mode="mean")]
    loaded = []
    for module in modules[1:]:
        kind = str(module.get("type", "")).rpartition(".")[2]
        if kind == "Dropout":
            continue
        if kind not in MODULES_AFTER:
            raise ModelError(
                f"{name}: modules.json has {module.get('type')!r} after the transformer; with an ONNX export it may"
                f" have {', '.join(MODULES_AFTER)}"
            )
        try:
            loaded.append(
                MODULES_AFTER[kind].load(str(folder), subfolder=module["path"], local_files_only=True)
            )
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise ModelError(f"{name}: cannot load {module.get('path')} of modules.json: {error}") from error
    return loaded


def _has_tokenizer(folder: Path) -> bool:
    return any((folder / file).is_file() for file in ("tokenizer.json", "tokenizer_config.json"))


def _tokenizer(folder: Path, name: str) -> Any:
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    try:
        if (folder / "tokenizer_config.json").is_file():
            return AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    except Exception as error:  # the libraries below raise many kinds for one thing: there is no tokenizer
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(
            f"{name}: cannot load the tokenizer: {reason}; tokenizer.json should lie beside the export, or in the"
            " folder above onnx/"
        ) from error
    if tokenizer.pad_token is None:
        known = tokenizer.get_vocab()
        tokenizer.pad_token = next((token for token in ("<pad>", "[PAD]") if token in known), None)
    if tokenizer.pad_token is None:
        raise ModelError(f"{name}: tokenizer.json names no token to pad with; add tokenizer_config.json")
    return tokenizer


def _read_json(path: Path, otherwise: Any) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else otherwise
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot read: {error}") from error


def _digest(path: Path, folder: Path, tokenizer: Any) -> str:
    """SHA-256 over the graph, weights beside it, and what else decides the vectors."""
    digest = hashlib.sha256(tokenizer.backend_tokenizer.to_str().encode())
    beside = [path.with_name(f"{path.name}{suffix}") for suffix in ("_data", ".data")]
    for file in [path, *beside, folder / "modules.json", *sorted(folder.glob("*_*/*"))]:
        if file.is_file():
            with file.open("rb") as content:
                digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()
