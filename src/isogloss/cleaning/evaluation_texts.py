"""The texts of benchmarks that no training may meet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from isogloss.cleaning.item_ids import telling_id
from isogloss.corpus import registry
from isogloss.corpus.benchmark import RetrievalBenchmark
from isogloss.corpus.loading import load_benchmark
from isogloss.corpus.reading import corpus_name
from isogloss.corpus.records import Defect
from isogloss.corpus.squad_r import is_squad_r_folder, language_files, read_paragraphs
from isogloss.errors import BenchmarkError


@dataclass(frozen=True)
class EvaluationTexts:
    """Distinct texts of benchmarks; an entry a text.

    Attributes:
        texts: the texts.
        benchmarks: the name of the benchmark that each is from.
        sides: "query" or "passage".
        languages: the code of each one's language.
        ids: the id of each in its benchmark.
        item_ids: of items with a telling id, by that (`telling_id`): the benchmark's name, and the id there.
    """

    texts: list[str] = field(default_factory=list)
    benchmarks: list[str] = field(default_factory=list)
    sides: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    item_ids: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __len__(self) -> int:
        """The number of texts."""
        return len(self.texts)

    @classmethod
    def of(cls, benchmarks: Iterable[RetrievalBenchmark]) -> EvaluationTexts:
        """The texts of benchmarks."""
        result = cls()
        for benchmark in benchmarks:
            result._add(
                benchmark.name, "query", benchmark.query_texts, benchmark.query_languages, benchmark.query_ids
            )
            result._add(
                benchmark.name,
                "passage",
                benchmark.candidate_texts,
                benchmark.candidate_languages,
                benchmark.candidate_ids,
            )
            result._add_items(benchmark.name, benchmark.query_parallel_ids)
        return result

    @classmethod
    def read(
        cls,
        sources: Sequence[str | Path],
        data_dir: str | Path | None = None,
        languages: Iterable[str] | None = None,
    ) -> EvaluationTexts:
        """Read the texts of benchmarks.

        Args:
            sources: each as `isogloss.corpus.load_benchmark` takes it.
            data_dir: where known benchmarks lie.
            languages: leave out texts in others, where the benchmark's form makes that cheap.

        Raises:
            DataError: one is missing or damaged.
        """
        wanted = None if languages is None else frozenset(languages)
        result = cls()
        for source in sources:
            if str(source) in registry.KNOWN_BENCHMARKS:
                folder = registry.obtain_benchmark(str(source), data_dir)
                result._add_squad_r(folder, str(source), wanted)
            elif is_squad_r_folder(Path(source)) and not (Path(source) / "corpus.json").is_file():
                result._add_squad_r(Path(source), corpus_name(Path(source)), wanted)
            else:
                part = cls.of([load_benchmark(source, data_dir)])
                for name in ("texts", "benchmarks", "sides", "languages", "ids"):
                    getattr(result, name).extend(getattr(part, name))
                result.item_ids.update(part.item_ids)
        return result

    def item_of(self, item: str) -> tuple[str, str] | None:
        """The benchmark's item, as its name and the id there, that an id of training data is of; None for none."""
        told = telling_id(item)
        return None if told is None else self.item_ids.get(told)

    def _add_squad_r(self, folder: Path, name: str, wanted: frozenset[str] | None) -> None:
        for language, file in language_files(folder).items():
            compared = wanted is None or language.split("-")[0] in {one.split("-")[0] for one in wanted}
            for number, paragraph in enumerate(read_paragraphs(file)):
                if isinstance(paragraph, Defect):
                    raise BenchmarkError(f"{file}: {paragraph.message}")
                questions = [one for one in paragraph.questions if not isinstance(one, Defect)]
                ids = [question.id for question in questions]
                # Ids tell of translations into any language.
                self._add_items(name, ids)
                if not compared:
                    continue
                self._add(name, "query", [one.text for one in questions], [language] * len(ids), ids)
                count = len(paragraph.sentences)
                places = [f"{language}-{number:05d}-{position:03d}" for position in range(count)]
                self._add(name, "passage", paragraph.sentences, [language] * count, places)

    def _add(
        self, name: str, side: str, texts: Sequence[str], languages: Sequence[str], ids: Sequence[str]
    ) -> None:
        self.texts.extend(texts)
        self.benchmarks.extend([name] * len(texts))
        self.sides.extend([side] * len(texts))
        self.languages.extend(languages)
        self.ids.extend(ids)

    def _add_items(self, name: str, ids: Iterable[str]) -> None:
        for item in ids:
            if (told := telling_id(item)) is not None:
                self.item_ids[told] = (name, item)
