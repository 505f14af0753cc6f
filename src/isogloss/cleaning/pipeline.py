"""Clean a corpus: measure every record, decide, and write what is left.

The corpus is read twice, as a stream. In between stand `state.BYTES_PER_RECORD` bytes a record, in arrays, and on
disk the signatures for near duplicates and the vectors for translations; texts are never held.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.cleaning.character_rules import character_figures, character_verdict, script_shares
from isogloss.cleaning.characters import comparable_characters
from isogloss.cleaning.decontamination import Progress, check_outputs
from isogloss.cleaning.duplicates import SignatureFile, remove_exact_duplicates
from isogloss.cleaning.evaluation_texts import EvaluationTexts
from isogloss.cleaning.hashing import run_hashes
from isogloss.cleaning.item_rules import (
    remove_copies,
    remove_few_languages,
    remove_odd_lengths,
    remove_odd_passages,
    remove_repeated_ids,
)
from isogloss.cleaning.language_rule import LanguageDetector
from isogloss.cleaning.matching import EvaluationIndex, MatchingOptions
from isogloss.cleaning.normalization import normal_record
from isogloss.cleaning.options import CleaningOptions
from isogloss.cleaning.reasons import reason
from isogloss.cleaning.records import (
    ReadRecord,
    corpus_writer,
    count_records,
    json_lines_writer,
    read_records,
)
from isogloss.cleaning.report import CleaningReport, Removal
from isogloss.cleaning.state import NUMBERS, RULES, CorpusState, StateBuilder
from isogloss.cleaning.translation_quality import Threshold, VectorFile
from isogloss.corpus.records import Version
from isogloss.encoding.encoder import Encoder
from isogloss.errors import CorpusError
from isogloss.files import scratch_folder

_RECORDS_AT_ONCE = 512


def clean(
    source: str | Path,
    output: Path,
    options: CleaningOptions | None = None,
    *,
    removed: Path | None = None,
    against: Iterable[str] = (),
    data_dir: Path | None = None,
    encoder: Encoder | None = None,
    progress: Progress | None = None,
) -> CleaningReport:
    """Clean a corpus.

    Args:
        source: the corpus, as `isogloss.corpus.read_corpus` takes it; broken records are removed.
        output: the file to write.
        options: rules and thresholds.
        removed: a JSONL file for the removed records, each with its rule, figure and reason.
        against: other splits, corpora or benchmarks: what they have is removed.
        data_dir: where known benchmarks lie.
        encoder: judges translations; None leaves that out.
        progress: called with the stage, the records done and those there are.

    Returns:
        What was done.

    Raises:
        DataError: the corpus cannot be read, or nothing would be left of it.
        RecipeError: a rule needs a package that is not installed.
        OutputError: an output is there already or cannot be written.
    """
    began = time.perf_counter()
    options = options or CleaningOptions()
    check_outputs(output, removed)
    report = CleaningReport(str(source))
    show = progress or (lambda stage, done, total: None)
    output.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        measure = _Measure(options, report, stack.enter_context(scratch_folder(output)), encoder, stack)
        against = list(against)
        if against:
            measure.index = EvaluationIndex(EvaluationTexts.read(against, data_dir), _split_options(options))
        mend = normal_record if options.normalize else None
        total = count_records(source) or 0
        for read in read_records(source, data_dir, mend):
            measure.add(read)
            if report.records % _RECORDS_AT_ONCE == 0:
                show("measuring", report.records, max(total, report.records + 1))
        state = measure.finish()
        show("measuring", report.records, report.records)
        if not report.records:
            raise CorpusError(f"{source}: there is no record in it")
        report.thresholds = _decide(state, measure, options)
        if not state.kept.any():
            raise CorpusError(f"{source}: no record is left: {_most_frequent(state)}; loosen that rule")
        with ExitStack() as outputs:
            keep = outputs.enter_context(json_lines_writer(removed)) if removed else lambda _: None
            write = outputs.enter_context(corpus_writer(output))
            _write(state, report, read_records(source, data_dir, mend), write, keep, options, show)
    report.seconds = time.perf_counter() - began
    return report


class _Measure:
    """The first pass: figures and verdicts of single records, batch by batch."""

    def __init__(
        self,
        options: CleaningOptions,
        report: CleaningReport,
        folder: Path,
        encoder: Encoder | None,
        stack: ExitStack,
    ) -> None:
        self.options = options
        self.report = report
        self.index: EvaluationIndex | None = None
        self.in_other: list[int] = []
        self.in_other_values: list[float] = []
        self.signatures = (
            stack.enter_context(SignatureFile(folder)) if options.near_duplicates is not None else None
        )
        self.vectors = stack.enter_context(VectorFile(encoder, folder)) if encoder is not None else None
        self._detector = (
            None
            if options.mismatched == "keep"
            else LanguageDetector(options.language_confidence, options.min_language_characters)
        )
        self._builder = StateBuilder()
        self._batch: list[ReadRecord] = []

    def add(self, read: ReadRecord) -> None:
        self._batch.append(read)
        self.report.records += 1
        if len(self._batch) == _RECORDS_AT_ONCE:
            self._measure()

    def finish(self) -> CorpusState:
        self._measure()
        state = self._builder.finish()
        self.report.items = len(np.unique(state.items[state.languages >= 0]))
        return state

    def _measure(self) -> None:
        batch, self._batch = self._batch, []
        if not batch:
            return
        first = self.report.records - len(batch)
        # A broken record keeps its place with empty texts.
        versions = [read.version or Version("", "", "", "") for read in batch]
        valid = np.array([read.version is not None for read in batch], np.bool_)
        queries = [version.query for version in versions]
        passages = [version.passage for version in versions]
        of_query, of_passage = comparable_characters(queries), comparable_characters(passages)
        query, passage = character_figures(queries, of_query), character_figures(passages, of_passage)
        rules = np.where(valid, 0, NUMBERS["invalid"]).astype(np.uint8)
        values = np.zeros(len(batch), np.float32)

        def mark(rule: str, broken: NDArray[np.bool_], figures: NDArray[np.floating]) -> None:
            new = broken & (rules == 0)
            rules[new] = NUMBERS[rule]
            values[new] = figures[new]

        said = [version.language for version in versions]
        languages = list(said)
        found = np.full(len(batch), -1, np.int16)
        judged = self._languages(versions, query.letters, passage.letters)
        mismatched = np.zeros(len(batch), np.bool_)
        probabilities = np.zeros(len(batch))
        for place, (language, probability, agreed) in judged.items():
            found[place] = self._builder.number(language)
            probabilities[place] = probability
            if self.options.mismatched == "relabel" and agreed:
                languages[place] = language
            else:
                mismatched[place] = True
        known = [language or "en" for language in languages]
        scripts = np.minimum(script_shares(queries, known), script_shares(passages, known))
        verdict = character_verdict(query, passage, scripts, self.options)
        of_script = verdict.pop("script")
        for rule, (broken, figures) in verdict.items():
            mark(rule, broken, figures)
        mark("language", mismatched, probabilities)
        mark("script", *of_script)
        numbers = [self._builder.number(language) if language else -1 for language in languages]
        self._builder.add(
            items=text_keys_of_ids([version.id for version in versions], batch),
            languages=np.array(numbers, np.int16),
            found=found,
            query_lengths=query.kept.astype(np.int32),
            passage_lengths=passage.kept.astype(np.int32),
            query_keys=run_hashes(of_query),
            passage_keys=run_hashes(of_passage),
            rules=rules,
            values=values,
        )
        self.report.read.update(language for language in said if language)
        if self.signatures is not None:
            self.signatures.add(of_query, of_passage)
        if self.vectors is not None:
            # A model is given something for a broken record, and what comes out is not looked at.
            self.vectors.add([text or "-" for text in queries], [text or "-" for text in passages], known)
        if self.index is not None:
            self._compare(queries + passages, first)

    def _languages(
        self, versions: list[Version], of_query: NDArray[np.int64], of_passage: NDArray[np.int64]
    ) -> dict[int, tuple[str, float, bool]]:
        if self._detector is None:
            return {}
        judgements = self._detector.judge(
            [version.query for version in versions],
            [version.passage for version in versions],
            [version.language for version in versions],
            of_query,
            of_passage,
        )
        return {
            place: (one.language, one.probability, one.agreed)
            for place, one in enumerate(judgements)
            if one.language is not None
        }

    def _compare(self, texts: list[str], first: int) -> None:
        assert self.index is not None
        half = len(texts) // 2
        for match in self.index.find(texts, np.arange(len(texts)) < half):
            self.in_other.append(first + match.text % half)
            self.in_other_values.append(match.value)


def _decide(state: CorpusState, measure: _Measure, options: CleaningOptions) -> list[Threshold]:
    """Apply the rules that look at more than one record."""
    thresholds: list[Threshold] = []
    remove_repeated_ids(state)
    if options.exact_duplicates:
        remove_exact_duplicates(state)
    if measure.signatures is not None and options.near_duplicates is not None:
        measure.signatures.remove_near_duplicates(state, options.near_duplicates)
    if options.copies is not None:
        remove_copies(state, options.copies)
    if options.query_passage_factor is not None:
        remove_odd_passages(state, options.query_passage_factor)
    if options.length_factor is not None:
        remove_odd_lengths(state, options.length_factor)
    if measure.vectors is not None:
        thresholds = measure.vectors.remove_bad_translations(
            state, options.translation_similarity, options.false_positive_rate
        )
    if measure.in_other:
        # A text that another split has in one language is known from there in all.
        worst = np.zeros(int(state.items.max()) + 1, np.float32)
        np.maximum.at(worst, state.items[measure.in_other], np.array(measure.in_other_values, np.float32))
        records = np.flatnonzero(worst[state.items] > 0)
        state.remove(records, "in-other-split", worst[state.items[records]])
    remove_few_languages(state, options.min_languages)
    return thresholds


def _write(
    state: CorpusState,
    report: CleaningReport,
    reads: Iterable[ReadRecord],
    write: Callable[[Version], None],
    keep: Callable[[Any], None],
    options: CleaningOptions,
    show: Progress,
) -> None:
    for number, read in enumerate(reads):
        version = read.version
        said = version.language if version is not None else ""
        if version is not None and not state.rules[number]:
            language = state.names[state.languages[number]]
            if language != said:
                report.relabelled[said, language] += 1
                version = Version(language=language, **_without_language(version))
            if (
                options.normalize
                and isinstance(read.record, dict)
                and _texts(version) != _raw_texts(read.record)
            ):
                report.normalised += 1
            report.written[language] += 1
            write(version)
        else:
            why = reason(state, number, read.problem)
            rule = RULES[state.rules[number]]
            value = round(float(state.values[number]), 4)
            keep({"rule": rule, "value": value, "why": why, "place": read.place, "record": read.record})
            report.add_removed(_removal(read, rule, value, why))
        if (number + 1) % _RECORDS_AT_ONCE == 0 or number + 1 == len(state):
            show("writing", number + 1, len(state))
    report.items_written = len(np.unique(state.items[state.kept]))


def _removal(read: ReadRecord, rule: str, value: float, why: str) -> Removal:
    record = read.record if isinstance(read.record, dict) else {}
    texts = {name: str(record.get(name) or "") for name in ("id", "language", "query", "passage")}
    if read.version is not None:
        texts["language"] = read.version.language
    return Removal(rule, value, why, read.place, **texts)


def text_keys_of_ids(ids: list[str], batch: list[ReadRecord]) -> NDArray[np.uint64]:
    """A key for each id; a record without one gets a key of its own place, and so is an item of its own."""
    named = [
        f"i {one}" if read.version is not None else f"p {read.place}"
        for one, read in zip(ids, batch, strict=True)
    ]
    return _id_keys(named)


def _id_keys(ids: list[str]) -> NDArray[np.uint64]:
    from hashlib import blake2b

    digests = b"".join(blake2b(one.encode("utf-8", "surrogatepass"), digest_size=8).digest() for one in ids)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def _without_language(version: Version) -> dict[str, Any]:
    return {name: getattr(version, name) for name in version.__slots__ if name != "language"}


def _texts(version: Version) -> tuple[Any, ...]:
    return version.query, version.passage, version.title, version.negatives


def _raw_texts(record: dict[str, Any]) -> tuple[Any, ...]:
    return (
        record["query"],
        record["passage"],
        record.get("title") or None,
        tuple(record.get("negatives") or ()),
    )


def _most_frequent(state: CorpusState) -> str:
    number = int(np.bincount(state.rules).argmax())
    return f"the rule {RULES[number]!r} removed {np.count_nonzero(state.rules == number)} of {len(state)} records"


def _split_options(options: CleaningOptions) -> MatchingOptions:
    # The same texts, nearly the same, and no parts of texts: two splits may well quote one another.
    return MatchingOptions(coverage=2.0, similarity=options.near_duplicates or 0.8)
