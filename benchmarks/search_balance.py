"""What the options against language imbalance do to search: mAP, recall, and whose passages fill the first places.

`python -m benchmarks.search_balance MODEL DATA` indexes a benchmark's candidates and asks its queries (at most
`--queries`, evenly over the benchmark) with each balance, by similarity alone and fused with words. Of each, over the
first ten passages: mAP and recall (every relevant passage counts, in whatever language; where there are more than ten,
ten are all that can be found), the share in the asker's language, and the largest and smallest share of a language over
all questions.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isogloss.corpus import RetrievalBenchmark, load_benchmark
from isogloss.encoding.opening import open_encoder
from isogloss.search import Hit, IndexWriter, Passage, Searcher
from isogloss.search.balance import BALANCES
from isogloss.search.folder import IndexSettings

FIRST = 10


@dataclass(frozen=True)
class Figures:
    """What one way of searching gave, means over queries."""

    balance: str
    words: bool
    map: float
    recall: float
    own_share: float
    largest_share: float
    smallest_share: float

    def row(self) -> str:
        """A row of the table."""
        figures = (self.map, self.recall, self.own_share, self.largest_share, self.smallest_share)
        how = f"{self.balance}{' with words' if self.words else ''}"
        return f"| {how} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |"


def average_precision(found: Sequence[str], relevant: set[str]) -> float:
    """Average precision of a ranked list: precision at each relevant passage found, over all that could be."""
    hits, total = 0, 0.0
    for rank, name in enumerate(found, start=1):
        if name in relevant:
            hits += 1
            total += hits / rank
    return total / min(len(relevant), FIRST)


def measure(benchmark: RetrievalBenchmark, model: str, queries: int) -> list[Figures]:
    """Search a benchmark in every way."""
    encoder = open_encoder(model)
    relevant: dict[int, set[str]] = {}
    for query, candidate in benchmark.qrels.tolist():
        relevant.setdefault(query, set()).add(benchmark.candidate_ids[candidate])
    asked = np.unique(np.linspace(0, len(benchmark.query_ids) - 1, queries).astype(int)).tolist()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "index"
        settings = IndexSettings(model)
        with IndexWriter.create(place, encoder, settings) as writer:
            passages = zip(
                benchmark.candidate_ids, benchmark.candidate_texts, benchmark.candidate_languages, strict=True
            )
            writer.update(
                ((name, Passage(name, text, language)) for name, text, language in passages), encoder
            )
        with Searcher(place, encoder) as searcher:
            vectors = searcher.encode([benchmark.query_texts[query] for query in asked])
            found = []
            for words in (False, True):
                for balance in BALANCES:
                    request = searcher.request(top_k=FIRST, balance=balance, words=words)
                    hits = [
                        searcher.answer(benchmark.query_texts[query], vector, request)
                        for query, vector in zip(asked, vectors, strict=True)
                    ]
                    own = [benchmark.query_languages[query] for query in asked]
                    found.append(_figures(balance, words, hits, [relevant[query] for query in asked], own))
    return found


def _figures(
    balance: str, words: bool, hits: list[list[Hit]], relevant: list[set[str]], own: list[str]
) -> Figures:
    shares: Counter[str] = Counter()
    for those in hits:
        shares.update(hit.language for hit in those[:FIRST])
    places = sum(shares.values())
    return Figures(
        balance,
        words,
        float(
            np.mean(
                [
                    average_precision([hit.id for hit in those], right)
                    for those, right in zip(hits, relevant, strict=True)
                ]
            )
        ),
        float(
            np.mean(
                [
                    sum(hit.id in right for hit in those[:FIRST]) / min(len(right), FIRST)
                    for those, right in zip(hits, relevant, strict=True)
                ]
            )
        ),
        float(
            np.mean(
                [
                    np.mean([hit.language == language for hit in those[:FIRST]])
                    for those, language in zip(hits, own, strict=True)
                ]
            )
        ),
        max(shares.values()) / places,
        min(shares.values()) / places,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search_balance", description=__doc__)
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("--queries", type=int, default=1000)
    options = parser.parse_args(arguments)
    benchmark = load_benchmark(options.data)
    print(f"{options.model}, {benchmark.name}: {len(benchmark.candidate_ids)} passages\n")
    print(f"| balance | mAP@{FIRST} | R@{FIRST} | own language | largest share | smallest share |")
    print("|---|---|---|---|---|---|")
    for figures in measure(benchmark, options.model, options.queries):
        print(figures.row(), flush=True)


if __name__ == "__main__":
    main()
