"""What cleaning costs: synthetic records through `isogloss data clean` and `decontaminate`, by their number.

`python -m benchmarks.cleaning --records 10000 1000000 --commands clean` takes other numbers and some commands alone;
ten million records need 20 GB in --work.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.harness import Cell, Report
from isogloss.cleaning.language_rule import LanguageDetector
from isogloss.cleaning.options import CleaningOptions
from isogloss.corpus import Version, read_corpus

_SIZES, _QUICK_SIZES = (20_000, 100_000), (2_000,)
_LANGUAGES = ("de", "en", "es", "fr")
_LABELLED = ("sample:train", "xquad-r", "mlqa-r")
_WRONG = {"en": "de", "de": "en", "es": "fr", "fr": "es", "hi": "en", "zh": "en", "ar": "en", "ru": "en"}
_SYLLABLES = "ba de fi go hu ka le mi no pu ra se ti vo wu sta fre gli bro".split()
_COMMANDS = {
    "clean": ["clean", "--mismatched", "keep"],
    "clean, without near duplicates": ["clean", "--mismatched", "keep", "--near-duplicates", "0"],
    "clean, with languages checked": ["clean"],
    "decontaminate": ["decontaminate", "--against", "sample:test"],
}


def run(
    quick: bool,
    work: Path | None = None,
    sizes: Sequence[int] | None = None,
    commands: Sequence[str] = tuple(_COMMANDS),
) -> Report:
    """Take the processor time and the peak memory of each command on each size, in a process of its own.

    Args:
        quick: whether to go through the motions only.
        work: where the temporary folder is made; the system's temporary folder if left out.
        sizes: numbers of records; if left out, also judge the languages of labelled corpora.
        commands: of `_COMMANDS`.
    """
    rows: list[tuple[Cell, ...]] = []
    with tempfile.TemporaryDirectory(prefix="isogloss-cleaning-", dir=work) as folder:
        for size in sizes or (_QUICK_SIZES if quick else _SIZES):
            corpus = Path(folder) / f"corpus-{size}.jsonl"
            write_corpus(corpus, size)
            for name in commands:
                arguments = _COMMANDS[name]
                seconds, memory = _measure([arguments[0], str(corpus), *arguments[1:]], Path(folder))
                rows.append((name, f"{size:,}", seconds, size / seconds, memory))
                print(*rows[-1], file=sys.stderr, flush=True)
            corpus.unlink()
    return Report(
        "cleaning",
        "Synthetic records, of a query of 8 and a passage of 60 words, through whole commands",
        ("command", "records", "processor seconds", "records a processor second", "peak memory, MiB"),
        tuple(rows),
        (
            "each in a process of its own, from its start to its end",
            *(() if quick or sizes else map(language_note, _LABELLED)),
        ),
        words=1,
    )


def language_note(source: str) -> str:
    """How many records of a corpus are judged to be in another language than they say, and if they say a wrong one."""
    detector = LanguageDetector(
        CleaningOptions().language_confidence, CleaningOptions().min_language_characters
    )
    versions = list(read_corpus(source).versions())
    alarms = _judged(detector, versions, [version.language for version in versions])
    told = [version for version in versions if version.language in _WRONG]
    found = _judged(detector, told, [_WRONG[version.language] for version in told])
    return (
        f"{source}: {alarms} of {len(versions):,} records judged to be in another language than they say; "
        f"{found / len(told):.1%} of {len(told):,} that were made to say a wrong one"
    )


def _judged(detector: LanguageDetector, versions: list[Version], languages: list[str]) -> int:
    queries, passages = ([getattr(version, side) for version in versions] for side in ("query", "passage"))
    letters = [np.array([sum(map(str.isalpha, text)) for text in side]) for side in (queries, passages)]
    judged = detector.judge(queries, passages, languages, *letters)
    return sum(one.language is not None for one in judged)


def write_corpus(path: Path, records: int, seed: int = 0) -> None:
    """Write a corpus of four languages; every hundredth item is a near duplicate of the one before it."""
    generator = random.Random(seed)
    words = ["".join(generator.choices(_SYLLABLES, k=generator.randint(1, 3))) for _ in range(5000)]
    with path.open("w", encoding="utf-8") as file:
        texts: list[tuple[str, str]] = []
        for item in range(-(-records // len(_LANGUAGES))):
            if item % 100 or not texts:
                texts = [
                    (" ".join(generator.choices(words, k=8)), " ".join(generator.choices(words, k=60)))
                    for _ in _LANGUAGES
                ]
            else:
                texts = [(query, f"{passage} {generator.choice(words)}") for query, passage in texts]
            for language, (query, passage) in zip(_LANGUAGES, texts, strict=True):
                record = {"id": str(item), "language": language, "query": query, "passage": passage}
                file.write(json.dumps(record) + "\n")


def _measure(arguments: Sequence[str], folder: Path) -> tuple[float, float]:
    """Processor seconds and peak MiB of a command."""
    output = folder / "out.jsonl"
    # A process in between, so that the peak is that of this command and not of an earlier one.
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=2); "
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); print(used.ru_utime + used.ru_stime, used.ru_maxrss)"
    )
    command = [sys.executable, "-m", "isogloss", "data", *arguments, "--output", str(output)]
    done = subprocess.run(
        [sys.executable, "-c", script, *command], capture_output=True, text=True, check=True
    )
    output.unlink()
    seconds, memory = done.stdout.split()
    return float(seconds), int(memory) / 1024


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--records", type=int, nargs="*", help="numbers of records")
    parser.add_argument(
        "--commands", nargs="*", choices=_COMMANDS, default=tuple(_COMMANDS), help="default: all"
    )
    parser.add_argument("--work", type=Path, help="where the temporary files are written")
    chosen = parser.parse_args()
    print(run(chosen.quick, chosen.work, chosen.records, chosen.commands).as_markdown())


if __name__ == "__main__":
    main()
