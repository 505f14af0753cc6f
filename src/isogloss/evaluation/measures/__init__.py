"""The measures, each in a file of its own with its definition, and the registry of all of them."""

from isogloss.evaluation.measures.average_precision import average_precision
from isogloss.evaluation.measures.definition import Better, Definition, ListMeasure
from isogloss.evaluation.measures.language_share import SHARE_DEPTH, language_counts, share_distance
from isogloss.evaluation.measures.max_rank import max_rank
from isogloss.evaluation.measures.ndcg import ndcg_at
from isogloss.evaluation.measures.own_preference import outranked_share
from isogloss.evaluation.measures.peer import PEER_DEPTH, equal_rank_probability, order_matters
from isogloss.evaluation.measures.rank_distance import rank_distance
from isogloss.evaluation.measures.recall import recall_at
from isogloss.evaluation.measures.reciprocal_rank import reciprocal_rank
from isogloss.evaluation.measures.registry import BIAS_DEFINITIONS, DEFINITIONS, LIST_MEASURES
from isogloss.evaluation.measures.score_gap import score_gap
from isogloss.evaluation.measures.success import success_at

__all__ = [
    "BIAS_DEFINITIONS",
    "DEFINITIONS",
    "LIST_MEASURES",
    "PEER_DEPTH",
    "SHARE_DEPTH",
    "Better",
    "Definition",
    "ListMeasure",
    "average_precision",
    "equal_rank_probability",
    "language_counts",
    "max_rank",
    "ndcg_at",
    "order_matters",
    "outranked_share",
    "rank_distance",
    "recall_at",
    "reciprocal_rank",
    "score_gap",
    "share_distance",
    "success_at",
]
