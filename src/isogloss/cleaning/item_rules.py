"""Rules that look at an item's versions side by side: repeated ids, copies, length ratios, languages left."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isogloss.cleaning.state import CorpusState

# A median of fewer ratios than this says nothing.
_FEWEST = 20


def remove_repeated_ids(state: CorpusState) -> None:
    """Remove the later one of two versions of an item in one language, which no corpus may have."""
    records = np.flatnonzero(state.kept)
    keys = state.items[records].astype(np.int64) << 16 | state.languages[records]
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    later = first[inverse] != np.arange(len(records))
    state.remove(records[later], "repeated-id", 1.0, records[first[inverse]][later])


def remove_copies(state: CorpusState, min_letters: int) -> None:
    """Remove versions with a text that the item has in another language, word for word.

    Of two such versions that of the corpus's more frequent language stays, the earlier one where that is equal: as a
    rule it is the one that was translated from. Texts of fewer letters and digits are names and numbers.
    """
    frequency = np.bincount(state.languages[state.kept], minlength=len(state.names))
    for lengths, keys in (
        (state.query_lengths, state.query_keys),
        (state.passage_lengths, state.passage_keys),
    ):
        records = np.flatnonzero(state.kept & (lengths >= min_letters))
        order = records[
            np.lexsort((records, -frequency[state.languages[records]], keys[records], state.items[records]))
        ]
        new = np.ones(len(order), np.bool_)
        new[1:] = (state.items[order][1:] != state.items[order][:-1]) | (keys[order][1:] != keys[order][:-1])
        first = order[np.flatnonzero(new)[np.cumsum(new) - 1]] if len(order) else order
        state.remove(order[~new], "untranslated", lengths[order[~new]].astype(np.float32), first[~new])


def remove_odd_passages(state: CorpusState, factor: float) -> None:
    """Remove versions whose passage is, for its query, far longer or shorter than the language's median.

    The value is the factor by which the ratio of lengths lies above (or, below 1, under) the median ratio.
    """
    records = np.flatnonzero(state.kept)
    ratios = _log_ratio(state.passage_lengths[records], state.query_lengths[records])
    for language in np.unique(state.languages[records]):
        mine = state.languages[records] == language
        if np.count_nonzero(mine) < _FEWEST:
            continue
        off = ratios[mine] - np.median(ratios[mine])
        odd = np.abs(off) > np.log(factor)
        state.remove(records[mine][odd], "query-passage-ratio", np.exp(off[odd]))


def remove_odd_lengths(state: CorpusState, factor: float) -> None:
    """Remove versions whose query or passage is of another length than the item's other languages say.

    A language's texts are as a rule longer or shorter by some factor than another's: the median over the items that
    have both. Of an item's logarithms of lengths, each less its language's median offset, the item's median is
    taken; a version that lies further from it than the factor is removed. With two versions nobody can tell
    which one is wrong, and that of the less frequent language goes.
    """
    for lengths in (state.query_lengths, state.passage_lengths):
        records = np.flatnonzero(state.kept)
        order = records[np.argsort(state.items[records], kind="stable")]
        if not len(order):
            continue
        logs = np.log(np.maximum(lengths[order], 1).astype(np.float64))
        languages = state.languages[order]
        groups = np.cumsum(np.diff(state.items[order], prepend=state.items[order[0]]) != 0)
        logs -= _offsets(logs, languages, groups, len(state.names))[languages]
        known = ~np.isnan(logs)
        if known.any():
            _, groups = np.unique(groups[known], return_inverse=True)
            _remove_outliers(state, order[known], logs[known], groups, factor)


def remove_few_languages(state: CorpusState, least: int) -> None:
    """Remove the items that are left in fewer languages."""
    if least < 2 or not len(state):
        return
    counts = np.bincount(state.items[state.kept], minlength=int(state.items.max()) + 1)[state.items]
    records = np.flatnonzero(state.kept & (counts < least))
    state.remove(records, "few-languages", counts[records].astype(np.float32))


def _offsets(
    logs: NDArray[np.float64], languages: NDArray[np.int16], groups: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """Each language's median of log-length less that of the reference, the most frequent language, in the same item.

    NaN where too few items have both.
    """
    frequency = np.bincount(languages, minlength=count)
    reference = int(frequency.argmax())
    of_reference = np.full(int(groups[-1]) + 1, np.nan)
    mine = languages == reference
    of_reference[groups[mine]] = logs[mine]
    offsets = np.full(count, np.nan)
    offsets[reference] = 0.0
    differences = logs - of_reference[groups]
    for language in np.flatnonzero(frequency).tolist():
        known = differences[(languages == language) & ~np.isnan(differences)]
        if language != reference and len(known) >= _FEWEST:
            offsets[language] = np.median(known)
    return offsets


def _remove_outliers(
    state: CorpusState,
    records: NDArray[np.int64],
    logs: NDArray[np.float64],
    groups: NDArray[np.int64],
    factor: float,
) -> None:
    order = np.lexsort((logs, groups))
    sizes = np.bincount(groups)
    starts = np.cumsum(sizes) - sizes
    ranked = logs[order]
    middle = (ranked[starts + (sizes - 1) // 2] + ranked[starts + sizes // 2]) / 2
    frequency = np.bincount(state.languages[state.kept], minlength=len(state.names))
    # Two versions lie equally far from their middle: the one of the more frequent language is believed.
    leading = np.lexsort((records, -frequency[state.languages[records]], groups))[starts]
    two = sizes == 2
    middle[two] = logs[leading[two]]
    off = logs - middle[groups]
    odd = np.flatnonzero(np.abs(off) > np.log(factor))
    state.remove(records[odd], "length-ratio", np.exp(off[odd]))


def _log_ratio(one: NDArray[np.int32], other: NDArray[np.int32]) -> NDArray[np.float64]:
    ratios: NDArray[np.float64] = np.log(np.maximum(one, 1)) - np.log(np.maximum(other, 1))
    return ratios
