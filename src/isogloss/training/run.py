"""A training run from recipe to model folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from transformers import EarlyStoppingCallback, PrinterCallback

from isogloss.batching import BatchPlanner, compose
from isogloss.corpus import ParallelCorpus, read_corpus
from isogloss.encoding.loading import hub_base, load_sentence_transformer, prompts_of
from isogloss.encoding.prompts import Prompts
from isogloss.encoding.versions import library_versions
from isogloss.errors import Interrupted, RecipeError
from isogloss.files import finished_folder
from isogloss.training.arguments import trainer_arguments
from isogloss.training.base_share import BaseShare
from isogloss.training.batch_loading import PairCollator
from isogloss.training.callbacks import InterruptCallback, ProgressCallback, SilentProgress, TrainingProgress
from isogloss.training.contamination import ContaminationCheck, check_contamination
from isogloss.training.development import (
    DevelopmentEvaluator,
    describe,
    development_evaluator,
    development_history,
)
from isogloss.training.dropout import quick_dropout
from isogloss.training.hybrid_trainer import HybridTrainer
from isogloss.training.loss import UNLIMITED, InfoNCELoss
from isogloss.training.model_card import CardFacts, TrainedOn, model_card
from isogloss.training.planning import make_plan, make_planner, pair_dataset, planner_notices
from isogloss.training.processes import Share, announced, wait_for_all
from isogloss.training.recipe import Recipe, recipe_toml
from isogloss.training.word_embeddings import prepare_word_embeddings
from isogloss.training.workspace import Workspace


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


RECORD = "training.json"
"""The file of a model folder with what was measured while it was trained."""


@dataclass(frozen=True)
class _Materials:
    """What a run is made of, read and checked before anything is written."""

    corpora: list[ParallelCorpus]
    planner: BatchPlanner
    model: SentenceTransformer
    prompts: Prompts
    evaluator: DevelopmentEvaluator | None
    base_share: BaseShare
    contamination: ContaminationCheck | None


def train(
    recipe: Recipe,
    output: Path,
    *,
    data_dir: Path | None = None,
    resume: bool = False,
    progress: TrainingProgress | None = None,
    contamination_check: bool = True,
) -> TrainingResult:
    """Train a model as a recipe says.

    Nothing is written to `output` before the model is whole; until then recipe and checkpoints lie in
    ``OUTPUT.unfinished``, from which `resume` goes on at the next batch. Where a launcher has started several
    processes, each trains on its part of the same batches, and the first one reports, evaluates and writes.

    Args:
        recipe: every choice of the run.
        output: the folder to make.
        data_dir: the folder with the benchmarks' folders, where the recipe names any.
        resume: go on with an unfinished run.
        progress: where to report to.
        contamination_check: compare the training data with the known benchmarks that are on this machine, warn, and
            say in the model card what was found.

    Raises:
        DataError, PlanError, RecipeError, ModelError: before anything is written, where the run cannot be.
        OutputError: the output, or an unfinished run, is there already.
        Interrupted: a signal came; a checkpoint has been saved.
    """
    progress = progress if progress is not None and announced().leads else SilentProgress()
    workspace = Workspace(output)
    checkpoint = None
    if resume:
        checkpoint = workspace.resume(recipe)
    else:
        workspace.refuse_used()
    materials = _read(recipe, data_dir, progress, contamination_check and announced().leads)
    checksums = {corpus.name: corpus.checksum for corpus in materials.corpora}
    if resume:
        workspace.check_data(checksums)
    arguments = trainer_arguments(recipe, workspace.checkpoints, materials.evaluator)
    share = Share.of(arguments)
    # Before the first process writes, all must have seen that there is room.
    wait_for_all()
    reporter = ProgressCallback(progress, recipe.batch_size * recipe.accumulation)
    interrupt = InterruptCallback(progress.message)
    if checkpoint is not None:
        progress.message(f"going on from step {checkpoint.name.removeprefix('checkpoint-')}")
    if share.leads and not resume:
        workspace.begin(recipe, checksums)
    try:
        trainer = _trainer(recipe, materials, arguments, [reporter, interrupt])
        if share.processes > 1:
            # The trainer seeds all processes alike; dropout is to differ between the parts of a batch.
            torch.manual_seed(recipe.seed + share.rank)
        with interrupt, quick_dropout(trainer.model):
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except BaseException:
        if share.leads:
            workspace.discard_if_empty()
        raise
    if interrupt.stopping:
        raise Interrupted(
            f"stopped at step {trainer.state.global_step} of {recipe.steps}; the same command with --resume goes on"
        )
    # The last to load the best checkpoint must have done so before the first throws the checkpoints away.
    wait_for_all()
    if share.leads:
        _finish(recipe, output, workspace, materials, trainer, reporter, progress)
    wait_for_all()
    return TrainingResult(output, trainer.state.global_step, reporter.loss, reporter.pairs_per_second)


def _finish(
    recipe: Recipe,
    output: Path,
    workspace: Workspace,
    materials: _Materials,
    trainer: HybridTrainer,
    reporter: ProgressCallback,
    progress: TrainingProgress,
) -> None:
    history = development_history(trainer.state.log_history)
    if materials.evaluator is not None and not recipe.eval_every:
        progress.message(f"measuring on the development corpus {recipe.dev}")
        figures = materials.evaluator(materials.model, steps=trainer.state.global_step)
        progress.message(f"development {describe(figures)}")
        history.append({"step": trainer.state.global_step, **figures})
    materials.base_share.mix(materials.model)
    card = model_card(recipe, _facts(recipe, materials, trainer, reporter.pairs_per_second, history))
    with finished_folder(output) as folder:
        materials.model.save_pretrained(str(folder), create_model_card=False)
        (folder / "README.md").write_text(card, encoding="utf-8")
        (folder / "recipe.toml").write_text(recipe_toml(recipe), encoding="utf-8")
        (folder / RECORD).write_text(_record(trainer, reporter, history), encoding="utf-8")
    workspace.finish()


def _record(trainer: HybridTrainer, reporter: ProgressCallback, history: list[dict[str, float]]) -> str:
    """What a program would read from the card, as JSON; the learning curve is in `development`."""
    record = {
        "steps": trainer.state.global_step,
        "final_loss": reporter.loss,
        "pairs_per_second": reporter.pairs_per_second,
        "development": history,
    }
    return json.dumps(record, indent=2) + "\n"


def _read(
    recipe: Recipe, data_dir: Path | None, progress: TrainingProgress, contamination_check: bool
) -> _Materials:
    corpora = [read_corpus(source, data_dir=data_dir) for source in recipe.train]
    planner = make_planner(recipe, corpora)
    for notice in planner_notices(recipe, planner):
        progress.message(notice)
    development = None if recipe.dev is None else read_corpus(recipe.dev, data_dir=data_dir)
    torch.manual_seed(recipe.seed)
    model = load_sentence_transformer(recipe.base, device=recipe.device, max_length=recipe.max_length)
    # Weights saved in half precision are trained in single: at small learning rates their updates would round to
    # nothing. Mixed precision is the trainer's matter.
    model.float()
    prompts = prompts_of(
        model, recipe.base, query_prompt=recipe.query_prompt, passage_prompt=recipe.passage_prompt
    )
    model.prompts = {"query": prompts.query, "document": prompts.passage}
    model.default_prompt_name = None
    prepare_word_embeddings(model, recipe.word_embeddings)
    base_share = BaseShare(model, recipe.base_weight)
    evaluator = (
        None if development is None else development_evaluator(recipe, development, prompts, base_share)
    )
    # The last of the checks: whatever is refused is refused before it.
    contamination = check_contamination(corpora, data_dir) if contamination_check else None
    for message in contamination.messages if contamination is not None else ():
        progress.message(message)
    return _Materials(corpora, planner, model, prompts, evaluator, base_share, contamination)


def _trainer(recipe: Recipe, materials: _Materials, arguments: Any, callbacks: list[Any]) -> HybridTrainer:
    if recipe.patience:
        callbacks = [*callbacks, EarlyStoppingCallback(early_stopping_patience=recipe.patience)]
    model = materials.model
    try:
        trainer = HybridTrainer(
            pairs=pair_dataset(recipe, materials.corpora),
            planner=materials.planner,
            model=model,
            args=arguments,
            loss=InfoNCELoss(
                model,
                recipe.temperature,
                # Each micro-batch would make a dense gradient of all word embeddings, which costs more than padding.
                UNLIMITED if recipe.word_embeddings == "dense" else None,
                recipe.memory_budget,
                share=Share.of(arguments),
                query_alignment=recipe.query_alignment,
                passage_alignment=recipe.passage_alignment,
            ),
            evaluator=materials.evaluator,
            data_collator=PairCollator.of(recipe, model.preprocess, materials.prompts),
            callbacks=callbacks,
        )
    except (TypeError, ValueError, ImportError, RuntimeError) as error:
        raise RecipeError(f"the trainer cannot be set up with these arguments: {error}") from error
    trainer.remove_callback(PrinterCallback)
    return trainer


def _facts(
    recipe: Recipe,
    materials: _Materials,
    trainer: HybridTrainer,
    pairs_per_second: float,
    history: list[dict[str, float]],
) -> CardFacts:
    composition = compose(materials.planner, trainer.state.global_step * recipe.accumulation)
    trained = {
        language
        for language in materials.planner.space.languages
        if composition.query_languages.get(language, 0) + composition.passage_languages.get(language, 0)
    }
    pairs = set(composition.language_pairs)
    if recipe.parallel_positives or recipe.query_alignment:
        plan = make_plan(recipe)
        pairs |= {
            (query, passage) for query in trained for passage in trained if plan.allows_pair(query, passage)
        }
    best = trainer.state.best_model_checkpoint if recipe.eval_every and recipe.select_by != "last" else None
    return CardFacts(
        hub_base=hub_base(recipe.base),
        languages=sorted(trained),
        pairs=sorted(pairs),
        datasets=[
            TrainedOn(
                corpus.name,
                len(corpus),
                [name for name in corpus.languages if name in trained],
                corpus.checksum,
            )
            for corpus in materials.corpora
        ],
        realised_alpha=composition.realised_alpha if recipe.plan == "hybrid" else None,
        steps=trainer.state.global_step,
        chosen_step=int(best.rsplit("-", 1)[-1]) if best else None,
        pairs_per_second=pairs_per_second,
        query_prompt=materials.prompts.query,
        passage_prompt=materials.prompts.passage,
        development=history,
        versions=library_versions(),
        contamination=(
            materials.contamination.card_lines
            if materials.contamination is not None
            else ["The training data were not compared with benchmarks: the check was switched off."]
        ),
    )
