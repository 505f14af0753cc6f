"""What a run holds: its batches planned and counted, before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isogloss.batching.plan import MODES, Mode
from isogloss.batching.planner import BatchPlanner, PlannedBatch
from isogloss.errors import PlanError


@dataclass(frozen=True)
class DatasetShare:
    """A dataset's part in a run.

    Attributes:
        name: Name of the dataset.
        usable_items: Items of it that some batch of the plan may hold.
        batches: Batches drawn from it.
        pairs: Pairs drawn from it.
        epochs: Pairs drawn a usable item; 0 where there is none.
    """

    name: str
    usable_items: int
    batches: int
    pairs: int
    epochs: float


@dataclass(frozen=True)
class Composition:
    """What some steps of a run hold. Counts are of pairs unless batches are named.

    Attributes:
        batches: Number of batches.
        pairs: Number of pairs.
        mode_batches: Batches of each mode.
        planned_alpha: Mean over the steps of the probability of a mono batch.
        realised_alpha: Share of batches that are mono.
        query_languages: Pairs by language of the query; every language of the pair space, 0 included.
        passage_languages: Pairs by language of the passage, likewise.
        language_pairs: Pairs by (query language, passage language), those that occur.
        datasets: Each dataset's part, in the planner's order.
    """

    batches: int
    pairs: int
    mode_batches: dict[Mode, int]
    planned_alpha: float
    realised_alpha: float
    query_languages: dict[str, int]
    passage_languages: dict[str, int]
    language_pairs: dict[tuple[str, str], int]
    datasets: tuple[DatasetShare, ...]


class CompositionCounter:
    """Counts batches of a planner as they come; counters of parts of a run can be merged.

    Args:
        planner: The planner whose batches are counted.
    """

    def __init__(self, planner: BatchPlanner) -> None:
        self._planner = planner
        size = len(planner.space.languages)
        self._language_pairs = np.zeros((size, size), dtype=np.int64)
        self._batches = np.zeros((len(planner.datasets), len(MODES)), dtype=np.int64)
        self._alpha_sum = 0.0

    def add(self, batch: PlannedBatch) -> None:
        """Count a batch.

        Raises:
            PlanError: The batch has pairs outside the planner's pair space.
        """
        size = len(self._planner.space.languages)
        _, query, passage = self._planner.space.decode(batch.pairs)
        self._language_pairs += np.bincount(query * size + passage, minlength=size * size).reshape(size, size)
        self._batches[batch.dataset, MODES.index(batch.mode)] += 1
        self._alpha_sum += self._planner.alpha(batch.step)

    def merge(self, other: CompositionCounter) -> None:
        """Add what another counter of the same planner has counted.

        Raises:
            PlanError: The other counts batches of other datasets, languages or sizes.
        """
        mine, its = self._planner, other._planner
        if (mine.space, mine.datasets, mine.batch_size) != (its.space, its.datasets, its.batch_size):
            raise PlanError("these counters belong to different planners; merge parts of one run only.")
        self._language_pairs += other._language_pairs
        self._batches += other._batches
        self._alpha_sum += other._alpha_sum

    def result(self) -> Composition:
        """What has been counted so far; both alphas are 0 where nothing has."""
        planner = self._planner
        languages = planner.space.languages
        batches = int(self._batches.sum())
        modes = self._batches.sum(axis=0).tolist()
        mode_batches: dict[Mode, int] = dict(zip(MODES, modes, strict=True))
        shares = []
        for name, usable, count in zip(
            planner.datasets, planner.usable_items, self._batches.sum(axis=1).tolist(), strict=True
        ):
            pairs = count * planner.batch_size
            shares.append(DatasetShare(name, usable, count, pairs, pairs / usable if usable else 0.0))
        return Composition(
            batches=batches,
            pairs=batches * planner.batch_size,
            mode_batches=mode_batches,
            planned_alpha=self._alpha_sum / max(batches, 1),
            realised_alpha=mode_batches["mono"] / max(batches, 1),
            query_languages=dict(zip(languages, self._language_pairs.sum(axis=1).tolist(), strict=True)),
            passage_languages=dict(zip(languages, self._language_pairs.sum(axis=0).tolist(), strict=True)),
            language_pairs={
                (languages[query], languages[passage]): int(self._language_pairs[query, passage])
                for query, passage in np.argwhere(self._language_pairs).tolist()
            },
            datasets=tuple(shares),
        )


def compose(planner: BatchPlanner, steps: int, start: int = 0) -> Composition:
    """Plan the steps from `start` to `start + steps - 1` and count what they hold.

    Batches are planned one at a time and dropped, so memory does not grow with the run.
    """
    counter = CompositionCounter(planner)
    for step in range(start, start + steps):
        counter.add(planner.batch(step))
    return counter.result()
