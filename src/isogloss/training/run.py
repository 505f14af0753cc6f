"""A training run from recipe to model folder."""

from __future__ import annotations

import logging
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainingArguments
from transformers import EarlyStoppingCallback, PrinterCallback

from isogloss.batching import BatchPlanner, Plan, compose
from isogloss.corpus import ParallelCorpus, RetrievalBenchmark, read_corpus
from isogloss.encoding.loading import load_sentence_transformer, prompts_of
from isogloss.encoding.prompts import Prompts
from isogloss.errors import PlanError, RecipeError
from isogloss.files import finished_folder
from isogloss.training.batch_loading import PairCollator
from isogloss.training.callbacks import InterruptCallback, ProgressCallback, SilentProgress, TrainingProgress
from isogloss.training.development import DevelopmentEvaluator
from isogloss.training.hybrid_trainer import HybridTrainer
from isogloss.training.loss import InfoNCELoss
from isogloss.training.model_card import CardFacts, TrainedOn, model_card
from isogloss.training.pair_texts import PairDataset, planning_data
from isogloss.training.planning import make_plan
from isogloss.training.recipe import Recipe, recipe_toml
from isogloss.training.workspace import Workspace

_SCHEDULERS = {"linear": "linear", "cosine": "cosine", "constant": "constant_with_warmup"}
_DEV_LOSS_BATCHES = 32


class TrainingInterrupted(KeyboardInterrupt):
    """The run was stopped by a signal after a checkpoint was saved."""


@dataclass(frozen=True)
class TrainingResult:
    """What a run gave.

    Attributes:
        output: the model's folder.
        steps: steps trained.
        final_loss: mean training loss over the last log interval; None where nothing was logged.
        pairs_per_second: rate over the run, evaluations left out.
    """

    output: Path
    steps: int
    final_loss: float | None
    pairs_per_second: float


