"""How a model does on the development corpus, while it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator

from isogloss.batching import BatchPlanner, Plan
from isogloss.corpus import ParallelCorpus, RetrievalBenchmark
from isogloss.encoding.prompts import Prompts
from isogloss.errors import PlanError, RecipeError
from isogloss.exchange.evaluator import MultilingualRetrievalEvaluator
from isogloss.training.base_share import BaseShare
from isogloss.training.batch_loading import PairCollator
from isogloss.training.loss import InfoNCELoss
from isogloss.training.pair_texts import PairDataset, planning_data
from isogloss.training.recipe import Recipe

_LOSS_BATCHES = 32


class DevelopmentEvaluator(SentenceEvaluator):
    """Validation loss and retrieval figures on a development corpus.

    The loss is over batches of the development corpus that are the same at every evaluation.

    Args:
        benchmark: queries, candidates and qrels of the development corpus.
        pairs: the same corpus as pairs.
        planner: plans the batches of the loss.
        batches: how many of them.
        prompts: put before queries and passages.
        temperature: of the loss.
        max_length: tokens after which a text is cut.
        select_by: the figure that chooses the checkpoint, one of `SELECTIONS`.
        base_share: what is measured lies so far from the trained weights towards the base.
    """

    def __init__(
        self,
        benchmark: RetrievalBenchmark,
        pairs: PairDataset,
        planner: BatchPlanner,
        *,
        batches: int,
        prompts: Prompts,
        temperature: float,
        max_length: int | None,
        select_by: str,
        base_share: BaseShare,
    ) -> None:
        super().__init__()
        self.retrieval = MultilingualRetrievalEvaluator(
            benchmark,
            "dev",
            query_prompt=prompts.query,
            passage_prompt=prompts.passage,
            measures=("map",),
            max_length=max_length,
        )
        self.pairs = pairs
        self.planner = planner
        self.batches = batches
        self.prompts = prompts
        self.temperature = temperature
        self.max_length = max_length
        self.base_share = base_share
        self.primary_metric = f"dev_{select_by}" if select_by != "last" else None
        self.greater_is_better = select_by not in ("loss", "rank_distance")

    def __call__(
        self, model: SentenceTransformer, output_path: str | None = None, epoch: float = -1, steps: int = -1
    ) -> dict[str, float]:
        """Return figures by name, ``dev_loss``, ``dev_mono_map`` and so on; those that do not exist are left out."""
        was_training = model.training
        model.eval()
        try:
            with self.base_share.mixed(model):
                loss = self._loss(model)
                retrieval = self.retrieval.figures(model)
        finally:
            model.train(was_training)
        return {"dev_loss": loss, **{f"dev_{name}": value for name, value in retrieval.items()}}

    def _loss(self, model: SentenceTransformer) -> float:
        loss = InfoNCELoss(model, self.temperature)
        collate = PairCollator(model.preprocess, self.prompts, self.max_length)
        losses = []
        with torch.no_grad():
            for step in range(self.batches):
                batch = collate([self.pairs[pair] for pair in self.planner.batch(step).pairs.tolist()])
                sides = [
                    {
                        key.removeprefix(side): value.to(model.device)
                        for key, value in batch.items()
                        if key.startswith(side) and isinstance(value, torch.Tensor)
                    }
                    for side in ("query_", "passage_")
                ]
                losses.append(float(loss(sides)))
        return sum(losses) / len(losses)


def describe(figures: dict[str, float]) -> str:
    """Put development figures in one line."""
    parts: Sequence[str] = [
        f"{name.removeprefix('dev_').replace('_', ' ')} {value:.0f}"
        if name == "dev_rank_distance"
        else f"{name.removeprefix('dev_').replace('_', ' ')} {value:.3f}"
        for name, value in figures.items()
        if name.startswith("dev_")
    ]
    return ", ".join(parts)


def development_evaluator(
    recipe: Recipe, corpus: ParallelCorpus, prompts: Prompts, base_share: BaseShare
) -> DevelopmentEvaluator:
    """Make the evaluator that a recipe asks for.

    Raises:
        PlanError: no batch can be drawn from the development corpus.
        RecipeError: the corpus has not got the figure to select by.
    """
    if len(corpus.languages) < 2 and recipe.select_by in ("cross_map", "rank_distance"):
        raise RecipeError(
            f"select_by: {recipe.select_by} needs a development corpus in two languages, and {recipe.dev} is in "
            f"{corpus.languages[0]} alone; select by loss, mono_map or multi_map"
        )
    benchmark = RetrievalBenchmark.from_corpus(corpus)
    try:
        planner, batches = _loss_planner(recipe, corpus)
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
        base_share=base_share,
    )


def _loss_planner(recipe: Recipe, corpus: ParallelCorpus) -> tuple[BatchPlanner, int]:
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
    return planner, max(1, min(_LOSS_BATCHES, versions // batch_size))


def development_history(log: Sequence[dict[str, Any]]) -> list[dict[str, float]]:
    """Take the development figures of each evaluation, with their step, out of the trainer's log."""
    return [
        {
            "step": entry["step"],
            **{key.removeprefix("eval_"): value for key, value in entry.items() if "dev_" in key},
        }
        for entry in log
        if any("dev_" in key for key in entry)
    ]
