"""Which items share a text: the connected components of items and the texts they hold."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def text_keys(texts: Iterable[str]) -> NDArray[np.uint64]:
    """A 64-bit key for each text; Unicode form, white space and letter case make no difference.

    Two different texts get the same key with probability 2^-64; the worst of it is two items that are kept
    apart in a batch without need.

    Returns:
        Keys, uint64 of shape (texts,).
    """
    digests = [blake2b(comparable(text).encode(), digest_size=8).digest() for text in texts]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def comparable(text: str) -> str:
    """A text in the form in which texts are compared: Unicode NFC, single spaces, no letter case."""
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


def group_items(items: NDArray[np.int64], keys: NDArray[np.uint64], count: int) -> NDArray[np.int64]:
    """Group items that share a key, directly or through other items.

    Args:
        items: the item of each occurrence of a key, shape (occurrences,), in [0, count).
        keys: the key of each occurrence, shape (occurrences,).
        count: the number of items.

    Returns:
        The group of each item, int64 of shape (count,). Groups are numbered by their first item, from 0.
    """
    order = np.argsort(keys, kind="stable")
    items, keys = items[order], keys[order]
    # A chain through the occurrences of a key joins the same items as all their pairs would, with far fewer
    # edges.
    same = np.flatnonzero(keys[1:] == keys[:-1])
    edges = coo_array((np.ones(len(same), np.bool_), (items[same], items[same + 1])), shape=(count, count))
    _, components = connected_components(edges, directed=False)
    _, first_items, inverse = np.unique(components, return_index=True, return_inverse=True)
    ranks = np.empty(len(first_items), np.int64)
    ranks[np.argsort(first_items)] = np.arange(len(first_items))
    return ranks[inverse]
