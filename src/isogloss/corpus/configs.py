"""A dataset folder in MTEB's form as a benchmark of the three settings.

MTEB keeps a retrieval dataset as configurations of one repository, which its README names: `X-corpus`, `X-queries` and
`X-qrels` for each subset X, or `corpus`, `queries` and `default` (or `qrels`) for a dataset with one subset. Here all
subsets together are one benchmark: the pool is the passages of all of them, and what is relevant to a query in any
subset is relevant to it. The same id with the same text in one language is one query or passage, in however many
subsets it stands.

A record's language is its `language`; where it says none, X tells it: `de`, `eng-Latn`, or, passages before queries as
in MTEB's MLQARetrieval and BelebeleRetrieval, `eng-deu` and `eng_Latn-deu_Latn`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from isogloss.corpus.benchmark import RetrievalBenchmark
from isogloss.corpus.judged import Candidate, judged_benchmark, read_candidates
from isogloss.corpus.judgements import QUERY_FIELDS, Query, query_of_record
from isogloss.corpus.languages import is_language, standard_language
from isogloss.corpus.passages import record_id, record_objects, record_source
from isogloss.errors import BenchmarkError

_CORPUS = "corpus"
_WHOLE = "default"
_FILES = (".jsonl", ".jsonl.gz", ".parquet")
_QREL_FIELDS = ("query-id", "corpus-id", "score")
_BARE = re.compile(r"[a-z]{2,3}")
_COLUMN = "give its records a field 'language'"


@dataclass(frozen=True)
class _Subset:
    """The files of one subset, and the languages that its name tells."""

    name: str
    corpus: tuple[Path, ...]
    queries: tuple[Path, ...]
    qrels: tuple[Path, ...]


def is_config_folder(folder: Path) -> bool:
    """Return whether a folder's README names configurations as MTEB's retrieval datasets have them."""
    return any(_is_corpus(name) for name in _configs(folder))


def read_config_folder(folder: Path, *, split: str | None = None) -> RetrievalBenchmark:
    """Read a dataset folder in MTEB's form, all its subsets one pool.

    Where queries say no `parallel_id`, those of one id in several languages are taken for translations of one another.

    Args:
        folder: a folder with a README that names the configurations, as a dataset repository of the hub has.
        split: which split; None takes the only one of each configuration besides "train", or "test".

    Raises:
        BenchmarkError: a configuration or file is missing, a language is not told, or ids do not fit.
        CorpusError: a record is wrong.
    """
    subsets = _subsets(folder, split)
    candidates: dict[tuple[str, str, str], Candidate] = {}
    queries: dict[tuple[str, str, str], Query] = {}
    relevant: dict[tuple[str, str, str], dict[tuple[str, str, str], int]] = defaultdict(dict)
    for subset in subsets:
        pool, asked = _passages(subset), _questions(subset)
        for query, candidate, grade in _judgements(subset):
            if query not in asked:
                continue  # as MTEB does: qrels may be of more splits than the queries
            if candidate not in pool:
                raise BenchmarkError(
                    f"{subset.qrels[0]}: passage {candidate!r}, judged for query {query!r}, is not in the corpus of"
                    f" {subset.name!r}; check that the files belong together"
                )
            relevant[_key(asked[query])][_key(pool[candidate])] = grade
        candidates |= {_key(one): one for one in pool.values()}
        queries |= {_key(one): one for one in asked.values()}
    candidate_name, query_name = _unique_names(candidates), _unique_names(queries)
    return judged_benchmark(
        folder.resolve().name,
        [
            replace(one, id=query_name[key], parallel_id=one.parallel_id or one.id)
            for key, one in queries.items()
        ],
        [replace(one, id=candidate_name[key]) for key, one in candidates.items()],
        {
            query_name[query]: {candidate_name[one]: grade for one, grade in judged.items()}
            for query, judged in relevant.items()
        },
        where=str(folder),
    )


def _configs(folder: Path) -> list[str]:
    """The names of the configurations in a README's head; none where there is no such README."""
    readme = folder / "README.md"
    if not readme.is_file():
        return []
    from huggingface_hub import metadata_load

    try:
        head: Mapping[str, Any] = metadata_load(readme) or {}
    except Exception:  # not YAML, not UTF-8: a README of something else
        return []
    configs = head.get("configs")
    if not isinstance(configs, list):
        return []
    return [str(one["config_name"]) for one in configs if isinstance(one, dict) and "config_name" in one]


def _is_corpus(name: str) -> bool:
    return name == _CORPUS or name.endswith(f"-{_CORPUS}")


