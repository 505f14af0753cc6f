"""How many planted benchmark questions and sentences `isogloss data decontaminate` finds, and what it takes besides.

Half of XQuAD-R's articles are the benchmark. Its questions and sentences are planted among training items, unchanged
and edited; the questions and sentences of the other half, and those of MLQA-R, are what must be left alone.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import blake2b

from benchmarks.harness import Cell, Report
from isogloss.cleaning.decontamination import QUICK, ContaminationFinder, batched
from isogloss.cleaning.evaluation_texts import EvaluationTexts
from isogloss.cleaning.matching import EvaluationIndex, MatchingOptions
from isogloss.corpus import Version, read_corpus

LANGUAGES = ("de", "en", "zh")
_QUICK_ITEMS = 60
_SETTINGS: dict[str, MatchingOptions] = {
    "default": MatchingOptions(),
    "similarity 0.5": MatchingOptions(similarity=0.5),
    "similarity 0.8": MatchingOptions(similarity=0.8),
    "runs of 13 words, 26 characters": MatchingOptions(ngram=13, characters=26),
    "as before a training": QUICK,
}


def run(quick: bool) -> Report:
    """Plant, look, and count."""
    generator = random.Random(7)
    held = [version for version in read_corpus("xquad-r").versions() if version.language in LANGUAGES]
    benchmark = [version for version in held if _is_benchmark(version.title or "")]
    if quick:
        ids = sorted({version.id for version in benchmark})[:_QUICK_ITEMS]
        benchmark = [version for version in benchmark if version.id in ids]
    rest = [version for version in held if not _is_benchmark(version.title or "")]
    mlqa = [version for version in read_corpus("mlqa-r").versions() if version.language in LANGUAGES]
    texts = _evaluation_texts(benchmark)
    planted = _planted(benchmark, rest, generator)
    clean = {"XQuAD-R's other articles": rest, "MLQA-R": mlqa}

    rows: list[tuple[Cell, ...]] = []
    measured: dict[str, object] = {}
    for setting, options in list(_SETTINGS.items())[: 1 if quick else None]:
        index = EvaluationIndex(texts, options)
        began = time.perf_counter()
        found = {kind: _found(index, versions) for kind, versions in planted.items()}
        wrong = {name: _found(index, versions) for name, versions in clean.items()}
        seconds = time.perf_counter() - began
        looked = sum(map(len, planted.values())) + sum(map(len, clean.values()))
        false = sum(map(len, wrong.values()))
        for kind, versions in planted.items():
            by_language = [_recall(versions, found[kind], language) for language in LANGUAGES]
            precision = len(found[kind]) / (len(found[kind]) + false) if found[kind] else None
            if setting == "default":
                rows.append((kind, len(versions), *map(_percent, by_language), _percent(precision)))
        measured[setting] = {
            "recall": {kind: len(found[kind]) / len(planted[kind]) for kind in planted},
            "false": {name: len(wrong[name]) for name in wrong},
            "versions_per_second": looked / seconds,
        }
    notes = [
        f"precision: of what is found among a kind's planted and all {sum(map(len, clean.values())):,} clean versions, "
        "the share that was planted",
        *(_setting_note(setting, figures, clean) for setting, figures in measured.items()),
    ]
    return Report(
        "decontamination",
        f"Planted texts of a benchmark of {len(texts):,} texts that are found, in %",
        ("planted", "versions", *(f"recall {language}" for language in LANGUAGES), "precision"),
        tuple(rows),
        tuple(notes),
        measured=measured,
    )


def _evaluation_texts(versions: list[Version]) -> EvaluationTexts:
    result = EvaluationTexts()
    seen: set[tuple[str, str, str]] = set()
    for version in versions:
        sides = [("query", version.query), ("passage", version.passage)]
        sides += [("passage", text) for text in version.negatives]
        for side, text in sides:
            if (version.language, side, text) in seen:
                continue
            seen.add((version.language, side, text))
            result.texts.append(text)
            result.benchmarks.append("xquad-r")
            result.sides.append(side)
            result.languages.append(version.language)
            result.ids.append(version.id)
    return result


def _planted(
    benchmark: list[Version], rest: list[Version], generator: random.Random
) -> dict[str, list[Version]]:
    """For each kind of edit, a version a benchmark question, whose other side is not the benchmark's."""
    fillers = {language: [one for one in rest if one.language == language] for language in LANGUAGES}
    vocabulary = {
        language: [word for one in fillers[language] for word in _words(one.query, language)]
        for language in LANGUAGES
    }
    edits: dict[str, Callable[[str, str], str]] = {
        "question, unchanged": lambda text, language: text,
        "question, other case and punctuation": _other_form,
        "question, a typo": partial(_with_typo, generator),
        "question, a word dropped": partial(_without_word, generator),
        "question, a word replaced": lambda text, language: _with_other_word(
            generator, text, language, vocabulary[language]
        ),
    }
    planted: dict[str, list[Version]] = {}
    for kind, edit in edits.items():
        planted[kind] = [
            replace(
                one,
                id=f"planted {one.id}",
                query=edit(one.query, one.language),
                passage=generator.choice(fillers[one.language]).passage,
            )
            for one in benchmark
        ]
    long = [one for one in benchmark if len(one.passage) >= (20 if one.language == "zh" else 40)]
    for kind, change in (
        ("sentence in a paragraph, unchanged", lambda text, language: text),
        (
            "sentence in a paragraph, a word replaced",
            lambda text, language: _with_other_word(generator, text, language, vocabulary[language]),
        ),
    ):
        planted[kind] = []
        for one in long:
            before, after, other = (generator.choice(fillers[one.language]) for _ in range(3))
            paragraph = f"{before.passage} {change(one.passage, one.language)} {after.passage}"
            planted[kind].append(replace(one, id=f"planted {one.id}", query=other.query, passage=paragraph))
    return planted


