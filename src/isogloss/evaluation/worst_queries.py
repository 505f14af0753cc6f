"""The queries that a model serves worst in the mixed pool, and where each of their right answers landed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isogloss.evaluation.evaluation import Evaluation


@dataclass(frozen=True)
class WorstQuery:
    """A query and the places of its right answers in the multilingual pool.

    Attributes:
        query: its position.
        average_precision: in the pool of all languages.
        rank_distance: places between its first and its last right answer.
        answers: position and rank in the pool of each right answer, by rank.
        first: the position of the candidate that came first; None without the second pass.
    """

    query: int
    average_precision: float
    rank_distance: int
    answers: tuple[tuple[int, int], ...]
    first: int | None


def worst_queries(evaluation: Evaluation, number: int = 10) -> list[WorstQuery]:
    """Pick the queries with the lowest average precision in the pool; of equal ones those with the farthest answers.

    Of the translations of one question only the worst is taken. A query with right answers in a single language says
    nothing about language, and is passed over where any has several.

    Args:
        evaluation: of any model and benchmark.
        number: how many at most.
    """
    pool, multi = evaluation.pool, evaluation.settings["multi"]
    precision = np.full(len(pool.query_ids), np.nan)
    precision[multi.query] = multi.values["map"]
    found = []
    for query in multi.query.tolist():
        rows = slice(pool.offsets[query], pool.offsets[query + 1])
        ranks = evaluation.ranks.pool_rank[rows]
        languages = np.unique(pool.candidate_language[pool.qrels[rows, 1]])
        found.append((len(languages) < 2, precision[query], int(ranks.min() - ranks.max()), query))
    several = [one for one in found if not one[0]] or found
    taken: list[WorstQuery] = []
    met: set[str] = set()
    for _, value, minus_distance, query in sorted(several):
        if evaluation.parallel_ids is not None:
            if evaluation.parallel_ids[query] in met:
                continue
            met.add(evaluation.parallel_ids[query])
        rows = slice(pool.offsets[query], pool.offsets[query + 1])
        pairs = zip(pool.qrels[rows, 1].tolist(), evaluation.ranks.pool_rank[rows].tolist(), strict=True)
        first = None if evaluation.second is None else int(evaluation.second.top[query, 0])
        answers = tuple(sorted(pairs, key=lambda pair: pair[1]))
        taken.append(WorstQuery(query, float(value), -minus_distance, answers, first))
        if len(taken) == number:
            break
    return taken
