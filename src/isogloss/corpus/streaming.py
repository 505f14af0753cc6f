"""Corpora of any size, a version at a time: read from whatever reads as a corpus, written as any form of one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from isogloss.corpus import registry, sample
from isogloss.corpus.arrow_folder import is_corpus_folder, open_corpus
from isogloss.corpus.reading import corpus_name, record_source
from isogloss.corpus.records import RecordSource, Version, examine
from isogloss.corpus.squad_r import squad_r_source
from isogloss.corpus.version_writing import VersionWriter
from isogloss.corpus.versions import with_identity
from isogloss.errors import CorpusError

__all__ = [
    "VersionStream",
    "VersionWriter",
    "copy_versions",
    "open_stream",
    "select_languages",
    "stream_source",
    "stream_versions",
]

# A place in joined streams is a stream's number times this, plus the place in it.
_PLACES_PER_STREAM = 1 << 56


@dataclass(frozen=True)
class VersionStream:
    """Valid versions with their places, to be gone through once.

    Attributes:
        name: the corpus's name.
        named: whether the name stands; otherwise it gives way to the only `dataset` of the versions.
        placed: pairs of a place and a version.
        describe: words for a place.
        progress: bytes or rows read by now, and how many there are; None where that is not known.
    """

    name: str
    named: bool
    placed: Iterator[tuple[int, Version]]
    describe: Callable[[int], str]
    progress: Callable[[], tuple[int, int]] | None = None


def stream_versions(path: str | Path, *, data_dir: str | Path | None = None) -> Iterator[Version]:
    """The versions of anything that `read_corpus` reads, in the order of its file, one after the other.

    Every record is checked when its turn comes, and no text is kept. What takes all records to find, an id that comes
    twice in a language, is not looked for here: `VersionWriter` finds it.

    Args:
        path: as `read_corpus` takes it.
        data_dir: where to look for known benchmarks.

    Raises:
        CorpusError: there is no such file, or a record is not valid, named with file and line.
        BenchmarkError: a known benchmark is neither on this machine nor to be had.
    """
    stream = open_stream(path, data_dir=data_dir)
    return (version for _, version in stream.placed)


def open_stream(path: str | Path, *, data_dir: str | Path | None = None) -> VersionStream:
    """The versions of anything that `read_corpus` reads, with their places and the corpus's name.

    Raises:
        CorpusError, BenchmarkError: as `stream_versions`.
    """
    text = str(path)
    if text.startswith(sample.PREFIX):
        split = text.removeprefix(sample.PREFIX)
        return stream_source(record_source(sample.sample_path(split)), f"sample-{split}", named=True)
    if text in registry.KNOWN_BENCHMARKS:
        folder = registry.obtain_benchmark(text, data_dir)
        return stream_source(squad_r_source(folder), text, named=True)
    path = Path(path)
    if path.is_dir() and is_corpus_folder(path):
        return _stream_folder(path)
    return stream_source(record_source(path), corpus_name(path))


def stream_source(source: RecordSource, name: str, *, named: bool = False) -> VersionStream:
    """The versions of the records that a reader gives; the first that is not valid is an error.

    Args:
        source: the records.
        name: the corpus's name.
        named: whether the name stands where all versions have one `dataset`.
    """

    def placed() -> Iterator[tuple[int, Version]]:
        place = 0
        there = False
        try:
            for place, record in source.records:
                version, defects = examine(record)
                if version is None:
                    defect = defects[0]
                    raise source.error(place, with_identity(defect.message, defect.id, defect.language))
                there = True
                yield place, version
        except OSError as error:
            # Said here, so that it is not taken for an error of what is being written.
            where = error.filename or source.describe(place)
            raise CorpusError(f"{where}: cannot read: {error.strerror or error}") from error
        if not there:
            raise source.error(0, "there is no record in it")

    return VersionStream(name, named, placed(), source.describe, source.progress)


def join_streams(streams: Sequence[VersionStream]) -> VersionStream:
    """One stream after the other; of one stream, itself. What is joined has no name of its own."""
    if len(streams) == 1:
        return streams[0]

    def placed() -> Iterator[tuple[int, Version]]:
        for number, stream in enumerate(streams):
            for place, version in stream.placed:
                yield number * _PLACES_PER_STREAM + place, version

    def describe(place: int) -> str:
        number, place = divmod(place, _PLACES_PER_STREAM)
        return streams[number].describe(place)

    def progress() -> tuple[int, int]:
        ends = [stream.progress() if stream.progress else (0, 0) for stream in streams]
        return sum(done for done, _ in ends), sum(total for _, total in ends)

    return VersionStream("", False, placed(), describe, progress)


def select_languages(stream: VersionStream, languages: Collection[str]) -> VersionStream:
    """A stream without the versions in other languages.

    Args:
        stream: the versions.
        languages: those to keep, in their standard form.

    Raises:
        CorpusError: when its turn comes, the end of a stream that has none of one of the languages.
    """

    def placed() -> Iterator[tuple[int, Version]]:
        missing = set(languages)
        there: set[str] = set()
        for place, version in stream.placed:
            there.add(version.language)
            if version.language in languages:
                missing.discard(version.language)
                yield place, version
        if missing:
            raise CorpusError(
                f"{stream.name or 'the sources'}: has no language {', '.join(sorted(missing))}; it has"
                f" {', '.join(sorted(there))}"
            )

    return replace(stream, placed=placed())


def copy_versions(
    stream: VersionStream, output: Path, report: Callable[[int], None] | None = None
) -> VersionWriter:
    """Write all versions of a stream.

    Args:
        stream: the versions.
        output: as `VersionWriter` takes it.
        report: called now and then with the number of versions written.

    Returns:
        The writer, closed: it has the counts.

    Raises:
        CorpusError: a record is not valid, or an id comes twice in one language.
        OutputError: the output cannot be written.
    """
    name = stream.name if stream.named else None
    with VersionWriter(output, name=name, otherwise=stream.name or None, describe=stream.describe) as writer:
        for place, version in stream.placed:
            writer.write(version, place)
            if report is not None and not writer.versions & 1023:
                report(writer.versions)
    return writer


def _stream_folder(path: Path) -> VersionStream:
    corpus = open_corpus(path)
    total = len(corpus.stored)
    done = 0

    def placed() -> Iterator[tuple[int, Version]]:
        nonlocal done
        for done, version in enumerate(corpus.versions(), start=1):
            yield done, version
        if not done:
            raise CorpusError(f"{path}: there is no record in it")

    return VersionStream(
        corpus.name,
        True,
        placed(),
        describe=lambda row: f"{path / 'versions.arrow'}: row {row}",
        progress=lambda: (done, total),
    )
