"""What planning costs from 40 thousand to 40 million items: the first batch, memory, pairs a second, texts a second.

`python -m benchmarks.planning --output FOLDER` writes planning.json, planning.md and planning.svg. Every size is
measured in a process of its own, on one core; the corpora are written to a temporary folder (at most 25 GB at a time)
and removed. Before anything is timed, batches from the opened folder are held against batches from plain arrays.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIZES = (40_000, 400_000, 4_000_000, 40_000_000)
QUICK_SIZES = (4_000, 40_000)
KINDS = {"parallel": False, "gaps": True}
BATCH_SIZE = 100
_MIB = 1 << 20


@dataclass(frozen=True)
class PlanningReport:
    """What was measured, a record for each kind of corpus and size; see `measure` for the keys."""

    machine: str
    records: list[dict[str, Any]]

    def as_json(self) -> str:
        """Everything, as JSON."""
        return json.dumps({"machine": self.machine, "records": self.records}, indent=2) + "\n"

    def as_markdown(self) -> str:
        """The table."""
        head = (
            "items", "corpus", "first batch cold, s", "warm, s", "RSS +MB", "of it anonymous",
            "planned pairs/s", "RSS +MB after", "of it anonymous", "one language held out, pairs/s", "texts/s",
        )  # fmt: skip
        lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
        for record in self.records:
            warm = record["warm"]
            cells = (
                f"{record['items']:,}",
                record["kind"],
                f"{record['cold']['first_batch_s']:.3f}",
                f"{warm['first_batch_s']:.3f}",
                f"{warm['first_rss_mib']:.0f}",
                f"{warm['first_anonymous_mib']:.0f}",
                _spread(warm["pairs_per_s"]),
                f"{warm['planned_rss_mib']:.0f}",
                f"{warm['planned_anonymous_mib']:.0f}",
                _spread(warm["held_out_pairs_per_s"]),
                _spread(warm["texts_per_s"]),
            )
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines) + "\n"

    def draw(self, path: Path) -> None:
        """Draw the cost of a pair and of the first batch over the number of items."""
        import matplotlib as mpl

        mpl.use("svg")
        mpl.rcParams["svg.hashsalt"] = "planning"  # the same figures give the same file
        from matplotlib import pyplot as plt

        figure, (pairs, first) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
        for kind in KINDS:
            records = [record for record in self.records if record["kind"] == kind]
            items = [record["items"] for record in records]
            costs = [[1e6 / rate for rate in record["warm"]["pairs_per_s"]] for record in records]
            middle = [statistics.median(cost) for cost in costs]
            errors = [
                [mid - min(cost) for mid, cost in zip(middle, costs, strict=True)],
                [max(cost) - mid for mid, cost in zip(middle, costs, strict=True)],
            ]
            pairs.errorbar(items, middle, errors, marker="o", capsize=3, label=_KIND_NAMES[kind])
            for state, style in (("cold", "--"), ("warm", "-")):
                seconds = [record[state]["first_batch_s"] for record in records]
                first.plot(items, seconds, style, marker="o", label=f"{_KIND_NAMES[kind]}, {state}")
        pairs.axhline(5, color="grey", linestyle=":", label="200,000 pairs/s")
        pairs.set(xscale="log", xlabel="items", ylabel="microseconds a planned pair", ylim=(0, 7))
        first.axhline(2, color="grey", linestyle=":", label="2 s")
        first.set(xscale="log", yscale="log", xlabel="items", ylabel="seconds to the first batch")
        for axes in (pairs, first):
            axes.legend(fontsize=7)
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


_KIND_NAMES = {"parallel": "fully parallel", "gaps": "60 % parallel, rest random"}


def run(quick: bool, work: Path | None = None) -> PlanningReport:
    """Measure planning at every size; with `quick`, at two small ones.

    Args:
        quick: Whether to go through the motions only.
        work: Where the temporary folders are made; the system's temporary folder if left out.
    """
    from benchmarks.synthetic_corpus import disk_needed, free_space, write_synthetic_corpus

    sizes = QUICK_SIZES if quick else SIZES
    records = []
    with tempfile.TemporaryDirectory(prefix="isogloss-planning-", dir=work) as temporary:
        for items in sizes:
            if disk_needed(items) > free_space(Path(temporary)):
                sys.exit(
                    f"{temporary}: {items:,} items need {disk_needed(items):,} bytes; choose another --work"
                )
            for kind, gaps in KINDS.items():
                folder = Path(temporary) / f"{kind}-{items}"
                began = time.perf_counter()
                write_synthetic_corpus(folder, items, gaps=gaps)
                record: dict[str, Any] = {"items": items, "kind": kind}
                record["written_s"] = time.perf_counter() - began
                record["bytes"] = sum(file.stat().st_size for file in folder.iterdir())
                if items == sizes[0]:
                    check_batches(folder)
                # Cold: the files were pushed out of the page cache. Measured first, while nothing has read them.
                _drop_from_cache(folder)
                record["cold"] = _measured(folder, seconds=0.0)
                record["warm"] = _measured(folder, seconds=0.1 if quick else 1.0)
                records.append(record)
                print(json.dumps(record), file=sys.stderr, flush=True)
                for file in folder.iterdir():
                    file.unlink()
    return PlanningReport(_machine(), records)


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


def _spread(rates: list[float]) -> str:
    return f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"


def _machine() -> str:
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _MIB / 1024
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB; one core used"


def main() -> None:
    """Run the benchmark, or measure one folder in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--work", type=Path, help="where the temporary corpora are written")
    parser.add_argument("--output", type=Path, default=Path("benchmark-results"))
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=1.0, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measure(chosen.measure, chosen.seconds)))
        return
    report = run(chosen.quick, chosen.work)
    chosen.output.mkdir(parents=True, exist_ok=True)
    (chosen.output / "planning.json").write_text(report.as_json(), encoding="utf-8")
    (chosen.output / "planning.md").write_text(report.as_markdown(), encoding="utf-8")
    report.draw(chosen.output / "planning.svg")
    print(report.machine)
    print(report.as_markdown())


if __name__ == "__main__":
    main()
