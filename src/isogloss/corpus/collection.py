"""Collections: large corpora with queries and qrels, found in a folder by its form.

Three forms are known. In each, LL is a language code, and passages are `.jsonl`, `.jsonl.gz` or `.parquet`.

    MIRACL as published         miracl-corpus-v1.0-LL/docs-*.jsonl.gz
                                miracl-v1.0-LL/topics/topics.miracl-v1.0-LL-SPLIT.tsv
                                miracl-v1.0-LL/qrels/qrels.miracl-v1.0-LL-SPLIT.tsv
                                (beside each other, or one level down, as a copy of the two repositories has them)
    one collection (BEIR)       corpus.jsonl, or corpus-*.parquet, docs-*.jsonl.gz, or any files in corpus/
                                queries.jsonl or queries.tsv, or topics/SPLIT.tsv
                                qrels/SPLIT.tsv
    a folder a language         LL/ with a collection in each
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from isogloss.corpus.judgements import QUERY_SUFFIXES
from isogloss.corpus.languages import is_language, standard_language
from isogloss.corpus.passages import PASSAGE_SUFFIXES, read_passages
from isogloss.errors import BenchmarkError

_PASSAGE_FILE = re.compile(r"(corpus|docs)([-_.]?\d[-\w]*)?")
_MIRACL_FOLDER = re.compile(r"miracl-(corpus-)?v[\d.]+-([a-z]{2,3})")
_MIRACL_SPLIT = re.compile(r"(?:qrels|topics?)[.-](?:miracl-v[\d.]+-[a-z]{2,3}-)?(.+)")
_QRELS_SUFFIXES = (".tsv", ".tsv.gz", ".txt", ".qrels")
_TRAINING_SPLIT = "train"


@dataclass(frozen=True)
class Collection:
    """Where one corpus, its queries and its qrels lie.

    Attributes:
        name: the language of its folder, or the folder's name.
        language: the language of its folder; None where only the records tell it, if anything does.
        split: which qrels, such as "dev".
        passages: the files, numbers in their names in order.
        queries: the file of queries.
        qrels: the file of qrels.
    """

    name: str
    language: str | None
    split: str
    passages: tuple[Path, ...]
    queries: Path
    qrels: Path


@dataclass(frozen=True)
class Survey:
    """What one reading of all passages tells.

    Attributes:
        passages: how many there are.
        languages: how many there are a language; empty where the records name no language.
        found: which of the ids asked for are there.
        files: for each passage file its name, size in bytes and SHA-256 in hexadecimal.
    """

    passages: int
    languages: Mapping[str, int]
    found: frozenset[str]
    files: tuple[Mapping[str, str | int], ...]


def is_collection_folder(folder: Path) -> bool:
    """Whether a folder looks like a collection or several."""
    return folder.is_dir() and bool(_places(folder))


def find_collections(
    folder: Path, *, split: str | None = None, languages: Iterable[str] = ()
) -> list[Collection]:
    """Find the collections in a folder, sorted by name.

    Args:
        folder: in one of the forms above.
        split: which qrels to take; None takes the only split there is besides "train".
        languages: take the folders of these languages alone.

    Raises:
        BenchmarkError: no collection, a part of one is missing or there twice, no folder for a language, or the split
            is not there or not clear.
    """
    places = _places(folder)
    if not places:
        raise BenchmarkError(
            f"{folder}: no corpus in this folder (corpus.jsonl, corpus/, or miracl-corpus-*)"
        )
    wanted = {standard_language(code) if is_language(code) else code for code in languages}
    if wanted:
        there = {place.language for place in places} - {None}
        if missing := sorted(wanted - there):
            names = ", ".join(sorted(filter(None, there))) or "none: --language chooses among folders"
            raise BenchmarkError(
                f"{folder}: no folder for the language {', '.join(missing)}; there are {names}"
            )
        places = [place for place in places if place.language in wanted]
    chosen = split or _only_split(folder, places)
    return [_collection(place, chosen) for place in places]


def survey_passages(
    collection: Collection, ids: Iterable[str], progress: Callable[[int, int], None] | None = None
) -> Survey:
    """Read every passage once, before anything long begins: a broken record is found here.

    Args:
        collection: the collection.
        ids: passages that the qrels name.
        progress: called with the files done and the number of all files.

    Raises:
        CorpusError: a file or record is wrong.
        BenchmarkError: some passages have a language and others none.
    """
    wanted, found = frozenset(ids), set()
    files: list[Mapping[str, str | int]] = []
    languages: Counter[str | None] = Counter()
    for number, path in enumerate(collection.passages, start=1):
        for passage in read_passages([path]):
            languages[passage.language] += 1
            if passage.id in wanted:
                found.add(passage.id)
        with path.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
        files.append({"name": path.name, "size": path.stat().st_size, "sha256": checksum})
        if progress is not None:
            progress(number, len(collection.passages))
    without = languages.pop(None, 0)
    if without and languages:
        raise BenchmarkError(
            f"{collection.passages[0].parent}: {without} passages have no language and {languages.total()} have one;"
            " give all of them one, or none"
        )
    named = {language: count for language, count in sorted(languages.items()) if language is not None}
    return Survey(without or sum(named.values()), named, frozenset(found), tuple(files))


@dataclass(frozen=True)
class _Place:
    """The folders of a collection: where its passages are, and where its queries and qrels."""

    name: str
    language: str | None
    passages: Path
    judgements: Path


def _places(folder: Path) -> list[_Place]:
    if passage_files(folder):
        return [_Place(folder.resolve().name, None, folder, folder)]
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    deeper = [path for parent in inside for path in sorted(parent.iterdir()) if path.is_dir()]
    passages: dict[str, Path] = {}
    judgements: dict[str, Path] = {}
    for path in (*inside, *deeper):
        if match := _MIRACL_FOLDER.fullmatch(path.name):
            (passages if match[1] else judgements).setdefault(standard_language(match[2]), path)
    if passages:
        return [
            # The small repository of topics holds all languages; a corpus is fetched language by language.
            _Place(language, language, path, judgements.get(language, path))
            for language, path in sorted(passages.items())
        ]
    of_language = {standard_language(path.name): path for path in inside if is_language(path.name)}
    return [
        _Place(language, language, path, path)
        for language, path in sorted(of_language.items())
        if passage_files(path)
    ]


def passage_files(folder: Path) -> list[Path]:
    """The passage files of a collection's folder, in the order of the numbers in their names."""
    named = [path for path in _files(folder, PASSAGE_SUFFIXES) if _PASSAGE_FILE.fullmatch(_stem(path))]
    return named or _files(folder / "corpus", PASSAGE_SUFFIXES)


