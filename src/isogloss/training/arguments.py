"""From a recipe to the arguments of the sentence-transformers trainer."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformerTrainingArguments
from sentence_transformers.util import get_device_name

from isogloss.errors import RecipeError
from isogloss.training.development import DevelopmentEvaluator
from isogloss.training.processes import announced
from isogloss.training.recipe import Recipe

_SCHEDULERS = {"linear": "linear", "cosine": "cosine", "constant": "constant_with_warmup"}

_OPTIMISERS_OF_ROWS = ("adamw_torch", "adamw_torch_fused")
"""Those that `RowSparseAdamW` stands in for."""


def trainer_arguments(
    recipe: Recipe, checkpoints: Path, evaluator: DevelopmentEvaluator | None
) -> SentenceTransformerTrainingArguments:
    """Make the trainer's arguments: the recipe's own, then those of its `trainer` table.

    Where a launcher has started several processes, they meet here.

    Raises:
        RecipeError: an argument is not known or not valid; one process would train on several devices; or the batch
            cannot be shared evenly among the processes.
    """
    every = recipe.eval_every if evaluator is not None else 0
    choosing = bool(every) and recipe.select_by != "last"
    save_every = every if choosing else recipe.save_every
    processes = announced().processes
    values: dict[str, Any] = {
        "output_dir": str(checkpoints),
        "max_steps": recipe.steps,
        "per_device_train_batch_size": recipe.batch_size,
        "learning_rate": recipe.learning_rate,
        "warmup_steps": recipe.warmup_steps,
        "lr_scheduler_type": _SCHEDULERS[recipe.schedule],
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.max_grad_norm,
        "seed": recipe.seed,
        "logging_steps": recipe.log_every,
        "eval_strategy": "steps" if every else "no",
        "eval_steps": every or None,
        "save_strategy": "steps" if save_every else "no",
        "save_steps": save_every or recipe.steps,
        "save_total_limit": 2,
        "disable_tqdm": True,
        "report_to": "none",
        # Several processes on a machine without another device would not find one another if this were not said.
        "use_cpu": recipe.device == "cpu" or (processes > 1 and get_device_name() == "cpu"),
        # Pinning memory serves a GPU alone, and warns without one.
        "dataloader_pin_memory": torch.cuda.is_available(),
        # Early stopping counts evaluations; a resumed run goes on counting.
        "restore_callback_states_from_checkpoint": bool(recipe.patience),
    }
    if choosing and evaluator is not None:
        values |= {
            "load_best_model_at_end": True,
            "metric_for_best_model": f"eval_{evaluator.primary_metric}",
            "greater_is_better": evaluator.greater_is_better,
        }
    try:
        with _notices_kept_back():
            arguments = SentenceTransformerTrainingArguments(**values | recipe.trainer)
    except (TypeError, ValueError, ImportError, RuntimeError) as error:
        raise RecipeError(
            f"trainer: {error}; see SentenceTransformerTrainingArguments for its arguments"
        ) from error
    if recipe.word_embeddings == "sparse" and arguments.optim not in _OPTIMISERS_OF_ROWS:
        raise RecipeError(
            f"trainer: word_embeddings = 'sparse' needs AdamW and optim is {str(arguments.optim.value)!r}; leave optim "
            "out, or use dense or frozen"
        )
    if arguments.fsdp or arguments.deepspeed or _sharded_by_launcher():
        raise RecipeError(
            "the weights would lie in pieces (FSDP or DeepSpeed), and are not put together for saving yet; start plain "
            "data-parallel processes, with torchrun or with accelerate launch without those options"
        )
    if arguments.n_gpu > 1:
        raise RecipeError(
            f"{arguments.n_gpu} devices would train in one process, each on a batch of its own; start a process for "
            f"each (torchrun --nproc-per-node {arguments.n_gpu} -m isogloss train ...), or set CUDA_VISIBLE_DEVICES=0"
        )
    if arguments.world_size != processes:
        raise RecipeError(
            f"WORLD_SIZE in the environment announces {processes} processes, and {arguments.world_size} found one "
            "another; start them with torchrun or accelerate launch, or take WORLD_SIZE out of the environment"
        )
    if recipe.batch_size % processes:
        raise RecipeError(
            f"batch_size: a batch of {recipe.batch_size} pairs cannot be shared evenly among {processes} processes; it "
            "has to be a multiple of their number"
        )
    arguments.per_device_train_batch_size = recipe.batch_size // processes
    return arguments


def _sharded_by_launcher() -> bool:
    """Whether `accelerate launch` was told to shard weights; on processors the trainer would silently not do so."""
    names = ("ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED")
    return any(os.environ.get(name, "").lower() in ("true", "1") for name in names)


@contextmanager
def _notices_kept_back() -> Iterator[None]:
    logger = logging.getLogger("transformers")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