def _subsets(folder: Path, split: str | None) -> list[_Subset]:
    names = _configs(folder)
    found = []
    for name in filter(_is_corpus, names):
        subset = name.removesuffix(_CORPUS).removesuffix("-") or _WHOLE
        parts = {"queries": ["queries", "query"], "qrels": ["default", "qrels"]}
        if subset != _WHOLE:
            parts = {part: [f"{subset}-{part}"] for part in parts}
        chosen = {}
        for part, possible in parts.items():
            there = [one for one in possible if one in names]
            if not there:
                raise BenchmarkError(
                    f"{folder / 'README.md'}: there is a configuration {name!r} but none called"
                    f" {' or '.join(map(repr, possible))}"
                )
            chosen[part] = _files(folder, there[0], split)
        found.append(_Subset(subset, _files(folder, name, split), chosen["queries"], chosen["qrels"]))
    return found


def _files(folder: Path, config: str, split: str | None) -> tuple[Path, ...]:
    """The files of a configuration: of the split asked for, or of the only one."""
    from datasets import load_dataset_builder

    try:
        builder = load_dataset_builder(str(folder.resolve()), config)
    except Exception as error:  # the library's errors for a missing or odd file are of many kinds
        raise BenchmarkError(
            f"{folder}: configuration {config!r} cannot be resolved: {str(error).strip().splitlines()[0]}"
        ) from error
    splits = {str(name): [Path(one) for one in files] for name, files in builder.config.data_files.items()}
    possible = [split] if split else ["test"] if "test" in splits else sorted(set(splits) - {"train"})
    if len(possible) != 1 or possible[0] not in splits:
        raise BenchmarkError(
            f"{folder}: configuration {config!r} has the splits {', '.join(sorted(splits))};"
            f" {'none is ' + repr(split) if split else 'choose one with --split'}"
        )
    wanted = possible[0]
    for path in splits[wanted]:
        if not path.name.endswith(_FILES):
            raise BenchmarkError(
                f"{path}: of the files of a dataset those ending in {', '.join(_FILES)} are read"
            )
    return tuple(splits[wanted])


def _languages(name: str) -> tuple[str | None, str | None]:
    """The languages of passages and queries that a subset's name tells, None where it tells none."""
    parts = name.split("-")
    if len(parts) == 2 and all(is_language(part) for part in parts):
        if _BARE.fullmatch(parts[1]) and len(parts[1]) == 2 and is_language(name):
            raise BenchmarkError(
                f"subset {name!r}: two languages, or a language and a region? {_COLUMN}, in corpus and queries"
            )
        return standard_language(parts[0]), standard_language(parts[1])
    return (standard_language(name), standard_language(name)) if is_language(name) else (None, None)


def _passages(subset: _Subset) -> dict[str, Candidate]:
    found: dict[str, Candidate] = {}
    for path in subset.corpus:
        for candidate in read_candidates(path, lambda: _told(subset, 0)):
            if candidate.id in found:
                raise BenchmarkError(f"{path}: passage id {candidate.id!r} comes twice in {subset.name!r}")
            found[candidate.id] = candidate
    return found


def _questions(subset: _Subset) -> dict[str, Query]:
    found: dict[str, Query] = {}
    for path in subset.queries:
        source = record_source(path, required=(), fields=QUERY_FIELDS)
        for place, record in record_objects(source):
            query = query_of_record(source, place, record)
            if query.id in found or not query.text.strip():
                wrong = "has no text" if query.id not in found else "comes twice in the subset"
                raise source.error(place, f"query {query.id!r} {wrong}")
            found[query.id] = query if query.language else replace(query, language=_told(subset, 1))
    return found


def _told(subset: _Subset, side: int) -> str:
    language = _languages(subset.name)[side]
    if language is None:
        raise BenchmarkError(
            f"{(subset.corpus, subset.queries)[side][0]}: the subset's name, {subset.name!r}, tells no language;"
            f" {_COLUMN}"
        )
    return language


def _judgements(subset: _Subset) -> Iterator[tuple[str, str, int]]:
    for path in subset.qrels:
        source = record_source(path, required=_QREL_FIELDS, fields=_QREL_FIELDS)
        for place, record in record_objects(source):
            query, candidate = (record_id(source, place, record, (key,)) for key in ("query-id", "corpus-id"))
            grade = record.get("score")
            if isinstance(grade, bool) or not isinstance(grade, int | float) or grade != int(grade):
                raise source.error(place, f"the score must be an integer, not {grade!r:.60}")
            yield query, candidate, int(grade)


def _key(one: Candidate | Query) -> tuple[str, str, str]:
    return one.id, one.language or "", one.text


def _unique_names(keys: Mapping[tuple[str, str, str], object]) -> dict[tuple[str, str, str], str]:
    """Ids that are unique over subsets: the id alone, with its language, or with a number too."""
    by_id: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for key in keys:
        by_id[key[0]].append(key)
    names = {}
    for name, those in by_id.items():
        seen: dict[str, int] = defaultdict(int)
        for key in those:
            seen[key[1]] += 1
            number = f":{seen[key[1]]}" if seen[key[1]] > 1 else ""
            names[key] = name if len(those) == 1 else f"{key[1]}:{name}{number}"
    return names
