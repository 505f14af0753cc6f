"""Things made once for many tests: data on this machine, tiny random models, small corpora."""

import json
import os
from pathlib import Path

import pytest

LANGUAGES = ("de", "en", "hi", "zh")

ALPHABET = "▁abcdefghijklmnopqrstuvwxyzäöüß0123456789?.:,कखगघचजतदनपमरलसहाीे水火土木金日月人大小问答"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with xquad-r/ and mlqa-r/."""
    folder = os.environ.get("ISOGLOSS_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs the folder of xquad-r and mlqa-r in ISOGLOSS_DATA")
    return Path(folder)


def tiny_tokenizer():
    """A unigram tokenizer over single characters."""
    from transformers import PreTrainedTokenizerFast

    from isogloss.encoding.offline_base import tokenizer_from_vocabulary
    from isogloss.encoding.packed_e5 import Vocabulary

    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = (
        [(piece, 0.0) for piece in specials] + [(letter, -3.0) for letter in ALPHABET] + [("<mask>", 0.0)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer_from_vocabulary(Vocabulary(pieces, bos=0, eos=2, pad=1, unk=3)),
        model_max_length=64,
        bos_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        cls_token="<s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    )


def make_tiny_model(folder: Path, kind: str) -> Path:
    """Save a random two-layer transformer of a kind, "bert" or "xlm-roberta", as a plain Hugging Face folder."""
    import torch
    from transformers import BertConfig, BertModel, XLMRobertaConfig, XLMRobertaModel

    torch.manual_seed(7)
    tokenizer = tiny_tokenizer()
    sizes = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 80,
        "pad_token_id": 1,
    }
    model = BertModel(BertConfig(**sizes)) if kind == "bert" else XLMRobertaModel(XLMRobertaConfig(**sizes))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory) -> Path:
    """A tiny random BERT."""
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny-bert", "bert")


@pytest.fixture(scope="session")
def tiny_xlm_roberta(tmp_path_factory) -> Path:
    """A tiny random XLM-RoBERTa."""
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny-xlm-roberta", "xlm-roberta")


WORDS = {
    "de": ("was ist", "das ist", "wasser feuer erde holz gold sonne mond mensch gross klein".split()),
    "en": ("what is", "this is", "water fire earth wood gold sun moon man big small".split()),
    "hi": ("कह", "सह", "जल नग दर कम मन दन चर नर गज लघ".split()),
    "zh": ("问", "答", "水 火 土 木 金 日 月 人 大 小".split()),
}


def records(items: int = 40, languages=LANGUAGES, negatives: bool = False, first: int = 0):
    """Language versions of items that a tiny model can learn to match: the number is in query and passage."""
    for item in range(first, first + items):
        for language in languages:
            ask, answer, things = WORDS[language]
            thing = things[item % len(things)]
            record = {
                "id": f"item-{item:03d}",
                "language": language,
                "query": f"{ask} {thing} {item}?",
                "passage": f"{answer} {thing} {item}.",
            }
            if negatives:
                record["negatives"] = [f"{answer} {things[(item + 1) % len(things)]} {item + 500}."]
            yield record


def write_records(path: Path, **arguments) -> Path:
    """Write `records` as JSONL."""
    lines = [json.dumps(record, ensure_ascii=False) for record in records(**arguments)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def corpus_file(tmp_path) -> Path:
    """Forty items in four languages."""
    return write_records(tmp_path / "corpus.jsonl")
