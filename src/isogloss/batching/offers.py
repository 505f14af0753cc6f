"""What a dataset offers in a mode, and how the items of a batch are drawn from an offer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.batching.cells import AvailabilityIndex, CellTable
from isogloss.batching.stream import UniformStream
from isogloss.errors import PlanError
from isogloss.items import ItemGroups

# Rounds of redrawing before the items left in a cell are listed. Drawing again costs microseconds, listing a
# cell time in proportion to its size; after this many misses the items left are few against the cell.
REDRAW_ROUNDS = 32


@dataclass(frozen=True, eq=False)
class Offer:
    """The language choices of one dataset in one mode: one language (mono, mixed) or an ordered pair.

    Attributes:
        query: Shape (choices,), int64: query language, its place in the pair space.
        passage: Shape (choices,), int64: passage language, its place in the pair space.
        cell: Shape (choices,), int64: the cell of `cells` that holds the items having both languages.
        weights: Shape (choices,), int64: a choice is drawn in proportion to its weight.
        cells: The cells of the dataset in this mode.
        groups: The group of each item: items of a group exclude one another from a batch.
        usable: Shape (patterns,), bool: the patterns whose items some choice can draw.
        size: Number of items that some choice can draw.
    """

    query: NDArray[np.int64]
    passage: NDArray[np.int64]
    cell: NDArray[np.int64]
    weights: NDArray[np.int64]
    cells: CellTable
    groups: NDArray[np.int64] | ItemGroups
    usable: NDArray[np.bool_]
    size: int

    def choose(self, uniforms: NDArray[np.float64]) -> NDArray[np.int64]:
        """One choice for each number in [0, 1)."""
        return pick(self.weights, uniforms)


def make_offer(
    index: AvailabilityIndex,
    groups: NDArray[np.int64] | ItemGroups,
    choices: list[tuple[int, int]],
    places: list[int],
    *,
    by_size: bool,
) -> Offer:
    """Build an offer from the choices that may be drawn; those without items are dropped.

    Args:
        index: The dataset's items in order of their patterns over its allowed languages.
        groups: The group of each item.
        choices: (query language, passage language) as columns of the index.
        places: For each column of the index, the place of its language in the pair space.
        by_size: Weight choices by their number of items rather than all alike.
    """
    cell_of: dict[bytes, int] = {}
    holds: list[NDArray[np.bool_]] = []
    kept: list[tuple[int, int, int, int]] = []
    usable = np.zeros(len(index.patterns), dtype=np.bool_)
    for query, passage in choices:
        marked = index.patterns[:, query] & index.patterns[:, passage]
        size = index.count(marked)
        if size == 0:
            continue
        # Choices with the same items share a cell: all of them do where the data are fully parallel.
        cell = cell_of.setdefault(marked.tobytes(), len(holds))
        if cell == len(holds):
            holds.append(marked)
        kept.append((places[query], places[passage], cell, size if by_size else 1))
        usable |= marked
    columns = np.array(kept, dtype=np.int64).reshape(-1, 4)
    return Offer(
        query=columns[:, 0].copy(),
        passage=columns[:, 1].copy(),
        cell=columns[:, 2].copy(),
        weights=columns[:, 3].copy(),
        cells=CellTable(index, holds),
        groups=groups,
        usable=usable,
        size=index.count(usable),
    )


def pick(
    weights: NDArray[np.int64] | NDArray[np.float64], uniforms: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Places drawn in proportion to weights (not all 0), one for each number in [0, 1)."""
    cumulative = np.cumsum(weights)
    places: NDArray[np.int64] = np.searchsorted(cumulative, uniforms * cumulative[-1], side="right")
    return places


def draw_items(
    offer: Offer, choice: NDArray[np.int64], stream: UniformStream
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw one item for every slot of a batch, no two of one group.

    All slots draw at once; where two clash, the earlier keeps its item and the later draws again. A slot that
    keeps clashing draws from the list of what is left of its cell. Either way its item is uniform over the
    items of its cell whose group is free. Where nothing is left, the slot makes another choice of languages.

    Args:
        offer: What to draw from.
        choice: Shape (batch_size,): the language choice of each slot.
        stream: Numbers are taken as needed: one a slot, in order, in every round.

    Returns:
        (items, choices), int64 of shape (batch_size,). The choices differ from those given only where a
        slot's cell was used up.

    Raises:
        PlanError: The offer has fewer groups than the batch has slots.
    """
    items = np.empty(len(choice), dtype=np.int64)
    used: set[int] = set()
    waiting = np.arange(len(choice))
    for _ in range(REDRAW_ROUNDS):
        drawn = offer.cells.draw(offer.cell[choice[waiting]], stream.take(len(waiting)))
        free = np.zeros(len(waiting), dtype=np.bool_)
        for slot, group in enumerate(offer.groups[drawn].tolist()):
            if group not in used:
                used.add(group)
                free[slot] = True
        items[waiting[free]] = drawn[free]
        waiting = waiting[~free]
        if not len(waiting):
            return items, choice
    return _draw_from_rest(offer, choice.copy(), stream, items, waiting, used)


def _draw_from_rest(
    offer: Offer,
    choice: NDArray[np.int64],
    stream: UniformStream,
    items: NDArray[np.int64],
    waiting: NDArray[np.int64],
    used: set[int],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Fill the waiting slots exactly, by listing what is left of their cells."""
    # Groups only ever become used, so what is left of a cell can be kept and thinned further.
    rest: dict[int, NDArray[np.int64]] = {}
    for slot in waiting.tolist():
        weights = offer.weights.copy()
        while True:
            cell = int(offer.cell[choice[slot]])
            left = rest[cell] if cell in rest else offer.cells.items(cell)
            if len(left):
                taken = np.fromiter(used, dtype=np.int64, count=len(used))
                left = left[~np.isin(offer.groups[left], taken)]
            rest[cell] = left
            if len(left):
                items[slot] = left[int(stream.take(1)[0] * len(left))]
                used.add(int(offer.groups[items[slot]]))
                break
            weights[choice[slot]] = 0
            if not weights.any():
                raise PlanError(
                    f"only {len(used)} of {len(items)} pairs could be drawn without two sharing a text; "
                    "use a smaller batch."
                )
            choice[slot] = pick(weights, stream.take(1))[0]
    return items, choice


def distinct_groups(
    index: AvailabilityIndex,
    groups: NDArray[np.int64] | ItemGroups,
    holds: NDArray[np.bool_],
    enough: int,
) -> int:
    """Number of distinct groups among the items of the marked patterns, counted up to `enough`.

    Looks at the first items alone where these suffice, so that large data need no pass over them.
    """
    total = index.count(holds)
    limit = 4 * enough
    while True:
        found = len(np.unique(groups[index.items(holds, limit)]))
        if found >= enough:
            return enough
        if limit >= total:
            return found
        limit *= 8
