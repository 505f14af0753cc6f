"""Exact ranking, the three retrieval settings, language bias, results and run files.

Pure functions over arrays: vectors come in, figures go out. `evaluate_vectors` is where to start.
"""

from isogloss.evaluation.evaluation import Evaluation, evaluate_vectors
from isogloss.evaluation.language_bias import BiasScores, RankDistances, rank_distances
from isogloss.evaluation.language_shares import LanguageShares
from isogloss.evaluation.measures import (
    BIAS_DEFINITIONS,
    DEFINITIONS,
    Definition,
    average_precision,
    ndcg_at,
    recall_at,
    reciprocal_rank,
    success_at,
)
from isogloss.evaluation.per_query import PER_QUERY_SCHEMA, per_query_table, write_per_query
from isogloss.evaluation.pool import Benchmark, Pool, pool_of
from isogloss.evaluation.ranking import MEMORY_BUDGET, Progress, Ranks, rank_relevant
from isogloss.evaluation.results import RESULTS_FORMAT, read_results, results_of, write_results
from isogloss.evaluation.run_files import falling, write_qrels, write_runs
from isogloss.evaluation.scoring import (
    BLOCK_BYTES,
    DistinctVectors,
    ScoreBlock,
    distinct_vectors,
    score_blocks,
)
from isogloss.evaluation.second_pass import SecondPass, second_pass
from isogloss.evaluation.seen_unseen import (
    QUERY_SPLITS,
    SPLITS,
    Split,
    TrainedPairs,
    split_of,
    split_results,
    with_training,
)
from isogloss.evaluation.settings import (
    MEASURES,
    SETTINGS,
    Counts,
    Measure,
    Setting,
    SettingScores,
    Summary,
    count_queries,
    macro_average,
    pair_name,
    ranked_lists,
    score_settings,
)

__all__ = [
    "BIAS_DEFINITIONS",
    "BLOCK_BYTES",
    "DEFINITIONS",
    "MEASURES",
    "MEMORY_BUDGET",
    "PER_QUERY_SCHEMA",
    "QUERY_SPLITS",
    "RESULTS_FORMAT",
    "SETTINGS",
    "SPLITS",
    "Benchmark",
    "BiasScores",
    "Counts",
    "Definition",
    "DistinctVectors",
    "Evaluation",
    "LanguageShares",
    "Measure",
    "Pool",
    "Progress",
    "RankDistances",
    "Ranks",
    "ScoreBlock",
    "SecondPass",
    "Setting",
    "SettingScores",
    "Split",
    "Summary",
    "TrainedPairs",
    "average_precision",
    "count_queries",
    "distinct_vectors",
    "evaluate_vectors",
    "falling",
    "macro_average",
    "ndcg_at",
    "pair_name",
    "per_query_table",
    "pool_of",
    "rank_distances",
    "rank_relevant",
    "ranked_lists",
    "read_results",
    "recall_at",
    "reciprocal_rank",
    "results_of",
    "score_blocks",
    "score_settings",
    "second_pass",
    "split_of",
    "split_results",
    "success_at",
    "with_training",
    "write_per_query",
    "write_qrels",
    "write_results",
    "write_runs",
]
