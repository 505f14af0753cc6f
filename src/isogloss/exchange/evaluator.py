"""The three settings and language bias as an evaluator for anyone's `SentenceTransformerTrainer`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator

from isogloss.corpus import RetrievalBenchmark, load_benchmark
from isogloss.encoding.encoder import SentenceTransformerEncoder
from isogloss.encoding.loading import prompts_of
from isogloss.errors import OutputError, RecipeError
from isogloss.evaluation import BIAS_DEFINITIONS, DEFINITIONS, MEASURES, MEMORY_BUDGET, SETTINGS, Evaluation
from isogloss.evaluation.model_evaluation import evaluate_model

BIAS_KEYS = tuple(definition.key for definition in BIAS_DEFINITIONS)


class MultilingualRetrievalEvaluator(SentenceEvaluator):
    """Mono-, cross- and multilingual retrieval and language bias, while a model is trained or afterwards.

    Every distinct text is encoded once; scores are cosines, ranked exactly, ties by ascending candidate id. Figures are
    named ``NAME_mono_map``, ``NAME_cross_recall@10``, ``NAME_multi_ndcg@10``, ``NAME_rank_distance``; a trainer puts
    ``eval_`` before them. A figure that does not exist (a benchmark in one language has no cross) is left out.

    Args:
        benchmark: a benchmark, or anything `load_benchmark` reads: ``xquad-r``, ``sample:dev``, a file, a folder.
        name: before every figure; None takes the benchmark's name, an empty string puts nothing.
        query_prompt: put before queries; None takes the model's own, as `isogloss evaluate` does.
        passage_prompt: put before passages, likewise.
        languages: evaluate in these languages alone.
        measures: measures of quality, each in every setting.
        bias: measures of language bias; those that need a second pass over the scores cost one.
        primary: the figure that chooses the checkpoint, without the name: ``multi_map``, ``rank_distance``.
        max_length: tokens after which a text is cut; None keeps the model's own limit.
        memory_budget: gigabytes of scores that ranking holds at once; changes no figure.
        write_csv: where the evaluator is called with an output path, add a line to a CSV file there.
        data_dir: where `load_benchmark` looks for known benchmarks.

    Attributes:
        primary_metric: the name of the primary figure among those returned.
        greater_is_better: whether a higher primary figure is better; false for rank distance.
        csv_file: the name of the CSV file.
        csv_headers: its columns: epoch, steps, then the figures without the name.

    Raises:
        DataError: the benchmark cannot be loaded or lacks a language.
        RecipeError: a measure is unknown, or the primary figure is none of those taken, does not exist on this
            benchmark, or has no better end.
    """

    def __init__(
        self,
        benchmark: RetrievalBenchmark | str | Path,
        name: str | None = None,
        *,
        query_prompt: str | None = None,
        passage_prompt: str | None = None,
        languages: Iterable[str] | None = None,
        measures: Sequence[str] = ("map", "recall@1", "recall@10", "ndcg@10"),
        bias: Sequence[str] = ("rank_distance",),
        primary: str = "multi_map",
        max_length: int | None = None,
        memory_budget: float = MEMORY_BUDGET,
        write_csv: bool = True,
        data_dir: str | Path | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(benchmark, RetrievalBenchmark):
            benchmark = load_benchmark(benchmark, data_dir)
        self.benchmark = benchmark if languages is None else benchmark.subset(languages)
        self.name = benchmark.name if name is None else name
        self.query_prompt = query_prompt
        self.passage_prompt = passage_prompt
        self.measures = _known("measure of quality", measures, MEASURES)
        self.bias = _known("measure of language bias", bias, BIAS_KEYS)
        self.max_length = max_length
        self.memory_budget = memory_budget
        self.write_csv = write_csv
        self.figure_names = tuple(
            [f"{setting}_{measure}" for setting in SETTINGS for measure in self.measures] + list(self.bias)
        )
        self.greater_is_better = self._direction(primary)
        self.primary_metric = self._named(primary)
        self.csv_file = f"Multilingual-Retrieval_evaluation{f'_{self.name}' if self.name else ''}_results.csv"
        self.csv_headers = ["epoch", "steps", *self.figure_names]

    def __call__(
        self, model: SentenceTransformer, output_path: str | None = None, epoch: float = -1, steps: int = -1
    ) -> dict[str, float]:
        """Measure a model.

        Args:
            model: the model; whether it was in training mode does not matter, and is so again afterwards.
            output_path: a folder for the CSV file, made if it is not there.
            epoch: where training is, for the CSV file; -1 outside training.
            steps: likewise.

        Returns:
            Figures by name.

        Raises:
            ModelError: the model fails.
            EvaluationError: its vectors cannot be ranked.
            OutputError: the CSV file cannot be written.
        """
        found = self.figures(model)
        if output_path is not None and self.write_csv:
            self._add_line(Path(output_path), found, epoch, steps)
        metrics = {self._named(name): value for name, value in found.items()}
        self.store_metrics_in_model_card_data(model, metrics, int(epoch), steps)
        return metrics

    def figures(self, model: SentenceTransformer) -> dict[str, float]:
        """Measure a model and return the figures that exist, without the evaluator's name before theirs.

        Raises:
            ModelError: the model fails.
            EvaluationError: its vectors cannot be ranked.
        """
        backbone = getattr(model, "transformers_model", None)
        known_as = str(getattr(getattr(backbone, "config", None), "_name_or_path", ""))
        prompts = prompts_of(
            model, known_as, query_prompt=self.query_prompt, passage_prompt=self.passage_prompt
        )
        encoder = SentenceTransformerEncoder(model, known_as or "model", prompts, max_length=self.max_length)
        was_training = model.training
        try:
            evaluation, _ = evaluate_model(
                encoder,
                self.benchmark,
                memory_budget=self.memory_budget,
                second=any(DEFINITIONS[key].second_pass for key in self.bias),
            )
        finally:
            model.train(was_training)
        return flat_figures(evaluation, self.measures, self.bias)

    def get_config_dict(self) -> dict[str, Any]:
        """What a model card says of the evaluator."""
        given = {
            "languages": list(self.benchmark.languages),
            "queries": len(self.benchmark.query_ids),
            "candidates": len(self.benchmark.candidate_ids),
            "query_prompt": self.query_prompt,
            "passage_prompt": self.passage_prompt,
            "max_length": self.max_length,
        }
        return {key: value for key, value in given.items() if value is not None}

    def _direction(self, primary: str) -> bool:
        if primary not in self.figure_names:
            raise RecipeError(
                f"primary: {primary!r} is not measured; choose one of {', '.join(self.figure_names)}"
            )
        if len(self.benchmark.languages) < 2 and (primary.startswith("cross_") or primary in self.bias):
            raise RecipeError(
                f"primary: {primary} needs a benchmark in two languages, and {self.benchmark.name} is in"
                f" {self.benchmark.languages[0]} alone; choose a mono or multi figure"
            )
        better = DEFINITIONS[primary if primary in self.bias else primary.partition("_")[2]].better
        if better == "neither":
            raise RecipeError(f"primary: {primary} is best in between, so it cannot choose a checkpoint")
        return better == "higher"

    def _named(self, figure: str) -> str:
        return f"{self.name}_{figure}" if self.name else figure

    def _add_line(self, folder: Path, figures: Mapping[str, float], epoch: float, steps: int) -> None:
        path = folder / self.csv_file
        try:
            folder.mkdir(parents=True, exist_ok=True)
            new = not path.exists()
            with path.open("a", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                if new:
                    writer.writerow(self.csv_headers)
                writer.writerow([epoch, steps, *(figures.get(name, "") for name in self.figure_names)])
        except OSError as error:
            raise OutputError(f"{path}: cannot write: {error.strerror or error}") from error


def flat_figures(evaluation: Evaluation, measures: Sequence[str], bias: Sequence[str]) -> dict[str, float]:
    """Put the macro-averages of an evaluation in one flat dictionary.

    Args:
        evaluation: the figures.
        measures: measures of quality, each in every setting: ``mono_map`` and so on.
        bias: measures of language bias: ``rank_distance`` and so on.

    Returns:
        The figures that exist, in the order of settings, then measures, then bias.
    """
    found = {
        f"{setting}_{measure}": evaluation.settings[setting].summaries[measure].mean
        for setting in SETTINGS
        for measure in measures
    }
    summaries = evaluation.bias_summaries()
    found |= {key: summaries[key][0].mean for key in bias if key in summaries}
    return {name: float(value) for name, value in found.items() if value is not None}


def _known(what: str, keys: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    if unknown := [key for key in keys if key not in known]:
        raise RecipeError(f"{unknown[0]!r} is no {what}; there are {', '.join(known)}")
    return tuple(dict.fromkeys(keys))
