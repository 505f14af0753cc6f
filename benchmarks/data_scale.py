"""What converting and counting corpora costs from 10 thousand to 10 million records: records a second, peak memory.

Synthetic parallel records in five languages, and files in mMARCO's form, are written to a temporary folder (about 3 GB
a million records at a time) and removed. Each step is measured in a process of its own: the seconds of the clock and of
the processor, and the peak of its memory, less what Python and the imports take; "anonymous" is what is no page of a
file, and cannot be dropped by the system. The versions that come out are held against those that went in.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Report

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
QUICK_SIZES = (1_000, 10_000)
LANGUAGES = ("ar", "de", "en", "hi", "ru")
_LETTERS = {"ar": "ابتثجحدرسعفقلمنهوي", "hi": "कखगचजतदनपमरलसहािे", "ru": "абвгдежзиклмнопрст"}
_WORDS = 20_000
_BYTES_A_RECORD = 3_000  # of all files that lie side by side, generously
STEPS = ("jsonl to folder", "folder to parquet", "parquet to jsonl.gz", "mmarco to folder", "stats")


def run(
    quick: bool,
    work: Path | None = None,
    sizes: Sequence[int] | None = None,
    steps: Sequence[str] = STEPS,
) -> Report:
    """Measure every step at every size; with `quick`, at two small ones.

    Args:
        quick: whether to go through the motions only.
        work: where the temporary folders are made; the system's temporary folder if left out.
        sizes: numbers of records.
        steps: of `STEPS`, in that order.
    """
    records: list[dict[str, Any]] = []
    notes = []
    with tempfile.TemporaryDirectory(prefix="isogloss-data-", dir=work) as temporary:
        for size in sizes or (QUICK_SIZES if quick else SIZES):
            if size * _BYTES_A_RECORD > shutil.disk_usage(temporary).free:
                notes.append(
                    f"{size:,} records: not run: they need {size * _BYTES_A_RECORD / 1e9:.0f} GB in --work"
                )
                continue
            folder = Path(temporary) / str(size)
            folder.mkdir()
            write_corpus(folder / "corpus.jsonl", size)
            write_mmarco(folder / "mmarco", size)
            for step in steps:
                found = _measured(step, folder)
                records.append({"records": size, "step": step, **found})
                print(json.dumps(records[-1]), file=sys.stderr, flush=True)
            check(folder)
            shutil.rmtree(folder)
    return report(records, notes)


def report(records: Sequence[dict[str, Any]], notes: Sequence[str] = ()) -> Report:
    """Put the measurements of all sizes into a report."""
    rows = [
        (
            f"{one['records']:,}",
            one["step"],
            one["seconds"],
            one["processor_s"],
            round(one["records"] / one["processor_s"]),
            round(one["peak_mib"]),
            round(one["anonymous_mib"]),
        )
        for one in records
    ]
    return Report(
        name="data_scale",
        title=f"Converting and counting synthetic records in {len(LANGUAGES)} languages, one core",
        columns=(
            "records",
            "step",
            "seconds",
            "of the processor",
            "records/s of it",
            "peak RSS, +MiB",
            "of it anonymous",
        ),
        rows=tuple(rows),
        notes=("the versions written are those read", *notes),
        words=2,
        measured={"records": list(records)},
        plot=lambda figure: _draw(figure, records),
    )


def write_corpus(path: Path, count: int) -> None:
    """Write a JSONL corpus of so many records, an item in all languages after the other."""
    with path.open("w", encoding="utf-8") as file:
        for number, texts in enumerate(_texts(count)):
            item, language = divmod(number, len(LANGUAGES))
            query, passage = texts(LANGUAGES[language])
            record = {
                "id": f"item-{item}",
                "language": LANGUAGES[language],
                "query": query,
                "passage": passage,
                "dataset": "synthetic",
            }
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def write_mmarco(folder: Path, count: int) -> None:
    """Write files in mMARCO's form for so many records in two languages, half of them triples of either."""
    folder.mkdir()
    triples = max(count // 2, 1)
    passages, queries = max(triples // 4, 2), max(triples // 40, 1)
    for name, code in (("english", "en"), ("german", "de")):
        with (folder / f"{name}_collection.tsv").open("w", encoding="utf-8") as file:
            for number, texts in enumerate(_texts(passages)):
                file.write(f"{number}\t{texts(code)[1]}\n")
        with (folder / f"{name}_queries.train.tsv").open("w", encoding="utf-8") as file:
            for number, texts in enumerate(_texts(queries)):
                file.write(f"{number}\t{texts(code)[0]}\n")
    random = np.random.default_rng(1)
    with (folder / "triples.train.ids.small.tsv").open("w", encoding="utf-8") as file:
        for start in range(0, triples, 100_000):
            size = min(100_000, triples - start)
            drawn = zip(
                *(random.integers(0, most, size).tolist() for most in (queries, passages, passages)),
                strict=True,
            )
            file.writelines(f"{query}\t{passage}\t{negative}\n" for query, passage, negative in drawn)


def check(folder: Path) -> None:
    """Hold what the steps wrote, as far as they were taken, against what they read.

    Raises:
        AssertionError: they differ.
    """
    from isogloss.corpus import ParallelCorpus
    from isogloss.corpus.streaming import stream_versions

    names = ("corpus.jsonl", "corpus", "corpus.parquet", "again.jsonl.gz")
    written = [folder / name for name in names if (folder / name).exists()]
    for versions in zip(*map(stream_versions, written), strict=True):
        assert len(set(versions)) == 1, f"{folder}: {versions[0].id} differs"
    if not (folder / "mmarco-corpus").exists():
        return
    corpus = ParallelCorpus.open(folder / "mmarco-corpus")
    lines = (folder / "mmarco" / "triples.train.ids.small.tsv").read_bytes().count(b"\n")
    assert len(corpus) == lines, f"{folder}: {len(corpus)} items of {lines} triples"


def step(name: str, folder: Path) -> None:
    """Carry out one of `STEPS`."""
    from isogloss.corpus.published.formats import Reading, ReadOptions, open_published
    from isogloss.corpus.statistics import corpus_statistics
    from isogloss.corpus.streaming import copy_versions, open_stream

    if name == "stats":
        corpus_statistics([open_stream(folder / "corpus")])
    elif name == "mmarco to folder":
        with Reading(ReadOptions()) as reading:
            copy_versions(open_published(folder / "mmarco", "mmarco", reading), folder / "mmarco-corpus")
    else:
        source, target = {
            "jsonl to folder": ("corpus.jsonl", "corpus"),
            "folder to parquet": ("corpus", "corpus.parquet"),
            "parquet to jsonl.gz": ("corpus.parquet", "again.jsonl.gz"),
        }[name]
        copy_versions(open_stream(folder / source), folder / target)


def measure(name: str, folder: Path) -> dict[str, float]:
    """Carry out a step in this process and measure it; imports are not counted."""
    step_imports()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    before, anonymous_before = _memory("VmRSS"), _memory("RssAnon")
    peak = [0.0]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            peak[0] = max(peak[0], _memory("RssAnon"))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    began, processor_began = time.perf_counter(), time.process_time()
    step(name, folder)
    seconds, processor = time.perf_counter() - began, time.process_time() - processor_began
    ended.set()
    watcher.join()
    return {
        "seconds": seconds,
        "processor_s": processor,
        "peak_mib": _memory("VmHWM") - before,
        "anonymous_mib": max(peak[0], _memory("RssAnon")) - anonymous_before,
    }


def step_imports() -> None:
    """Import what the steps import."""
    import isogloss.corpus.published.formats
    import isogloss.corpus.statistics
    import isogloss.corpus.streaming  # noqa: F401


def _texts(count: int) -> Iterator[Callable[[str], tuple[str, str]]]:
    """For each record a function from a language to a query of 8 and a passage of 50 words, new in each record."""
    random = np.random.default_rng(0)
    vocabularies = {
        language: [
            "".join(word)
            for word in random.choice(list(_LETTERS.get(language, "abcdefghijklmnoprstuvw")), (_WORDS, 6))
        ]
        for language in LANGUAGES
    }
    for start in range(0, count, 1000):
        drawn = random.integers(0, _WORDS, (min(1000, count - start), 58)).tolist()
        for numbers in drawn:

            def texts(language: str, numbers: list[int] = numbers) -> tuple[str, str]:
                words = [vocabularies[language][number] for number in numbers]
                return " ".join(words[:8]), " ".join(words[8:])

            yield texts


def _measured(name: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.data_scale", "--measure", name, "--work", str(folder)]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(result.stdout)
    return found


def _memory(key: str) -> float:
    """A figure of this process's memory in MiB."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[key].split()[0]) / 1024


def _draw(figure: Any, records: Sequence[dict[str, Any]]) -> None:
    """Draw records a second and anonymous memory over the number of records."""
    rates, memory = figure.subplots(1, 2)
    for name in STEPS:
        of_step = [one for one in records if one["step"] == name]
        sizes = [one["records"] for one in of_step]
        rates.plot(sizes, [one["records"] / one["processor_s"] for one in of_step], marker="o", label=name)
        memory.plot(sizes, [one["anonymous_mib"] for one in of_step], marker="o", label=name)
    rates.set(xscale="log", xlabel="records", ylabel="records a second of the processor", ylim=(0, None))
    memory.set(xscale="log", xlabel="records", ylabel="peak anonymous memory, MiB", ylim=(0, None))
    rates.legend(fontsize=7)


def main() -> None:
    """Run the benchmark, or measure one step in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--records", type=int, nargs="*", help="numbers of records")
    parser.add_argument("--steps", nargs="*", choices=STEPS, default=STEPS, help="default: all")
    parser.add_argument("--work", type=Path, help="where the temporary files are written")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measure(chosen.measure, chosen.work)))
        return
    print(run(chosen.quick, chosen.work, chosen.records, chosen.steps).as_markdown())


if __name__ == "__main__":
    main()
