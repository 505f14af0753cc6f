"""Which languages and pairs a model folder's training met, from its model card and recipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from isogloss.batching import Plan
from isogloss.corpus.reading import corpus_name
from isogloss.corpus.sample import PREFIX as SAMPLE
from isogloss.errors import RecipeError
from isogloss.evaluation.seen_unseen import TrainedPairs
from isogloss.training.planning import make_plan
from isogloss.training.recipe import make_recipe, read_recipe_values

PAIRS_KEY = "trained_pairs"
"""The key of the model card's header that lists the ordered pairs met in training."""


def trained_pairs(folder: Path) -> TrainedPairs | None:
    """Read what the training of a folder made by `isogloss train` met; a base that was made so counts as well.

    The card lists the pairs. Where it does not (isogloss 0.1.0 before it did), they are those that the recipe's plan
    allows between the card's languages.

    Returns:
        None where the folder has no card of ours that can be read.
    """
    header = _card_header(folder / "README.md")
    languages = _texts(header.get("language"))
    pairs = {pair for pair in map(_pair, _texts(header.get(PAIRS_KEY))) if pair is not None}
    source = f"the model card and recipe in {folder}"
    try:
        recipe = make_recipe(read_recipe_values(folder / "recipe.toml"))
        plan = make_plan(recipe)
    except RecipeError:
        # Such as the mean of models, of which each had a recipe.
        return TrainedPairs.of(languages, pairs, f"the model card in {folder}") if pairs else None
    if not pairs:
        pairs = allowed_pairs(plan, languages)
    if not pairs:
        return None
    base = Path(recipe.base).expanduser()
    earlier = trained_pairs(base) if base.is_dir() and base.resolve() != folder.resolve() else None
    corpora = tuple(map(_called, recipe.train))
    if earlier is not None:
        languages = [*languages, *earlier.languages]
        pairs |= earlier.pairs
        corpora += earlier.corpora
    return TrainedPairs.of(languages, pairs, source, corpora)


def _called(source: str) -> str:
    """What a corpus is called as a benchmark."""
    return source.replace(":", "-") if source.startswith(SAMPLE) else corpus_name(Path(source))


def allowed_pairs(plan: Plan, languages: Iterable[str]) -> set[tuple[str, str]]:
    """The ordered pairs of some languages that a plan may draw."""
    kinds = {mode == "cross" for mode in plan.modes}
    return {
        (query, passage)
        for query in languages
        for passage in languages
        if (query != passage) in kinds and plan.allows_pair(query, passage)
    }


def _card_header(path: Path) -> Mapping[str, Any]:
    """The YAML header of a model card; empty where there is none that can be read."""
    from huggingface_hub import metadata_load

    try:
        header = metadata_load(path)
    except (OSError, ValueError, UnicodeDecodeError):
        return {}
    except (
        Exception
    ) as error:  # the YAML library's own errors have no common base that could be imported here
        if type(error).__module__.startswith("yaml"):
            return {}
        raise
    return header or {}


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _pair(name: str) -> tuple[str, str] | None:
    query, arrow, passage = name.partition("->")
    return (query, passage) if query and arrow and passage else None
