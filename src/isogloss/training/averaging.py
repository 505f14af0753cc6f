"""Average the weights of models that were trained from one base, or of a base and what was trained from it.

Weights on the line between a base and its fine-tuned model often do better on other data than either end (Wortsman et
al. 2022, arXiv 2109.01903), and the mean of several fine-tuned models better than each (arXiv 2203.05482). No training,
and at search time the cost of one model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer

from isogloss.encoding.loading import load_sentence_transformer, prompts_of
from isogloss.errors import ModelError, RecipeError
from isogloss.files import finished_folder
from isogloss.training.trained_on import PAIRS_KEY, trained_pairs

_SUM = 1e-6


def average_models(models: Sequence[str], output: Path, weights: Sequence[float] | None = None) -> None:
    """Write the weighted mean of models as a model folder; configuration, tokenizer and prompts are the first's.

    Args:
        models: two or more names or folders, of one architecture.
        output: the new folder.
        weights: of each model, summing to 1; None weighs all alike. One outside [0, 1] goes beyond an end.

    Raises:
        ModelError: a model cannot be loaded, or is of another architecture or has other prompts than the first.
        OutputError: the output is there already.
        RecipeError: too few models, or weights that do not fit.
    """
    if len(models) < 2:
        raise RecipeError("one model alone cannot be averaged; give two or more")
    shares = [1 / len(models)] * len(models) if weights is None else list(weights)
    if len(shares) != len(models) or not all(map(math.isfinite, shares)):
        raise RecipeError(f"{len(shares)} weights for {len(models)} models; give each a number")
    if abs(sum(shares) - 1) > _SUM:
        raise RecipeError(f"the weights sum to {sum(shares):g}; they have to sum to 1")
    first = load_sentence_transformer(models[0], device="cpu").float()
    prompts = prompts_of(first, models[0])
    total = {name: shares[0] * value.double() for name, value in _numbers(first.state_dict()).items()}
    for name, share in zip(models[1:], shares[1:], strict=True):
        other = load_sentence_transformer(name, device="cpu").float()
        if prompts_of(other, name) != prompts:
            raise ModelError(
                f"{name}: has other prompts than {models[0]}; these models were not trained alike"
            )
        if _build(other) != _build(first):
            raise ModelError(
                f"{name}: is of another architecture or has another tokenizer than {models[0]}; they cannot be averaged"
            )
        _add(total, _numbers(other.state_dict()), share, name, models[0])
    state = first.state_dict()
    first.load_state_dict(
        {name: total[name].to(value) if name in total else value for name, value in state.items()}
    )
    first.prompts = {"query": prompts.query, "document": prompts.passage}
    first.default_prompt_name = None
    with finished_folder(output) as folder:
        first.save_pretrained(str(folder), create_model_card=False)
        (folder / "README.md").write_text(_card(models, shares), encoding="utf-8")


def _build(model: SentenceTransformer) -> tuple[object, ...]:
    """What has to be the same: the modules, the kind of transformer, and which word has which number."""
    config = getattr(getattr(model, "transformers_model", None), "config", None)
    vocabulary: object = getattr(model.tokenizer, "get_vocab", dict)()
    return [type(module).__name__ for module in model], getattr(config, "model_type", None), vocabulary


def _numbers(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights that can be averaged; positions and other integers cannot."""
    return {name: value for name, value in state.items() if value.is_floating_point()}


def _add(
    total: dict[str, torch.Tensor], weights: dict[str, torch.Tensor], share: float, name: str, first: str
) -> None:
    for key in sorted(total.keys() | weights.keys()):
        if key not in total or key not in weights or total[key].shape != weights[key].shape:
            raise ModelError(f"{name}: has other weights than {first} (at {key}); they cannot be averaged")
        total[key] += share * weights[key].double()


def _card(models: Sequence[str], shares: Sequence[float]) -> str:
    found = [trained_pairs(Path(model).expanduser()) for model in models]
    met = [one for one in found if one is not None]
    languages = sorted({language for one in met for language in one.languages})
    pairs = sorted({pair for one in met for pair in one.pairs})
    lines = "\n".join(
        f"| {Path(model).name} | {share:g} |" for model, share in zip(models, shares, strict=True)
    )
    header = "".join(f"- {language}\n" for language in languages)
    named = ", ".join(f'"{query}->{passage}"' for query, passage in pairs)
    return f"""---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
{f"language:{chr(10)}{header}" if languages else ""}tags:
- sentence-transformers
- multilingual-retrieval
- isogloss
{PAIRS_KEY}: [{named}]
---

# The weighted mean of models

| model | weight |
|---|--:|
{lines}

A plain sentence-transformers model; its prompts are saved in the configuration.
"""
