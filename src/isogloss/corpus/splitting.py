"""Part a corpus into training and development items that share no article and no text."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from isogloss.corpus.grouping import group_items, text_keys
from isogloss.corpus.parallel import ParallelCorpus
from isogloss.errors import CorpusError


def development_items(corpus: ParallelCorpus, share: float, seed: int = 0) -> NDArray[np.bool_]:
    """Choose the items of a development part.

    Items that share a title, a query text or a passage text, in whatever language and directly or through other items,
    are on one side. Which side that is depends on the seed and their ids alone: what an item's neighbours do, and the
    order of the corpus, change nothing.

    Args:
        corpus: the corpus.
        share: of the items, about; in (0, 1).
        seed: another seed parts otherwise.

    Returns:
        (items,) bool, true for development.

    Raises:
        CorpusError: the share is out of range, or one side would be empty.
    """
    if not 0 < share < 1:
        raise CorpusError(f"a development part of {share:g} of the items: give a share between 0 and 1")
    components = _components(corpus)
    names: dict[int, str] = {}
    for item, component in enumerate(components.tolist()):
        name = corpus.ids[item]
        names[component] = min(name, names.get(component, name))
    draws = np.array([_draw(seed, names[number]) for number in range(len(names))])
    chosen: NDArray[np.bool_] = (draws < share)[components]
    if chosen.all() or not chosen.any():
        raise CorpusError(
            f"{corpus.name}: all {len(corpus)} items would be on one side; they share titles or texts, or are too few;"
            " give another share or seed"
        )
    return chosen


def _components(corpus: ParallelCorpus) -> NDArray[np.int64]:
    """The items' groups, joined where items share a title."""
    items, keys = [np.arange(len(corpus))], [corpus.groups.astype(np.uint64) << np.uint64(1)]
    item_of_row = np.full(len(corpus.stored), -1, np.int64)
    places, columns = np.nonzero(corpus.available)
    item_of_row[corpus.rows[places, columns]] = places
    start = 0
    for batch in corpus.stored:
        owners = item_of_row[start : start + batch.num_rows]
        start += batch.num_rows
        titles = batch["title"].to_pylist()
        with_title = [row for row, title in enumerate(titles) if title and owners[row] >= 0]
        items.append(owners[with_title])
        keys.append(text_keys([titles[row] for row in with_title]) | np.uint64(1))
    return group_items(np.concatenate(items), np.concatenate(keys), len(corpus))


def _draw(seed: int, name: str) -> float:
    """A number in [0, 1) for a name."""
    digest = blake2b(f"{seed}\n{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
