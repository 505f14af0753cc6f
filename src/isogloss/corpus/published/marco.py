"""MS MARCO's passage ranking files, and mMARCO's, the same in other languages.

    *collection*.tsv            passage id, passage
    *queries*SPLIT*.tsv         query id, query
    *triples*ids*.tsv or qidpidtriples*.tsv     query id, id of an answering passage, id of one that does not answer
    qrels.SPLIT*.tsv            query id, 0, passage id, 1

mMARCO says the language by its English name in the names of files or folders; triples and qrels are shared by all
languages, so that a line of them is an item in each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from isogloss.corpus.published.languages import chosen_language, named_language
from isogloss.corpus.published.reading import Reading, Records, fields, find_files, split_in
from isogloss.corpus.published.text_table import TextTable
from isogloss.corpus.records import Defect
from isogloss.errors import CorpusError

_SUFFIXES = (".tsv", ".tsv.gz", ".txt", ".txt.gz")
_PAIRS_AT_ONCE = 4096


class _Pair(NamedTuple):
    place: int
    item: str
    query: bytes
    passage: bytes
    negative: bytes | None


def read_mmarco(source: Path, reading: Reading) -> Records:
    """An item a line of the triples or qrels, in every language that has a collection and queries."""
    yield from _read(source, reading, "mmarco", None)


def read_msmarco(source: Path, reading: Reading) -> Records:
    """As `read_mmarco`, in English where the files name no language."""
    yield from _read(source, reading, "msmarco", "en")


def _read(source: Path, reading: Reading, dataset: str, usual: str | None) -> Records:
    split = reading.options.split or "train"
    if source.is_file():
        raise CorpusError(
            f"{source}: give the folder with the collection, the queries and the triples or qrels"
        )
    files = find_files(source, _SUFFIXES)
    collections = _by_language(source, reading, [path for path in files if "collection" in path.name], usual)
    queries = [path for path in files if "queries" in path.name and split_in(path.name) == split]
    asked = _by_language(source, reading, queries, usual)
    languages = sorted(set(collections) & set(asked))
    if not languages:
        raise CorpusError(
            f"{source}: no language with a *collection*.tsv and a *queries*{split}*.tsv; "
            f"found collections in {_listed(collections)} and queries in {_listed(asked)}"
        )
    for language in sorted(set(collections) ^ set(asked)):
        there, missing = ("collection", "queries") if language in collections else ("queries", "collection")
        reading.skipped[f"languages with a file of {there} and none of {missing}: {language}"] += 1
    pairs, triples = _pairs_file(source, files, split, reading.options.pairs)
    for language in languages:
        reading.expect(collections[language], asked[language], pairs)
    for language in languages:
        yield from _language(
            reading, language, collections[language], asked[language], pairs, triples, dataset
        )


def _language(
    reading: Reading, language: str, collection: Path, queries: Path, pairs: Path, triples: bool, dataset: str
) -> Records:
    tables = []
    for path in (queries, collection):
        table = TextTable(reading, _tsv_id)
        for place, defect in table.add(path):
            yield place, defect._replace(language=language)
        table.close()
        tables.append(table)
    asked, passages = tables
    for batch in _batches(_pairs(reading, pairs, triples)):
        known = [pair for pair in batch if isinstance(pair, _Pair)]
        found_queries = iter(asked.find([pair.query for pair in known]))
        found_passages = iter(passages.find([pair.passage for pair in known]))
        negatives = iter(passages.find([pair.negative for pair in known if pair.negative is not None]))
        for pair in batch:
            if not isinstance(pair, _Pair):
                yield pair
                continue
            query, passage = next(found_queries), next(found_passages)
            negative = next(negatives) if pair.negative is not None else None
            if query is None or passage is None:
                missing = (
                    "query is not among the queries" if query is None else "passage is not in the collection"
                )
                reading.skipped[f"pairs whose {missing}"] += 1
                continue
            if pair.negative is not None and negative is None:
                reading.skipped["negatives that are not in the collection"] += 1
            record = reading.record(
                pair.item,
                language,
                _text(reading, query),
                _text(reading, passage),
                negatives=[_text(reading, negative)] if negative is not None else [],
                dataset=dataset,
            )
            if record is not None:
                yield pair.place, record


def _pairs(reading: Reading, path: Path, triples: bool) -> Iterator[_Pair | tuple[int, Defect]]:
    for number, (place, line) in enumerate(reading.text_lines(path), start=1):
        if isinstance(line, Defect):
            yield place, line
            continue
        if triples:
            found = fields(line, 3, "query id, passage id, negative's id")
            if isinstance(found, Defect):
                yield place, found
                continue
            query, passage, negative = (field.encode() for field in found)
            yield _Pair(place, f"triple-{number}", query, passage, negative)
            continue
        found = line.split()
        if len(found) != 4:
            yield (
                place,
                Defect("wrong-type", f"expected query id, 0, passage id, 1, found {len(found)} fields"),
            )
        elif found[3] == "0":
            reading.skipped["judgements that a passage does not answer"] += 1
        else:
            yield _Pair(place, f"{found[0]}-{found[2]}", found[0].encode(), found[2].encode(), None)


def _pairs_file(source: Path, files: Sequence[Path], split: str, wanted: str | None) -> tuple[Path, bool]:
    """The triples, of the training split, or else the qrels; in the folder above where there are none in it."""
    near = [
        *files,
        *sorted(path for path in source.resolve().parent.glob("*") if path.name.endswith(_SUFFIXES)),
    ]
    triples = [path for path in near if "triples" in path.name and _of(path, split)]
    qrels = [path for path in near if path.name.startswith("qrels") and split_in(path.name) == split]
    if wanted != "qrels" and triples:
        ids = [path for path in triples if "ids" in path.name or path.name.startswith("qidpid")]
        if ids:
            return ids[0], True
    if wanted != "triples" and qrels:
        return qrels[0], False
    name = {"triples": "triples of ids", "qrels": "qrels"}.get(wanted or "", "triples of ids or qrels")
    raise CorpusError(f"{source}: no file of {name} of the split {split!r} in it, nor in the folder above it")


def _of(path: Path, split: str) -> bool:
    return split_in(path.name) in (split, None) if split == "train" else split_in(path.name) == split


def _by_language(source: Path, reading: Reading, files: list[Path], usual: str | None) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in files:
        told = named_language(path.name) or named_language(str(path.relative_to(source).parent))
        language = chosen_language(reading.options, path, told, usual)
        if language is None:
            continue
        if language in found:
            # queries.dev.tsv and queries.dev.small.tsv, and the like: the whole, which has the shorter name.
            first, second = sorted((found[language], path), key=lambda one: len(one.name))
            if first.parent != second.parent or "small" not in second.name:
                raise CorpusError(
                    f"{source}: two files for {language!r}, {first} and {second}; give the folder of one version"
                )
            path = first
        found[language] = path
    return found


def _batches(pairs: Iterator[_Pair | tuple[int, Defect]]) -> Iterator[list[_Pair | tuple[int, Defect]]]:
    batch: list[_Pair | tuple[int, Defect]] = []
    for pair in pairs:
        batch.append(pair)
        if len(batch) == _PAIRS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _tsv_id(line: bytes) -> bytes:
    name, tab, _ = line.partition(b"\t")
    if not tab:
        raise ValueError("expected 2 tab-separated fields (id, text), found 1")
    return name


def _text(reading: Reading, line: bytes) -> str:
    text = line.partition(b"\t")[2]
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        reading.skipped["texts with invalid UTF-8, which was replaced"] += 1
        return text.decode("utf-8", errors="replace")


def _listed(files: dict[str, Path]) -> str:
    return ", ".join(sorted(files)) or "no language"
