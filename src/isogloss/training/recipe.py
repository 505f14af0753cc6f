"""A training recipe: every choice of a run, validated, as TOML on disk."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from isogloss.batching import LanguageWeighting, PlanKind
from isogloss.errors import RecipeError

NegativeLanguage = Literal["passage", "query", "both"]
WordEmbeddings = Literal["sparse", "dense", "frozen"]
Selection = Literal["loss", "mono_map", "cross_map", "multi_map", "rank_distance", "last"]
SELECTIONS: tuple[str, ...] = get_args(Selection)


class Recipe(BaseModel):
    """Every choice of a training run.

    Field names are the TOML keys and, with dashes, the command-line options; languages and pairs are options in the
    singular, given once for each.

    Attributes:
        base: the model to start from: a folder, an offline model's name or a hub name.
        train: corpora to train on (files, folders, benchmark names or ``sample:train``).
        dev: corpus to choose checkpoints on; never the data that the result is reported on.
        plan: how a batch is composed.
        alpha: share of monolingual batches in a hybrid plan: a number, or a schedule such as ``0.8:0.2`` (from, to).
        languages: train on these alone; empty means all that the corpora hold.
        held_out_languages: never train on these.
        held_out_pairs: ordered pairs never trained on, written ``query-language->passage-language``.
        language_weighting: draw languages uniformly or by size.
        dataset_exponent: datasets are drawn in proportion to size to this power.
        skip_small: leave out languages and datasets too small for a batch instead of refusing them.
        steps: optimiser steps.
        batch_size: pairs a batch, over all processes that train together.
        hard_negatives: hard negatives a query, at most, from the corpus's ``negatives``.
        negative_language: whose hard negatives: those in the passage's language, in the query's (in a cross-lingual
            pair near misses in the asker's own language), or as many of both.
        parallel_positives: passages of the item in so many further languages, each a positive of its query too.
        query_alignment: weight of a second loss, which pulls a query to itself in another language and away from other
            queries; 0 leaves it out.
        passage_alignment: likewise for a passage and its `parallel_positives`.
        memory_budget: gigabytes for the activations of a batch; a batch estimated to need more is embedded twice, so
            that only a micro-batch's are held at a time. 0 (or None) never does that.
        temperature: divides the cosines in the loss.
        learning_rate: peak learning rate.
        warmup_steps: steps of linear warm-up; where it is not given, a tenth of `steps`, and at most 20.
        schedule: what the learning rate does after the warm-up.
        weight_decay: AdamW weight decay.
        max_grad_norm: gradients are clipped to this norm.
        word_embeddings: ``dense`` trains them like all weights; ``sparse`` updates only the rows of a step's own words,
            which is quicker (`RowSparseAdamW` says how it differs); ``frozen`` keeps them as they are.
        base_weight: share of the base's weights in what is measured and kept, the rest being the trained ones'.
        max_length: tokens after which a text is cut in training; None keeps the model's own limit.
        query_prompt: put before queries; None keeps the base's own.
        passage_prompt: put before passages; None keeps the base's own.
        seed: of batches, dropout and everything else.
        eval_every: steps between evaluations on `dev`, to choose the checkpoint by; 0 measures at the end alone.
        select_by: the development figure that chooses the checkpoint; "last" measures and keeps the last step.
        patience: evaluations without progress after which training stops; 0 never stops early.
        save_every: steps between checkpoints; 0 saves only when interrupted; with `eval_every`, as often as that.
        log_every: steps between log entries.
        device: torch device; None picks a GPU where there is one.
        trainer: further arguments of `SentenceTransformerTrainingArguments`, as they are named there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    base: str
    train: Annotated[tuple[str, ...], Field(min_length=1)]
    dev: str | None = None
    plan: PlanKind = "hybrid"
    alpha: float | str = 0.5
    languages: tuple[str, ...] = ()
    held_out_languages: tuple[str, ...] = ()
    held_out_pairs: tuple[str, ...] = ()
    language_weighting: LanguageWeighting = "uniform"
    dataset_exponent: Annotated[float, Field(ge=0, le=10)] = 1.0
    skip_small: bool = False
    steps: Annotated[int, Field(gt=0)] = 200
    batch_size: Annotated[int, Field(ge=2)] = 32
    hard_negatives: Annotated[int, Field(ge=0)] = 0
    negative_language: NegativeLanguage = "passage"
    parallel_positives: Annotated[int, Field(ge=0)] = 0
    query_alignment: Annotated[float, Field(ge=0)] = 0.0
    passage_alignment: Annotated[float, Field(ge=0)] = 0.0
    memory_budget: Annotated[float, Field(ge=0)] = 4.0
    temperature: Annotated[float, Field(gt=0)] = 0.02
    learning_rate: Annotated[float, Field(gt=0)] = 3e-5
    warmup_steps: Annotated[int, Field(ge=0)]
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    word_embeddings: WordEmbeddings = "dense"
    base_weight: Annotated[float, Field(ge=0, lt=1)] = 0.0
    max_length: Annotated[int | None, Field(ge=4)] = None
    query_prompt: str | None = None
    passage_prompt: str | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    eval_every: Annotated[int, Field(ge=0)] = 0
    select_by: Selection = "multi_map"
    patience: Annotated[int, Field(ge=0)] = 0
    save_every: Annotated[int, Field(ge=0)] = 0
    log_every: Annotated[int, Field(gt=0)] = 10
    device: str | None = None
    trainer: dict[str, Any] = {}

    @field_validator("train", "languages", "held_out_languages", "held_out_pairs", mode="before")
    @classmethod
    def _one_text_is_a_list_of_one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="before")
    @classmethod
    def _short_runs_warm_up_shortly(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("steps", 200), int):
            return {"warmup_steps": max(0, min(20, values.get("steps", 200) // 10)), **values}
        return values

    @field_validator("alpha")
    @classmethod
    def _alpha_is_a_share(cls, alpha: float | str) -> float | str:
        if isinstance(alpha, str):
            try:
                alpha = float(alpha)
            except ValueError:
                return alpha  # a schedule, which the plan parses and checks
        if not 0 <= alpha <= 1:
            raise ValueError(f"must lie in [0, 1], is {alpha:g}")
        return alpha

    @field_validator("memory_budget", mode="before")
    @classmethod
    def _no_budget_is_zero(cls, memory_budget: Any) -> Any:
        # TOML has no None: left out of the file, it would read back as the default.
        return 0.0 if memory_budget is None else memory_budget

    @field_validator("held_out_pairs")
    @classmethod
    def _pairs_are_ordered(cls, pairs: tuple[str, ...]) -> tuple[str, ...]:
        ordered = []
        for pair in pairs:
            sides = [side.strip() for side in pair.replace("->", ">").split(">")]
            if len(sides) != 2 or not all(sides):
                raise ValueError(
                    f"{pair!r} is no ordered pair; write query-language->passage-language, as in 'de->en'"
                )
            ordered.append("->".join(sides))
        return tuple(ordered)

    @field_validator("trainer")
    @classmethod
    def _trainer_leaves_ours_alone(cls, trainer: dict[str, Any]) -> dict[str, Any]:
        for key, ours in _OURS.items():
            if key in trainer:
                raise ValueError(f"{key} is set by the recipe's own key {ours}; use that one")
        accumulation = trainer.get("gradient_accumulation_steps", 1)
        if not isinstance(accumulation, int) or isinstance(accumulation, bool) or accumulation < 1:
            raise ValueError(
                f"gradient_accumulation_steps must be a whole number from 1, is {accumulation!r}"
            )
        return trainer

    @model_validator(mode="after")
    def _keys_go_together(self) -> Recipe:
        if self.dev is None and (self.eval_every or self.patience):
            raise ValueError("eval_every and patience need a development corpus: give dev")
        if self.patience and not self.eval_every:
            raise ValueError("patience needs eval_every")
        if self.patience and self.select_by == "last":
            raise ValueError("patience needs a figure to wait for: select_by cannot be 'last'")
        if self.passage_alignment and not self.parallel_positives:
            raise ValueError("passage_alignment needs passages to align: give parallel_positives, at least 1")
        if self.warmup_steps >= self.steps:
            raise ValueError(
                f"warmup_steps ({self.warmup_steps}) must be fewer than steps ({self.steps}); leave it out"
            )
        return self

    def ordered_held_out_pairs(self) -> tuple[tuple[str, str], ...]:
        """Return the held-out pairs as (query language, passage language)."""
        return tuple((pair.split("->")[0], pair.split("->")[1]) for pair in self.held_out_pairs)

    @property
    def accumulation(self) -> int:
        """Batches an optimiser step."""
        return int(self.trainer.get("gradient_accumulation_steps", 1))

    @property
    def batches(self) -> int:
        """Batches in the run."""
        return self.steps * self.accumulation


_OURS = {
    "output_dir": "output",
    "max_steps": "steps",
    "num_train_epochs": "steps",
    "per_device_train_batch_size": "batch_size",
    "learning_rate": "learning_rate",
    "warmup_steps": "warmup_steps",
    "lr_scheduler_type": "schedule",
    "weight_decay": "weight_decay",
    "max_grad_norm": "max_grad_norm",
    "seed": "seed",
    "eval_steps": "eval_every",
    "save_steps": "save_every",
    "logging_steps": "log_every",
    "batch_sampler": "plan",
}


def make_recipe(values: Mapping[str, Any], *, source: str = "") -> Recipe:
    """Validate a recipe.

    Args:
        values: field values by name.
        source: the file they come from, for the message.

    Raises:
        RecipeError: an unknown key or an invalid value; all of them are named at once.
    """
    try:
        return Recipe.model_validate(dict(values))
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            key = ".".join(str(part) for part in problem["loc"][:1])
            text = problem["msg"].removeprefix("Value error, ")
            if problem["type"] == "extra_forbidden":
                text = f"is no key of a recipe; the keys are {', '.join(Recipe.model_fields)}"
            elif problem["type"] == "missing":
                text = f"is missing; give --{key} or the key in the recipe"
            elif problem["type"] not in ("value_error",):
                text = f"{text} (got {problem['input']!r})"
            lines.append(f"{key}: {text}" if key else text)
        prefix = f"{source}: " if source else ""
        raise RecipeError(prefix + "; ".join(dict.fromkeys(lines))) from None


def read_recipe_values(path: Path) -> dict[str, Any]:
    """Read the keys of a TOML recipe, not validated yet, so that options can override them.

    Raises:
        RecipeError: the file cannot be read or is no TOML.
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise RecipeError(f"{path}: cannot read the recipe: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not valid TOML: {error}") from error


def recipe_toml(recipe: Recipe) -> str:
    """Write a recipe as TOML that reads back as the same recipe; keys that are None are left out."""
    values = recipe.model_dump()
    table = values.pop("trainer")
    lines = [f"{key} = {_toml_value(value)}" for key, value in values.items() if value is not None]
    if table:
        lines += ["", "[trainer]"] + [
            f"{_toml_key(key)} = {_toml_value(value)}" for key, value in table.items() if value is not None
        ]
    return "\n".join(lines) + "\n"


def _toml_value(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_toml_value(part) for part in value) + "]"
    if isinstance(value, Mapping):
        parts = (f"{_toml_key(key)} = {_toml_value(part)}" for key, part in value.items() if part is not None)
        return "{ " + ", ".join(parts) + " }"
    if isinstance(value, str):
        # JSON strings are TOML basic strings, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def _toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _toml_value(key)
