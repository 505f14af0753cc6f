"""The texts of pairs, looked up by their integers; no torch here, so that plans can be shown without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from isogloss.batching import PairSpace, PlanningData
from isogloss.corpus import ParallelCorpus
from isogloss.corpus.grouping import comparable
from isogloss.training.recipe import NegativeLanguage


@dataclass(frozen=True)
class PairTexts:
    """One training pair.

    Attributes:
        query: the query.
        passage: the passage that answers it.
        negatives: hard negatives, in the passage's language or the query's.
        answers: the item's passages in all its languages, in the form `comparable` gives; looked up only where there
            are negatives to hold against them.
        parallel: further passages that answer the query, in other languages.
        parallel_query: the query in another language.
    """

    query: str
    passage: str
    negatives: tuple[str, ...] = ()
    answers: frozenset[str] = frozenset()
    parallel: tuple[str, ...] = ()
    parallel_query: str | None = None


class PairDataset:
    """Every pair of a mixture of parallel corpora, addressed by its integer; nothing is written out.

    Args:
        corpora: the mixture, in the planner's order.
        hard_negatives: how many hard negatives to take of a language at most, the first ones.
        negative_language: of the passage's language, of the query's, or of both.
        parallel_positives: in how many further languages to take the item's passage, at most.
        parallel_queries: whether to take the item's query in one further language.
        passages_meet: whether parallel passages meet the passage, so that their languages have to allow it.
        allows_pair: tells whether a query's language may meet a passage's; parallel positives keep to it, and parallel
            queries in both directions.
    """

    column_names = ("query", "passage")

    def __init__(
        self,
        corpora: Sequence[ParallelCorpus],
        hard_negatives: int = 0,
        *,
        negative_language: NegativeLanguage = "passage",
        parallel_positives: int = 0,
        parallel_queries: bool = False,
        passages_meet: bool = False,
        allows_pair: Callable[[str, str], bool] = lambda query, passage: True,
    ) -> None:
        self.corpora = tuple(corpora)
        self.hard_negatives = hard_negatives
        self.negative_language = negative_language
        self.parallel_positives = parallel_positives
        self.parallel_queries = parallel_queries
        self.passages_meet = passages_meet
        self.allows_pair = allows_pair
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
        parallel: tuple[str, ...] = ()
        if self.parallel_positives:
            parallel = self._parallel(corpus, int(item), query_language, passage_language, pair)
        parallel_query = None
        if self.parallel_queries:
            parallel_query = self._parallel_query(corpus, int(item), query_language, pair)
        if not self.hard_negatives:
            return PairTexts(query_text, passage_text, parallel=parallel, parallel_query=parallel_query)
        languages = {
            "passage": (passage_language,),
            "query": (query_language,),
            "both": dict.fromkeys((passage_language, query_language)),
        }[self.negative_language]
        negatives = [
            negative
            for language in languages
            for negative in corpus.negatives(int(item), language)[: self.hard_negatives]
        ]
        answers = frozenset(
            comparable(corpus.passage(int(item), language)) for language in _languages_of(corpus, int(item))
        )
        return PairTexts(query_text, passage_text, tuple(negatives), answers, parallel, parallel_query)

    def _parallel(
        self, corpus: ParallelCorpus, item: int, query_language: str, passage_language: str, pair: int
    ) -> tuple[str, ...]:
        """The item's passages in other languages; where there are more than are wanted, the pair decides which."""
        others = [
            language
            for language in _languages_of(corpus, item)
            if language != passage_language
            and self.allows_pair(query_language, language)
            and (not self.passages_meet or self._may_meet(passage_language, language))
        ]
        start = pair % len(others) if others else 0
        texts = (corpus.passage(item, language) for language in (*others[start:], *others[:start]))
        seen = {comparable(corpus.passage(item, passage_language))}
        chosen: list[str] = []
        for text in texts:
            if len(chosen) < self.parallel_positives and comparable(text) not in seen:
                seen.add(comparable(text))
                chosen.append(text)
        return tuple(chosen)

    def _parallel_query(self, corpus: ParallelCorpus, item: int, language: str, pair: int) -> str | None:
        """The item's query in another language, which the pair decides; None where there is none that differs."""
        own = comparable(corpus.query(item, language))
        others = [
            other
            for other in _languages_of(corpus, item)
            if other != language
            and self._may_meet(language, other)
            and comparable(corpus.query(item, other)) != own
        ]
        return corpus.query(item, others[pair % len(others)]) if others else None

    def _may_meet(self, one: str, other: str) -> bool:
        return self.allows_pair(one, other) and self.allows_pair(other, one)


def _languages_of(corpus: ParallelCorpus, item: int) -> list[str]:
    """The languages that an item is in."""
    return [language for language, row in zip(corpus.languages, corpus.rows[item], strict=True) if row >= 0]


def planning_data(corpus: ParallelCorpus) -> PlanningData:
    """Return what the planner needs of a corpus: which items there are in which languages, and no text."""
    return PlanningData(corpus.name, corpus.languages, corpus.availability, corpus.item_groups)
