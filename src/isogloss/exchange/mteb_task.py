"""A benchmark as tasks that run in MTEB itself; needs the extra `mteb`.

One task a setting, a subset a query language (in cross an ordered pair). In multi the corpus of every subset is the
pool of all languages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from isogloss.corpus import RetrievalBenchmark
from isogloss.errors import BenchmarkError, RecipeError
from isogloss.evaluation import SETTINGS, Setting
from isogloss.exchange.mteb_languages import mteb_language
from isogloss.exchange.mteb_results import MAIN_SCORE, SPLIT, task_name
from isogloss.exchange.subsets import Subset, subsets_of

if TYPE_CHECKING:
    from mteb.abstasks.retrieval import AbsTaskRetrieval

_DEPTH = 10
_Task = TypeVar("_Task")


def mteb_task(benchmark: RetrievalBenchmark, setting: Setting = "multi") -> AbsTaskRetrieval:
    """Make of one setting of a benchmark a task to give to `mteb.evaluate`.

    Nothing is downloaded. MTEB encodes the corpus of every subset anew, in multi once a query language; wrap the model
    in MTEB's `CachedEmbeddingWrapper` to encode each text once. Besides MTEB's scores, subsets of multi have
    `own_share_at_10`, the share of the first ten places that goes to the query's language.

    Args:
        benchmark: the benchmark.
        setting: "mono", "cross" or "multi".

    Raises:
        BenchmarkError: the benchmark has no queries in this setting.
        RecipeError: no such setting, or mteb is not installed.
    """
    if setting not in SETTINGS:
        raise RecipeError(f"{setting!r} is no setting; there are {', '.join(SETTINGS)}")
    subsets = [subset for subset in subsets_of(benchmark) if subset.setting == setting]
    if not subsets:
        raise BenchmarkError(f"{benchmark.name}: no query has an answer in the setting {setting}")
    return _task_class(benchmark, setting, subsets)()


def _task_class(
    benchmark: RetrievalBenchmark, setting: Setting, subsets: list[Subset]
) -> type[AbsTaskRetrieval]:
    try:
        from datasets import Dataset
        from mteb.abstasks.retrieval import AbsTaskRetrieval
        from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData
        from mteb.abstasks.task_metadata import TaskMetadata
    except ImportError as error:
        raise RecipeError("mteb is not installed: pip install 'isogloss[mteb]'") from error

    language_of = dict(zip(benchmark.candidate_ids, benchmark.candidate_languages, strict=True))

    def rows(numbers: Any, ids: list[str], texts: list[str]) -> Dataset:
        chosen = numbers.tolist()
        return Dataset.from_dict(
            {"id": [ids[number] for number in chosen], "text": [texts[number] for number in chosen]}
        )

    class Task(AbsTaskRetrieval):
        metadata = TaskMetadata(
            name=task_name(benchmark.name, setting),
            description=f"{setting} retrieval of {benchmark.name}, {len(benchmark.candidate_ids)} passages"
            f" in {len(benchmark.languages)} languages",
            dataset={"path": benchmark.name, "revision": benchmark.checksum},
            type="Retrieval",
            category="t2t",
            modalities=["text"],
            eval_splits=[SPLIT],
            eval_langs={subset.name: _languages(subset, benchmark) for subset in subsets},
            main_score=MAIN_SCORE,
            task_subtypes=["Question answering"],
        )

        def load_data(self, *args: Any, **kwargs: Any) -> None:
            """Take the benchmark from memory."""
            if self.data_loaded:
                return
            corpora: dict[str | None, Dataset] = {}
            self.dataset = {}
            for subset in subsets:
                if subset.candidate_language not in corpora:
                    corpora[subset.candidate_language] = rows(
                        subset.candidates, benchmark.candidate_ids, benchmark.candidate_texts
                    )
                relevant: dict[str, dict[str, int]] = {}
                for query, candidate in subset.relevant.tolist():
                    relevant.setdefault(benchmark.query_ids[query], {})[
                        benchmark.candidate_ids[candidate]
                    ] = 1
                self.dataset[subset.name] = {
                    SPLIT: RetrievalSplitData(
                        corpus=corpora[subset.candidate_language],
                        queries=rows(subset.queries, benchmark.query_ids, benchmark.query_texts),
                        relevant_docs=relevant,
                        top_ranked=None,
                    )
                }
            self.data_loaded = True

        def task_specific_scores(
            self,
            scores: Any,
            qrels: Any,
            results: dict[str, dict[str, float]],
            hf_split: str,
            hf_subset: str,
        ) -> dict[str, float]:
            """In multi, how much of the first places goes to the query's language."""
            if setting != "multi":
                return {}
            own = next(subset.query_language for subset in subsets if subset.name == hf_subset)
            shares = []
            for scored in results.values():
                first = sorted(scored, key=lambda one: (-scored[one], one))[:_DEPTH]
                shares.append(sum(language_of[one] == own for one in first) / max(len(first), 1))
            return {"own_share_at_10": sum(shares) / len(shares)}

    return Task


def _languages(subset: Subset, benchmark: RetrievalBenchmark) -> list[str]:
    """Of queries, then of passages."""
    passages = [subset.candidate_language] if subset.candidate_language else list(benchmark.languages)
    return list(dict.fromkeys(map(mteb_language, [subset.query_language, *passages])))
