"""isogloss: measure and remove language bias in multilingual retrieval.

The names below are loaded when first used, so that importing isogloss is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from isogloss._version import __version__

if TYPE_CHECKING:
    from isogloss.batching import BatchPlanner, Plan
    from isogloss.corpus import ParallelCorpus, RetrievalBenchmark, load_benchmark, read_corpus
    from isogloss.encoding.encoder import SentenceTransformerEncoder
    from isogloss.encoding.opening import open_encoder
    from isogloss.errors import IsoglossError
    from isogloss.evaluation.model_evaluation import evaluate_model
    from isogloss.exchange.evaluator import MultilingualRetrievalEvaluator
    from isogloss.exchange.mteb_task import mteb_task
    from isogloss.search import Searcher
    from isogloss.training.recipe import Recipe, make_recipe
    from isogloss.training.run import train

_HOMES = {
    "BatchPlanner": "isogloss.batching",
    "IsoglossError": "isogloss.errors",
    "MultilingualRetrievalEvaluator": "isogloss.exchange.evaluator",
    "ParallelCorpus": "isogloss.corpus",
    "Plan": "isogloss.batching",
    "Recipe": "isogloss.training.recipe",
    "RetrievalBenchmark": "isogloss.corpus",
    "Searcher": "isogloss.search",
    "SentenceTransformerEncoder": "isogloss.encoding.encoder",
    "evaluate_model": "isogloss.evaluation.model_evaluation",
    "load_benchmark": "isogloss.corpus",
    "make_recipe": "isogloss.training.recipe",
    "mteb_task": "isogloss.exchange.mteb_task",
    "open_encoder": "isogloss.encoding.opening",
    "read_corpus": "isogloss.corpus",
    "train": "isogloss.training.run",
}

__all__ = [
    "BatchPlanner",
    "IsoglossError",
    "MultilingualRetrievalEvaluator",
    "ParallelCorpus",
    "Plan",
    "Recipe",
    "RetrievalBenchmark",
    "Searcher",
    "SentenceTransformerEncoder",
    "__version__",
    "evaluate_model",
    "load_benchmark",
    "make_recipe",
    "mteb_task",
    "open_encoder",
    "read_corpus",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'isogloss' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
