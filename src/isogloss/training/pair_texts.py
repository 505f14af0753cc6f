"""The texts of pairs, looked up by their integers; no torch here, so that plans can be shown without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from isogloss.batching import PairSpace, PlanningData
from isogloss.corpus import ParallelCorpus
from isogloss.corpus.grouping import comparable


@dataclass(frozen=True)
class PairTexts:
    """One training pair.

    Attributes:
        query: the query.
        passage: the passage that answers it.
        negatives: hard negatives, in the passage's language.
        answers: the item's passages in all its languages, in the form `comparable` gives; looked up only where there
            are negatives to hold against them.
    """

    query: str
    passage: str
    negatives: tuple[str, ...] = ()
    answers: frozenset[str] = frozenset()


class PairDataset:
    """Every pair of a mixture of parallel corpora, addressed by its integer; nothing is written out.

    Args:
        corpora: the mixture, in the planner's order.
        hard_negatives: how many of a passage's hard negatives to take at most, the first ones.
    """

    column_names = ("query", "passage")

    def __init__(self, corpora: Sequence[ParallelCorpus], hard_negatives: int = 0) -> None:
        self.corpora = tuple(corpora)
        self.hard_negatives = hard_negatives
        self.space = PairSpace.of([planning_data(corpus) for corpus in corpora])

    def __len__(self) -> int:
        return self.space.size

    def __getitem__(self, pair: int) -> PairTexts:
        """Look a pair's texts up."""
        (dataset,), (item,), (query,), (passage,) = self.space.locate([pair])
        corpus = self.corpora[dataset]
        query_language, passage_language = self.space.languages[query], self.space.languages[passage]
        passage_text = corpus.passage(int(item), passage_language)
        query_text = corpus.query(int(item), query_language)
        if not self.hard_negatives:
            return PairTexts(query_text, passage_text)
        negatives = tuple(corpus.negatives(int(item), passage_language)[: self.hard_negatives])
        answers = frozenset(
            comparable(corpus.passage(int(item), language))
            for language, row in zip(corpus.languages, corpus.rows[item], strict=True)
            if row >= 0
        )
        return PairTexts(query_text, passage_text, negatives, answers)


def planning_data(corpus: ParallelCorpus) -> PlanningData:
    """Return what the planner needs of a corpus: which items there are in which languages, and no text."""
    return PlanningData(corpus.name, corpus.languages, corpus.availability, corpus.item_groups)
