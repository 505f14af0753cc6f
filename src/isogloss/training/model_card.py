"""The model card of a trained model: what it is made of, how, and what was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isogloss._version import __version__
from isogloss.training.recipe import Recipe, recipe_toml
from isogloss.training.trained_on import PAIRS_KEY


@dataclass(frozen=True)
class TrainedOn:
    """One training corpus as the card tells of it."""

    name: str
    items: int
    languages: Sequence[str]
    checksum: str


@dataclass(frozen=True)
class CardFacts:
    """What a card says beside the recipe.

    Attributes:
        hub_base: the hub name of the base, where it has one.
        languages: the languages met in training.
        pairs: the ordered pairs (query language, passage language) met in training.
        datasets: the training corpora.
        realised_alpha: share of monolingual batches in the run; None for plans without the two kinds.
        steps: steps trained, and the step of the chosen checkpoint.
        chosen_step: the step of the checkpoint chosen on development data; None where the last was taken.
        pairs_per_second: rate over the run.
        development: the development figures at each evaluation.
        query_prompt: put before queries.
        passage_prompt: put before passages.
        versions: versions of the libraries.
        contamination: lines on benchmark items among the training data; none where nothing is known.
    """

    hub_base: str | None
    languages: Sequence[str]
    pairs: Sequence[tuple[str, str]]
    datasets: Sequence[TrainedOn]
    realised_alpha: float | None
    steps: int
    chosen_step: int | None
    pairs_per_second: float
    query_prompt: str
    passage_prompt: str
    development: Sequence[Mapping[str, float]] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    contamination: Sequence[str] = ()


def model_card(recipe: Recipe, facts: CardFacts) -> str:
    """Write the card as Markdown with the hub's YAML header."""
    base = facts.hub_base or Path(recipe.base).name
    header = [
        "---",
        "library_name: sentence-transformers",
        "pipeline_tag: sentence-similarity",
        *([f"base_model: {base}"] if facts.hub_base else []),
        "language:",
        *(f"- {language}" for language in facts.languages),
        "tags:",
        *("- " + tag for tag in ("sentence-transformers", "multilingual-retrieval", "isogloss")),
        # One line, however many pairs; `isogloss evaluate` tells seen from unseen by it.
        f"{PAIRS_KEY}: {json.dumps(['->'.join(pair) for pair in facts.pairs])}",
        "---",
    ]
    pairs = recipe.batch_size * recipe.accumulation
    share = "" if facts.realised_alpha is None else f", {facts.realised_alpha:.1%} of the batches monolingual"
    chosen = (
        ""
        if facts.chosen_step is None
        else f"; the checkpoint of step {facts.chosen_step} was chosen by {recipe.select_by} on `{recipe.dev}`"
    )
    body = [
        f"# {base}, fine-tuned with the {recipe.plan} plan",
        "",
        f"A dual encoder for multilingual retrieval: `{base}` after {facts.steps} steps of {pairs} pairs "
        f"({facts.pairs_per_second:.1f} pairs a second){share}{chosen}. Made with isogloss {__version__}; the batches "
        "follow Elmahdy et al. 2024 (arXiv 2408.10536).",
        "",
        "```python",
        "from sentence_transformers import SentenceTransformer",
        "",
        'model = SentenceTransformer("path/to/this/folder")',
        "scores = model.encode_query(queries) @ model.encode_document(passages).T",
        "```",
        "",
        f"Prompts: query {facts.query_prompt!r}, passage {facts.passage_prompt!r}; saved in the configuration.",
        "",
        "## Training data",
        "",
        "| corpus | items | languages | sha256 of its content |",
        "|---|---|---|---|",
        *(
            f"| {data.name} | {data.items} | {' '.join(data.languages)} | `{data.checksum[:16]}…` |"
            for data in facts.datasets
        ),
        "",
        *([*facts.contamination, ""] if facts.contamination else []),
        *_development_table(facts.development),
        "## Recipe",
        "",
        "```toml",
        recipe_toml(recipe).rstrip(),
        "```",
        "",
    ]
    if facts.versions:
        body += [
            "Versions: " + ", ".join(f"{name} {version}" for name, version in facts.versions.items()) + ".",
            "",
        ]
    return "\n".join(header + body)


def _development_table(history: Sequence[Mapping[str, Any]]) -> list[str]:
    if not history:
        return [
            "## Figures",
            "",
            "No development corpus was given; measure the model with `isogloss evaluate`.",
            "",
        ]
    names = [name for name in history[0] if name.startswith("dev_")]
    lines = [
        "## Figures on the development corpus",
        "",
        "| step | " + " | ".join(name.removeprefix("dev_").replace("_", " ") for name in names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for row in history:
        values = [f"{row[name]:.0f}" if name == "dev_rank_distance" else f"{row[name]:.4f}" for name in names]
        lines.append(f"| {int(row['step'])} | " + " | ".join(values) + " |")
    return [*lines, ""]
