"""From planned batches to token tensors: the edge between the planner and the trainer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import Sampler

from isogloss.batching import BatchPlanner
from isogloss.corpus.grouping import comparable
from isogloss.encoding.prompts import Prompts
from isogloss.training.loss import NOBODY
from isogloss.training.pair_texts import PairTexts
from isogloss.training.processes import ALONE, Share
from isogloss.training.recipe import Recipe


class PlannedBatchSampler(Sampler[list[int]]):
    """Hands the planner's batches, step after step, to a data loader.

    Args:
        planner: plans the batches.
        batches: how many there are in the run.
        share: the process whose part of each batch is handed out.
    """

    def __init__(self, planner: BatchPlanner, batches: int, share: Share = ALONE) -> None:
        self.planner = planner
        self.batches = batches
        self.share = share
        self.batch_size = planner.batch_size

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(self.batches):
            yield list(self.share.part(self.planner.batch(step).pairs.tolist()))


class PairCollator:
    """Tokenises a batch: the queries, and the passages followed by parallel passages and hard negatives.

    A negative that answers a query of the batch, in whatever language, is left out, and none is taken twice.

    Args:
        preprocess: the model's `preprocess(texts, prompt=..., ...)`.
        prompts: put before queries and passages.
        max_length: tokens after which a text is cut; None keeps the model's own limit.
        parallel: whether pairs have parallel passages or queries; then the batch says under ``label`` which query each
            passage answers, and which query each parallel query translates.
    """

    valid_label_columns: tuple[str, ...] = ()

    def __init__(
        self,
        preprocess: Callable[..., dict[str, Any]],
        prompts: Prompts,
        max_length: int | None = None,
        *,
        parallel: bool = False,
    ) -> None:
        self.preprocess = preprocess
        self.prompts = prompts
        self.parallel = parallel
        self.limit = {} if max_length is None else {"max_length": max_length}

    @classmethod
    def of(cls, recipe: Recipe, preprocess: Callable[..., dict[str, Any]], prompts: Prompts) -> PairCollator:
        """Make the collator of a recipe's run."""
        parallel = recipe.parallel_positives > 0 or recipe.query_alignment > 0
        return cls(preprocess, prompts, recipe.max_length, parallel=parallel)

    def __call__(self, pairs: Sequence[PairTexts], share: Share = ALONE) -> dict[str, Any]:
        """Return the tensors under the prefixes ``query_``, ``passage_`` and ``parallel_`` that the trainer collects.

        Args:
            pairs: the whole batch.
            share: the process whose part is tokenised. Hard negatives are chosen in view of the whole batch, and dealt
                out evenly.
        """
        positives = [pair.passage for pair in pairs]
        taken = {comparable(positive) for positive in positives}.union(*(pair.answers for pair in pairs))
        negatives = []
        for pair in pairs:
            for negative in pair.negatives:
                if comparable(negative) not in taken:
                    taken.add(comparable(negative))
                    negatives.append(negative)
        own = share.part(pairs)
        parallel = [(text, number) for number, pair in enumerate(own) for text in pair.parallel]
        own_negatives = share.part(negatives)
        sides = {
            "query": ([pair.query for pair in own], self.prompts.query),
            "passage": (
                [*share.part(positives), *(text for text, _ in parallel), *own_negatives],
                self.prompts.passage,
            ),
        }
        if translated := [pair.parallel_query for pair in own if pair.parallel_query is not None]:
            sides["parallel"] = (translated, self.prompts.query)
        batch: dict[str, Any] = {}
        if self.parallel:
            owners = [
                *range(len(own)),
                *(number for _, number in parallel),
                *([NOBODY] * len(own_negatives)),
                *(number for number, pair in enumerate(own) if pair.parallel_query is not None),
            ]
            batch["label"] = torch.tensor(owners)
        for side, (texts, prompt) in sides.items():
            for key, value in self.preprocess(texts, prompt=prompt, **self.limit).items():
                batch[f"{side}_{key}"] = value
        return batch