def _found(index: EvaluationIndex, versions: list[Version]) -> set[tuple[str, str]]:
    """The ids and languages of the versions that match."""
    finder = ContaminationFinder(index)
    return {(one.id, one.language) for batch in batched(versions) for one in finder.look(batch)}


def _recall(versions: list[Version], found: set[tuple[str, str]], language: str) -> float:
    mine = {(one.id, one.language) for one in versions if one.language == language}
    return len(mine & found) / len(mine)


def _setting_note(setting: str, figures: object, clean: dict[str, list[Version]]) -> str:
    assert isinstance(figures, dict)
    recall = "; ".join(f"{kind} {_percent(value)}" for kind, value in figures["recall"].items())
    false = ", ".join(
        f"{count} of {len(clean[name]):,} in {name}" for name, count in figures["false"].items()
    )
    rate = f"{figures['versions_per_second']:,.0f} versions/s"
    return f"{setting}: recall in % {recall}; clean versions found: {false}; {rate}"


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.1f}"


def _is_benchmark(title: str) -> bool:
    # XQuAD-R's titles are the same in all languages.
    return blake2b(title.encode(), digest_size=1).digest()[0] % 2 == 0


def _words(text: str, language: str) -> list[str]:
    """Words; in Chinese pairs of characters, which most words are."""
    return [text[at : at + 2] for at in range(0, len(text), 2)] if language == "zh" else text.split()


def _joined(words: list[str], language: str) -> str:
    return ("" if language == "zh" else " ").join(words)


def _other_form(text: str, language: str) -> str:
    return text.upper().rstrip("?？").replace(",", " –").replace("，", "、") + " ?!"


def _with_typo(generator: random.Random, text: str, language: str) -> str:
    places = [
        at
        for at in range(len(text) - 1)
        if text[at].isalnum() and text[at + 1].isalnum() and text[at] != text[at + 1]
    ]
    if not places:
        return text + "x"
    at = generator.choice(places)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _without_word(generator: random.Random, text: str, language: str) -> str:
    words = _words(text, language)
    del words[generator.randrange(len(words))]
    return _joined(words, language)


def _with_other_word(generator: random.Random, text: str, language: str, vocabulary: list[str]) -> str:
    words = _words(text, language)
    words[generator.randrange(len(words))] = generator.choice(vocabulary)
    return _joined(words, language)
