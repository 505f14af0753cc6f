"""Tiny Marian, M2M100 and NLLB models, trained in seconds to translate a handful of sentences."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

SENTENCES = {
    "en": ["the dog runs fast.", "a cat sleeps.", "where is the house?", "the sun is big."],
    "de": ["der hund rennt schnell.", "eine katze schläft.", "wo ist das haus?", "die sonne ist groß."],
    "es": ["el perro corre rápido.", "un gato duerme.", "dónde está la casa?", "el sol es grande."],
}
_SIZES = {
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "max_position_embeddings": 64,
    "init_std": 0.1,
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
    "encoder_layerdrop": 0.0,
    "decoder_layerdrop": 0.0,
}


def _pieces(folder: Path) -> list[str]:
    """Train a sentencepiece model on the sentences, and return its pieces without special ones."""
    import sentencepiece

    text = folder / "sentences.txt"
    text.write_text("\n".join(line for lines in SENTENCES.values() for line in lines * 10), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(text),
        model_prefix=str(folder / "pieces"),
        model_type="word",
        vocab_size=len({word for lines in SENTENCES.values() for line in lines for word in line.split()}) + 3,
        character_coverage=1.0,
        minloglevel=2,
    )
    text.unlink()
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "pieces.model"))
    return [
        model.id_to_piece(number)
        for number in range(model.get_piece_size())
        if not (model.is_control(number) or model.is_unknown(number))
    ]


def _numbered(folder: Path, tokens: list[str]) -> Path:
    path = folder / "vocab.json"
    path.write_text(json.dumps({token: number for number, token in enumerate(tokens)}), encoding="utf-8")
    return path


def make_marian(folder: Path, targets: tuple[str, ...] = ("de",)) -> Path:
    """An OPUS-MT model from English: to one language, or to several that are chosen by `>>deu<<`."""
    from transformers import MarianConfig, MarianMTModel, MarianTokenizer

    folder.mkdir(parents=True)
    threes = {"de": "deu", "es": "spa"}
    marks = [f">>{threes[target]}<<" for target in targets] if len(targets) > 1 else []
    vocabulary = _numbered(folder, ["</s>", "<unk>", *marks, *_pieces(folder), "<pad>"])
    for side in ("source", "target"):
        shutil.copy(folder / "pieces.model", folder / f"{side}.spm")
    tokenizer = MarianTokenizer(
        source_spm=str(folder / "source.spm"),
        target_spm=str(folder / "target.spm"),
        vocab=str(vocabulary),
        source_lang="eng",
        target_lang=threes[targets[0]] if len(targets) == 1 else "mul",
    )
    pad = len(tokenizer) - 1
    config = MarianConfig(
        **_SIZES,
        vocab_size=len(tokenizer),
        pad_token_id=pad,
        eos_token_id=0,
        decoder_start_token_id=pad,
        forced_eos_token_id=0,
    )
    pairs = [
        ([*marks[number : number + 1], source], tokenizer(text_target=made)["input_ids"])
        for number, target in enumerate(targets)
        for source, made in zip(SENTENCES["en"], SENTENCES[target], strict=True)
    ]
    pairs = [(tokenizer(" ".join(words))["input_ids"], made) for words, made in pairs]
    return _trained(MarianMTModel, config, tokenizer, pairs, folder)


def make_m2m100(folder: Path) -> Path:
    """An M2M100 model from English to German and Spanish."""
    from transformers import M2M100Config, M2M100ForConditionalGeneration, M2M100Tokenizer

    folder.mkdir(parents=True)
    vocabulary = _numbered(folder, ["<s>", "<pad>", "</s>", "<unk>", *_pieces(folder)])
    shutil.copy(folder / "pieces.model", folder / "sentencepiece.bpe.model")
    tokenizer = M2M100Tokenizer(
        vocab_file=str(vocabulary), spm_file=str(folder / "sentencepiece.bpe.model"), src_lang="en"
    )
    config = M2M100Config(
        **_SIZES,
        vocab_size=max(tokenizer.lang_code_to_id.values()) + 9,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        decoder_start_token_id=2,
    )
    pairs = [
        (tokenizer(source)["input_ids"], [tokenizer.get_lang_id(target), *_plain(tokenizer, made)])
        for target in ("de", "es")
        for source, made in zip(SENTENCES["en"], SENTENCES[target], strict=True)
    ]
    return _trained(M2M100ForConditionalGeneration, config, tokenizer, pairs, folder)


def make_nllb(folder: Path) -> Path:
    """An NLLB model from English to German and Spanish."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

    folder.mkdir(parents=True)
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trained.train_from_iterator(
        [line for lines in SENTENCES.values() for line in lines],
        trainers.BpeTrainer(
            vocab_size=200, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], show_progress=False
        ),
    )
    state = json.loads(trained.to_str())["model"]
    tokenizer = NllbTokenizer(
        vocab=state["vocab"],
        merges=[tuple(pair) for pair in state["merges"]],
        src_lang="eng_Latn",
        tgt_lang="deu_Latn",
    )
    config = M2M100Config(
        **_SIZES,
        vocab_size=len(tokenizer),
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        decoder_start_token_id=2,
    )
    pairs = [
        (
            tokenizer(source)["input_ids"],
            [tokenizer.convert_tokens_to_ids(code), *_plain(tokenizer, made)],
        )
        for target, code in (("de", "deu_Latn"), ("es", "spa_Latn"))
        for source, made in zip(SENTENCES["en"], SENTENCES[target], strict=True)
    ]
    return _trained(M2M100ForConditionalGeneration, config, tokenizer, pairs, folder)


def _plain(tokenizer, text: str) -> list[int]:
    return [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]


def _trained(kind, config, tokenizer, pairs, folder: Path) -> Path:
    """Train a model on pairs of token numbers; a language's mark at the beginning is not learnt."""
    import torch

    torch.manual_seed(3)
    model = kind(config)
    pad, marked = config.pad_token_id, kind.__name__ != "MarianMTModel"

    def padded(rows, value=pad):
        rows = [torch.tensor(row) for row in rows]
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=value)

    ids = padded([source for source, _ in pairs])
    read = padded([[config.decoder_start_token_id, *made[:-1]] for _, made in pairs])
    labels = padded([[-100, *made[1:]] if marked else made for _, made in pairs], -100)
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-2)
    for _ in range(200):  # as a rule, a fifth of them is enough
        loss = model(
            input_ids=ids, attention_mask=(ids != pad).long(), decoder_input_ids=read, labels=labels
        ).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        if not marked:
            # As in the published models, which start the decoder with it and never write it.
            model.model.shared.weight.data[pad] = 0.0
            model.final_logits_bias[0, pad] = -1e4
        if loss.item() < 0.01:
            break
    assert loss.item() < 0.01, "the tiny model has not learnt its sentences"
    model.eval().save_pretrained(folder)
    tokenizer.model_max_length = config.max_position_embeddings
    tokenizer.save_pretrained(folder)
    return folder
