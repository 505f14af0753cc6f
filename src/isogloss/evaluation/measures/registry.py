"""All measures, in the order of tables; the command line, results and docs take them from here."""

from __future__ import annotations

from isogloss.evaluation.measures.average_precision import AVERAGE_PRECISION
from isogloss.evaluation.measures.definition import Definition, ListMeasure
from isogloss.evaluation.measures.language_share import OWN_SHARE, SHARE_DISTANCE
from isogloss.evaluation.measures.max_rank import MAX_RANK
from isogloss.evaluation.measures.ndcg import ndcg
from isogloss.evaluation.measures.own_preference import FOREIGN_PREFERENCE, OWN_PREFERENCE
from isogloss.evaluation.measures.peer import PEER_IRRELEVANT, PEER_RELEVANT
from isogloss.evaluation.measures.pool_recall import POOL_RECALL
from isogloss.evaluation.measures.rank_distance import RANK_DISTANCE
from isogloss.evaluation.measures.recall import recall
from isogloss.evaluation.measures.reciprocal_rank import RECIPROCAL_RANK
from isogloss.evaluation.measures.score_gap import SCORE_GAP
from isogloss.evaluation.measures.success import success

LIST_MEASURES: tuple[ListMeasure, ...] = (
    AVERAGE_PRECISION,
    recall(1),
    recall(10),
    ndcg(10),
    RECIPROCAL_RANK,
    success(1),
    success(10),
)
"""The measures of quality, each in mono, cross and multi."""

BIAS_DEFINITIONS: tuple[Definition, ...] = (
    RANK_DISTANCE,
    MAX_RANK,
    PEER_RELEVANT,
    PEER_IRRELEVANT,
    OWN_SHARE,
    SHARE_DISTANCE,
    OWN_PREFERENCE,
    FOREIGN_PREFERENCE,
    SCORE_GAP,
    POOL_RECALL,
)
"""The measures of language bias, all in multi."""

DEFINITIONS: dict[str, Definition] = {
    definition.key: definition
    for definition in (*(measure.definition for measure in LIST_MEASURES), *BIAS_DEFINITIONS)
}
"""Every measure by its key."""
