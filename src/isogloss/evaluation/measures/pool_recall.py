"""Recall in the pool by pair of languages: in which languages a model finds the answer when all compete."""

from __future__ import annotations

from isogloss.evaluation.measures.definition import Definition

POOL_RECALL_DEPTH = 10
"""How many first places are looked at."""

POOL_RECALL = Definition(
    key=f"pool_recall@{POOL_RECALL_DEPTH}",
    label=f"pool R@{POOL_RECALL_DEPTH} by pair",
    description=f"share of the relevant candidates of one language in the first {POOL_RECALL_DEPTH} places of the pool",
    formula=(
        "by pair of languages, (relevant candidates in the candidate language of pool rank "
        f"{POOL_RECALL_DEPTH} or better) / (relevant candidates in it)"
    ),
    low=0,
    high=1,
    better="higher",
    settings=("multi",),
    source="isogloss; `recall` of trec_eval with the relevant candidates of one language",
    even="the same for all pairs",
    per_query=False,
    by_pair=True,
)