def train(
    recipe: Recipe,
    output: Path,
    *,
    data_dir: Path | None = None,
    resume: bool = False,
    progress: TrainingProgress | None = None,
) -> TrainingResult:
    """Train a model as a recipe says.

    Nothing is written to `output` before the model is whole; until then recipe and checkpoints lie in
    ``OUTPUT.unfinished``, from which `resume` goes on at the next batch.

    Args:
        recipe: every choice of the run.
        output: the folder to make.
        data_dir: the folder with the benchmarks' folders, where the recipe names any.
        resume: go on with an unfinished run.
        progress: where to report to.

    Raises:
        DataError, PlanError, RecipeError, ModelError: before anything is written, where the run cannot be.
        OutputError: the output, or an unfinished run, is there already.
        TrainingInterrupted: a signal came; a checkpoint has been saved.
    """
    progress = progress or SilentProgress()
    workspace = Workspace(output)
    corpora = [read_corpus(source, data_dir=data_dir) for source in recipe.train]
    pairs = PairDataset(corpora, recipe.hard_negatives)
    planner = _planner(
        recipe, corpora, recipe.steps * int(recipe.trainer.get("gradient_accumulation_steps", 1))
    )
    for left_out in planner.left_out:
        progress.message(f"left out: {left_out}")
    development = None if recipe.dev is None else read_corpus(recipe.dev, data_dir=data_dir)
    checkpoint = workspace.resume(recipe) if resume else None
    torch.manual_seed(recipe.seed)
    model = load_sentence_transformer(recipe.base, device=recipe.device)
    prompts = prompts_of(
        model, recipe.base, query_prompt=recipe.query_prompt, passage_prompt=recipe.passage_prompt
    )
    model.prompts = {"query": prompts.query, "document": prompts.passage}
    model.default_prompt_name = None
    evaluator = None if development is None else _evaluator(recipe, development, prompts)
    if recipe.freeze_word_embeddings:
        freeze_word_embeddings(model)
    arguments = _arguments(recipe, workspace, evaluator)
    if not resume:
        workspace.begin(recipe)
    elif checkpoint is not None:
        progress.message(f"going on from step {checkpoint.name.removeprefix('checkpoint-')}")

    reporter = ProgressCallback(progress, recipe.batch_size * arguments.gradient_accumulation_steps)
    interrupt = InterruptCallback(progress.message)
    callbacks: list[Any] = [reporter, interrupt]
    if recipe.patience:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=recipe.patience))
    trainer = HybridTrainer(
        pairs=pairs,
        planner=planner,
        model=model,
        args=arguments,
        loss=InfoNCELoss(model, recipe.temperature),
        evaluator=evaluator,
        data_collator=PairCollator(model.preprocess, prompts, recipe.max_length),
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    with interrupt:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if interrupt.interrupted and trainer.state.global_step < recipe.steps:
        raise TrainingInterrupted(
            f"stopped at step {trainer.state.global_step} of {recipe.steps}; go on by adding --resume"
        )
    best = trainer.state.best_model_checkpoint if evaluator is not None and recipe.eval_every else None
    facts = CardFacts(
        languages=pairs.space.languages,
        datasets=[TrainedOn(c.name, len(c), c.languages, c.checksum) for c in corpora],
        realised_alpha=compose(planner, trainer.state.global_step).realised_alpha
        if recipe.plan == "hybrid"
        else None,
        steps=trainer.state.global_step,
        chosen_step=int(best.rsplit("-", 1)[-1]) if best else None,
        pairs_per_second=reporter.pairs_per_second,
        query_prompt=prompts.query,
        passage_prompt=prompts.passage,
        development=_development_history(trainer.state.log_history),
        versions=library_versions(),
    )
    with finished_folder(output) as folder:
        model.save_pretrained(str(folder), create_model_card=False)
        (folder / "README.md").write_text(model_card(recipe, facts), encoding="utf-8")
        (folder / "recipe.toml").write_text(recipe_toml(recipe), encoding="utf-8")
    workspace.finish()
    return TrainingResult(output, trainer.state.global_step, reporter.loss, reporter.pairs_per_second)


def library_versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    names = ("torch", "transformers", "sentence-transformers", "tokenizers")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def freeze_word_embeddings(model: SentenceTransformer) -> int:
    """Keep the word embeddings of the transformer inside a model out of training; return how many weights that is.

    Raises:
        RecipeError: the model has no word embeddings that can be told apart.
    """
    transformer = model.transformers_model
    if transformer is None:
        raise RecipeError(
            "freeze_word_embeddings: this model is no transformer and has no word embeddings to freeze"
        )
    weights = transformer.get_input_embeddings().weight
    weights.requires_grad_(False)
    return int(weights.numel())


def _planner(recipe: Recipe, corpora: Sequence[ParallelCorpus], batches: int) -> BatchPlanner:
    return BatchPlanner(
        [planning_data(corpus) for corpus in corpora],
        make_plan(recipe),
        recipe.batch_size,
        recipe.seed,
        batches,
    )


def _evaluator(recipe: Recipe, corpus: ParallelCorpus, prompts: Prompts) -> DevelopmentEvaluator:
    benchmark = RetrievalBenchmark.from_corpus(corpus)
    try:
        planner, batches = _development_planner(recipe, corpus)
    except PlanError as error:
        raise PlanError(f"the development corpus {recipe.dev}: {error}") from error
    return DevelopmentEvaluator(
        benchmark,
        PairDataset([corpus]),
        planner,
        batches=batches,
        prompts=prompts,
        temperature=recipe.temperature,
        max_length=recipe.max_length,
        select_by=recipe.select_by,
    )


def _development_planner(recipe: Recipe, corpus: ParallelCorpus) -> tuple[BatchPlanner, int]:
    """Plan the batches of the validation loss: hybrid where the corpus allows it, whatever the training plan is.

    So the losses of different plans are of the same batches. A corpus of one language gets monolingual ones.
    """
    groups = [len(set(corpus.groups[present].tolist())) for present in corpus.available.T]
    batch_size = min(recipe.batch_size, *groups)
    if batch_size < 2:
        raise PlanError("needs at least two items in every language")
    data = planning_data(corpus)
    try:
        planner = BatchPlanner([data], Plan("hybrid", 0.5), batch_size, 0)
    except PlanError:
        planner = BatchPlanner([data], Plan("x-x-mono"), batch_size, 0)
    versions = int(corpus.available.sum())
    return planner, max(1, min(_DEV_LOSS_BATCHES, versions // batch_size))


def _arguments(
    recipe: Recipe, workspace: Workspace, evaluator: DevelopmentEvaluator | None
) -> SentenceTransformerTrainingArguments:
    every = recipe.eval_every if evaluator is not None else 0
    save_every = every or recipe.save_every
    values: dict[str, Any] = {
        "output_dir": str(workspace.checkpoints),
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
        "use_cpu": recipe.device == "cpu",
        # Pinning memory serves a GPU alone, and warns without one.
        "dataloader_pin_memory": torch.cuda.is_available(),
    }
    if every and evaluator is not None:
        values |= {
            "load_best_model_at_end": True,
            "metric_for_best_model": f"eval_{evaluator.primary_metric}",
            "greater_is_better": evaluator.greater_is_better,
        }
    try:
        with _quiet():
            return SentenceTransformerTrainingArguments(**values | recipe.trainer)
    except (TypeError, ValueError) as error:
        raise RecipeError(
            f"trainer: {error}; see SentenceTransformerTrainingArguments for its arguments"
        ) from error


def _development_history(log: Sequence[dict[str, Any]]) -> list[dict[str, float]]:
    return [
        {
            "step": entry["step"],
            **{key.removeprefix("eval_"): value for key, value in entry.items() if "dev_" in key},
        }
        for entry in log
        if any("dev_" in key for key in entry)
    ]


class _quiet:  # noqa: N801 - reads as a verb at its place of use
    """Keeps the libraries' informational log lines back."""

    def __enter__(self) -> None:
        self.level = logging.getLogger("transformers").level
        logging.getLogger("transformers").setLevel(logging.ERROR)

    def __exit__(self, *_: object) -> None:
        logging.getLogger("transformers").setLevel(self.level)
