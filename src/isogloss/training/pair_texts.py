"""The texts of pairs, looked up by their integers; no torch here, so that plans can be shown without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from isogloss.batching import PairSpace, PlanningData
from isogloss.corpus import ParallelCorpus


@dataclass(frozen=True)
class PairTexts:
    """One training pair: a query, the passage that answers it and hard negatives in the passage's language."""

    query: str
    passage: str
    negatives: tuple[str, ...] = ()


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
        negatives = corpus.negatives(int(item), passage_language) if self.hard_negatives else ()
        return PairTexts(
            corpus.query(int(item), query_language),
            corpus.passage(int(item), passage_language),
            tuple(negatives[: self.hard_negatives]),
        )


def planning_data(corpus: ParallelCorpus) -> PlanningData:
    """Return what the planner needs of a corpus: which items there are in which languages, and no text."""
    return PlanningData(corpus.name, corpus.languages, corpus.available, corpus.groups)