def _collection(place: _Place, split: str) -> Collection:
    passages = passage_files(place.passages)
    if not passages:
        raise BenchmarkError(f"{place.passages}: no passages in this folder ({', '.join(PASSAGE_SUFFIXES)})")
    repeated = [name for name, count in Counter(map(_stem, passages)).items() if count > 1]
    if repeated:
        raise BenchmarkError(
            f"{place.passages}: {repeated[0]} is there in more than one form; keep one, or passages would come twice"
        )
    qrels = _qrels_files(place.judgements)
    if split not in qrels:
        there = ", ".join(sorted(qrels)) or "none"
        raise BenchmarkError(f"{place.judgements}: no qrels of the split {split!r}; there are {there}")
    whole = [path for path in _files(place.judgements, QUERY_SUFFIXES) if _stem(path) == "queries"]
    topics = [path for path in _files(place.judgements / "topics", QUERY_SUFFIXES) if _split(path) == split]
    if len(whole or topics) != 1:
        what = "no file" if not whole else "more than one file"
        raise BenchmarkError(
            f"{place.judgements}: {what} of queries; give one queries.jsonl or queries.tsv, or one topics file for the"
            f" split {split!r}"
        )
    return Collection(place.name, place.language, split, tuple(passages), (whole or topics)[0], qrels[split])


def _only_split(folder: Path, places: list[_Place]) -> str:
    splits = {split for place in places for split in _qrels_files(place.judgements)}
    serious = sorted(splits - {_TRAINING_SPLIT}) or sorted(splits)
    if len(serious) != 1:
        if not serious:
            raise BenchmarkError(f"{folder}: no qrels; give qrels/SPLIT.tsv beside the queries")
        raise BenchmarkError(
            f"{folder}: qrels of several splits; choose one by --split: {', '.join(serious)}"
        )
    return serious[0]


def _qrels_files(folder: Path) -> dict[str, Path]:
    return {_split(path): path for path in _files(folder / "qrels", _QRELS_SUFFIXES)}


def _split(path: Path) -> str:
    match = _MIRACL_SPLIT.fullmatch(_stem(path))
    return match[1] if match else _stem(path)


def _files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if path.is_file() and path.name.lower().endswith(suffixes)]
    return sorted((path for path in found if not path.name.startswith(".")), key=_natural)


def _natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """docs-2 before docs-10."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], path.name


def _stem(path: Path) -> str:
    """The name without the suffixes of its format; a dot inside it stays."""
    name = path.name.removesuffix(".gz")
    for suffix in (*PASSAGE_SUFFIXES, *QUERY_SUFFIXES, *_QRELS_SUFFIXES):
        name = name.removesuffix(suffix)
    return name
