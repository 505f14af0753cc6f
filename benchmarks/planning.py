"""What planning costs from 40 thousand to 40 million items: the first batch, memory, pairs a second, texts a second.

Every size is measured in a process of its own, on one core; the corpora are written to a temporary folder (at most
25 GB at a time) and removed; sizes for which there is no room are left out. Before anything is timed, batches from
the opened folder are held against batches from plain arrays.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import Report, Spread

SIZES = (40_000, 400_000, 4_000_000, 40_000_000)
QUICK_SIZES = (4_000, 40_000)
KINDS = {"parallel": False, "gaps": True}
_KIND_NAMES = {"parallel": "fully parallel", "gaps": "60 % parallel, rest random"}
BATCH_SIZE = 100


def run(quick: bool, work: Path | None = None) -> Report:
    """Measure planning at every size; with `quick`, at two small ones.

    Args:
        quick: Whether to go through the motions only.
        work: Where the temporary folders are made; the system's temporary folder if left out.
    """
    from benchmarks.synthetic_corpus import disk_needed, free_space, write_synthetic_corpus

    sizes = QUICK_SIZES if quick else SIZES
    records: list[dict[str, Any]] = []
    notes = []
    with tempfile.TemporaryDirectory(prefix="isogloss-planning-", dir=work) as temporary:
        for items in sizes:
            if disk_needed(items) > free_space(Path(temporary)):
                notes.append(
                    f"{items:,} items: not run: they need {disk_needed(items) / 1e9:.0f} GB of disk in --work"
                )
                continue
            for kind, gaps in KINDS.items():
                folder = Path(temporary) / f"{kind}-{items}"
                began = time.perf_counter()
                write_synthetic_corpus(folder, items, gaps=gaps)
                record: dict[str, Any] = {"items": items, "kind": kind}
                record["written_s"] = time.perf_counter() - began
                record["bytes"] = sum(file.stat().st_size for file in folder.iterdir())
                if len(records) < len(KINDS):
                    check_batches(folder)
                # Cold: the files were pushed out of the page cache. Measured first, while nothing has read them.
                _drop_from_cache(folder)
                record["cold"] = _measured(folder, seconds=0.0)
                record["warm"] = _measured(folder, seconds=0.1 if quick else 1.0)
                records.append(record)
                print(json.dumps(record), file=sys.stderr, flush=True)
                for file in folder.iterdir():
                    file.unlink()
    return report(records, notes)


def report(records: Sequence[dict[str, Any]], notes: Sequence[str]) -> Report:
    """Put the records of all sizes and kinds, with the keys of `measure`, into a report."""
    rows = []
    for record in records:
        warm = record["warm"]
        rows.append(
            (
                f"{record['items']:,}",
                _KIND_NAMES[record["kind"]],
                record["cold"]["first_batch_s"],
                warm["first_batch_s"],
                warm["first_rss_mib"],
                warm["first_anonymous_mib"],
                Spread.over(warm["pairs_per_s"]),
                warm["planned_rss_mib"],
                warm["planned_anonymous_mib"],
                Spread.over(warm["held_out_pairs_per_s"]),
                Spread.over(warm["texts_per_s"]),
            )
        )
    return Report(
        name="planning",
        title=f"Planning hybrid batches of {BATCH_SIZE} pairs in 7 languages",
        columns=(
            "items", "corpus", "first batch cold, s", "warm, s", "RSS +MiB", "of it anonymous",
            "planned pairs/s", "RSS +MiB after", "of it anonymous after", "one language held out, pairs/s", "texts/s",
        ),
        rows=tuple(rows),
        notes=("one core; batches from the folder are those from plain arrays", *notes),
        words=2,
        measured={"records": list(records)},
        plot=lambda figure: _draw(figure, records),
    )  # fmt: skip


def _draw(figure: Any, records: Sequence[dict[str, Any]]) -> None:
    """Draw the cost of a pair and of the first batch over the number of items."""
    pairs, first = figure.subplots(1, 2)
    for kind, name in _KIND_NAMES.items():
        of_kind = [record for record in records if record["kind"] == kind]
        items = [record["items"] for record in of_kind]
        costs = [Spread.over([1e6 / rate for rate in record["warm"]["pairs_per_s"]]) for record in of_kind]
        errors = [[cost.median - cost.low for cost in costs], [cost.high - cost.median for cost in costs]]
        pairs.errorbar(items, [cost.median for cost in costs], errors, marker="o", capsize=3, label=name)
        for state, style in (("cold", "--"), ("warm", "-")):
            seconds = [record[state]["first_batch_s"] for record in of_kind]
            first.plot(items, seconds, style, marker="o", label=f"{name}, {state}")
    pairs.axhline(5, color="grey", linestyle=":", label="200,000 pairs/s")
    pairs.set(xscale="log", xlabel="items", ylabel="microseconds a planned pair", ylim=(0, 7))
    first.axhline(2, color="grey", linestyle=":", label="2 s")
    first.set(xscale="log", yscale="log", xlabel="items", ylabel="seconds to the first batch")
    for axes in (pairs, first):
        axes.legend(fontsize=7)


def check_batches(folder: Path) -> None:
    """Hold batches from an opened folder against batches from plain arrays, made from its texts alone.

    Raises:
        AssertionError: they differ, or a pair's texts are not the item's.
    """
    from isogloss.batching import BatchPlanner, Plan, PlanningData
    from isogloss.corpus import ParallelCorpus
    from isogloss.training.pair_texts import PairDataset, planning_data

    opened = ParallelCorpus.open(folder)
    plain = ParallelCorpus.from_table(opened.table, name="plain")
    texts = PairDataset([opened])
    for plan in (Plan("hybrid"), Plan("hybrid", held_out_languages=("hi",)), Plan("x-x")):
        arrays = PlanningData("plain", plain.languages, plain.available, plain.groups)
        mapped, made = (BatchPlanner([data], plan, BATCH_SIZE, 1) for data in (planning_data(opened), arrays))
        for step in range(20):
            pairs = mapped.batch(step).pairs
            assert pairs.tolist() == made.batch(step).pairs.tolist(), f"{folder}: step {step} differs"
            for pair, item, query, passage in zip(pairs.tolist(), *mapped.space.decode(pairs), strict=True):
                number = item - 50 * (item % 100 == 99)
                query, passage = mapped.space.languages[query], mapped.space.languages[passage]
                found = texts[pair]
                expected = (f"q {number:08d} {query}", f"p {number:08d} {passage}")
                assert (found.query, found.passage) == expected, f"{folder}: pair {pair} has other texts"


def measure(folder: Path, seconds: float) -> dict[str, Any]:
    """Open a corpus, plan and look texts up, in this process; imports are not counted.

    Args:
        folder: The corpus folder.
        seconds: Time for each of the five repeats of a rate; 0 to stop after the first batch.

    Returns:
        `open_s`, `first_batch_s` (opening, making the planner and the first batch together), growth of the memory in
        MiB up to the first batch (`first_rss_mib`, its peak `first_peak_mib`, `first_anonymous_mib`) and after all
        planning (`planned_...`), and lists of five rates: `pairs_per_s` (hybrid), `held_out_pairs_per_s` (hybrid
        with a language held out), `texts_per_s`.
    """
    from isogloss.batching import BatchPlanner, Plan
    from isogloss.corpus import ParallelCorpus
    from isogloss.training.pair_texts import PairDataset, planning_data

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    before = _memory()
    began = time.perf_counter()
    corpus = ParallelCorpus.open(folder)
    opened = time.perf_counter()
    planner = BatchPlanner([planning_data(corpus)], Plan("hybrid"), BATCH_SIZE, 1)
    planner.batch(0)
    first = time.perf_counter()
    found: dict[str, Any] = {"open_s": opened - began, "first_batch_s": first - began}
    found |= _growth("first", before)
    if not seconds:
        return found

    def rate(planner: BatchPlanner, start: int) -> float:
        """Pairs planned a second, steps that were not planned before."""
        began, step = time.perf_counter(), start
        while time.perf_counter() - began < seconds:
            for _ in range(20):
                planner.batch(step)
                step += 1
        return (step - start) * BATCH_SIZE / (time.perf_counter() - began)

    found["pairs_per_s"] = [rate(planner, repeat << 32) for repeat in range(5)]
    found |= _growth("planned", before)
    held_out = BatchPlanner(
        [planning_data(corpus)], Plan("hybrid", held_out_languages=("hi",)), BATCH_SIZE, 1
    )
    found["held_out_pairs_per_s"] = [rate(held_out, repeat << 32) for repeat in range(5)]
    found |= _growth("held_out", before)
    texts = PairDataset([corpus])
    found["texts_per_s"] = []
    for repeat in range(5):
        began, step = time.perf_counter(), repeat << 32
        while time.perf_counter() - began < seconds:
            for pair in planner.batch(step).pairs.tolist():
                texts[pair]
            step += 1
        looked_up = 2 * BATCH_SIZE * (step - (repeat << 32))
        found["texts_per_s"].append(looked_up / (time.perf_counter() - began))
    found |= _growth("texts", before)
    return found


def _measured(folder: Path, seconds: float) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "benchmarks.planning",
        "--measure",
        str(folder),
        "--seconds",
        str(seconds),
    ]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def _memory() -> dict[str, float]:
    """Resident memory of this process in MiB: all, its peak so far, and what is no page of a file."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    keys = {"rss": "VmRSS", "peak": "VmHWM", "anonymous": "RssAnon"}
    return {name: int(lines[key].split()[0]) / 1024 for name, key in keys.items()}


def _growth(what: str, before: dict[str, float]) -> dict[str, float]:
    now = _memory()
    return {
        f"{what}_rss_mib": now["rss"] - before["rss"],
        f"{what}_peak_mib": now["peak"] - before["rss"],
        f"{what}_anonymous_mib": now["anonymous"] - before["anonymous"],
    }


def _drop_from_cache(folder: Path) -> None:
    for file in folder.iterdir():
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def main() -> None:
    """Run the benchmark, or measure one folder in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--work", type=Path, help="where the temporary corpora are written")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=1.0, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measure(chosen.measure, chosen.seconds)))
        return
    print(run(chosen.quick, chosen.work).as_markdown())


if __name__ == "__main__":
    main()
