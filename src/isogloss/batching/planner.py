"""The planner: a batch as a function of the seed and the step, and of nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.batching.data import PlanningData
from isogloss.batching.feasibility import LeftOut, make_offers
from isogloss.batching.offers import draw_items, pick
from isogloss.batching.pairs import PairSpace
from isogloss.batching.plan import Mode, Plan
from isogloss.batching.stream import UniformStream
from isogloss.errors import PlanError, RecipeError

_WORDS = 1 << 64


@dataclass(frozen=True, eq=False)
class PlannedBatch:
    """The pairs of one batch.

    Attributes:
        step: The step it is for.
        mode: "mono" (one language), "cross" (two in every pair) or "mixed" (one in every pair).
        dataset: The dataset it is drawn from, its place in the planner's datasets.
        pairs: Shape (batch_size,), int64: pairs of the planner's `space`.
    """

    step: int
    mode: Mode
    dataset: int
    pairs: NDArray[np.int64]


class BatchPlanner:
    """Plans batches. It holds no state but its inputs: any step can be asked for, in any order, anywhere.

    For each batch the mode is drawn first, then the dataset among those that serve the mode, then the
    language(s), then the items. So the share of mono batches is alpha even where some datasets serve only
    one mode, and plans of different kinds with one seed draw the same batch where they draw the same mode.

    Args:
        datasets: What to draw from; at least one.
        plan: What batches should hold.
        batch_size: Pairs a batch, 1 or more.
        seed: From 0 to 2**64 - 1.
        steps: Length of the run in batches; needed only where alpha changes over the run.

    Attributes:
        datasets: Names of the datasets.
        plan: As given.
        batch_size: As given.
        seed: As given.
        steps: As given.
        space: The pair space: all languages of the datasets, sorted, and all their items.
        left_out: What the run goes without: too small (`plan.skip_small`), or idle because alpha is 0 or 1.
        usable_items: For each dataset, the number of items that some batch may hold.

    Raises:
        RecipeError: `batch_size`, `seed` or `steps` is not valid, or `steps` is missing.
        PlanError: The plan cannot be drawn from the datasets; every reason is named.
    """

    datasets: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    usable_items: tuple[int, ...]

    def __init__(
        self,
        datasets: Sequence[PlanningData],
        plan: Plan,
        batch_size: int,
        seed: int,
        steps: int | None = None,
    ) -> None:
        self.plan = plan
        self.batch_size = _integer("batch_size", batch_size, 1, _WORDS)
        self.seed = _integer("seed", seed, 0, _WORDS)
        self.steps = None if steps is None else _integer("steps", steps, 1, _WORDS)
        if not datasets:
            raise PlanError("no dataset is given; give at least one.")
        self._mono_probability = plan.mono_probability
        self._mono_probability.at(0, self.steps)  # refuses a changing alpha without a length
        self.datasets = tuple(data.name for data in datasets)
        self.space = PairSpace.of(datasets)
        self._starts = self.space.dataset_starts
        found = make_offers(datasets, plan, self.batch_size, self.space)
        self.left_out = found.left_out
        self.usable_items = found.usable_items
        self._offers = found.by_mode
        self._weights = {
            mode: _dataset_weights([offer.size for _, offer in offers], plan.dataset_exponent)
            for mode, offers in found.by_mode.items()
        }

    def alpha(self, step: int) -> float:
        """The probability that the batch of a step is mono."""
        return self._mono_probability.at(step, self.steps)

    def dataset_probabilities(self, mode: Mode) -> NDArray[np.float64]:
        """The probability of each dataset in a mode: float64, shape (datasets,); all 0 if it never occurs."""
        probabilities = np.zeros(len(self.datasets))
        if mode in self._offers:
            weights = self._weights[mode]
            probabilities[[dataset for dataset, _ in self._offers[mode]]] = weights / weights.sum()
        return probabilities

    def batch(self, step: int) -> PlannedBatch:
        """Plan the batch of a step.

        Args:
            step: From 0. Steps past `steps` can be planned too; alpha then stays at its last value.

        Raises:
            RecipeError: The step is negative or no integer.
        """
        step = _integer("step", step, 0, _WORDS)
        stream = UniformStream(self.seed, step)
        for_mode, for_dataset, for_language = stream.take(3)
        mode: Mode = "mono" if for_mode < self.alpha(step) else self.plan.other_mode
        offers = self._offers[mode]
        dataset, offer = offers[pick(self._weights[mode], for_dataset)]
        if mode == "mono":
            choice = np.full(self.batch_size, offer.choose(for_language))
        else:
            choice = offer.choose(stream.take(self.batch_size))
        items, choice = draw_items(offer, choice, stream)
        pairs = self.space.encode(items + self._starts[dataset], offer.query[choice], offer.passage[choice])
        return PlannedBatch(step, mode, dataset, pairs)


def _integer(option: str, value: object, low: int, stop: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise RecipeError(f"{option}: {value!r} is not an integer.")
    if not low <= value < stop:
        bound = f"{low} or more" if value < low else f"less than {stop}"
        raise RecipeError(f"{option}: {value} is out of range; it has to be {bound}.")
    return int(value)


def _dataset_weights(sizes: list[int], exponent: float) -> NDArray[np.float64]:
    # Relative to the largest, since size ** exponent may be more than a float holds.
    return (np.array(sizes, dtype=np.float64) / max(sizes)) ** exponent
