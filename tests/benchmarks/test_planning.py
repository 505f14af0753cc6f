"""The planning benchmark at 200 thousand items: what it checks, and what planning touches of the files."""

import json
import subprocess
import sys

import pytest

from benchmarks import planning, synthetic_corpus
from benchmarks.synthetic_corpus import write_synthetic_corpus
from isogloss.corpus import check_corpus

ITEMS = 200_000


@pytest.fixture(scope="module", params=["parallel", "gaps"])
def folder(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("synthetic") / "corpus"
    write_synthetic_corpus(path, ITEMS, gaps=request.param == "gaps")
    return path


def test_a_synthetic_corpus_is_a_whole_one_but_for_its_checksum(tmp_path):
    for gaps in (False, True):
        write_synthetic_corpus(tmp_path / str(gaps), 3000, gaps=gaps)
        problems = {problem.kind for problem in check_corpus(tmp_path / str(gaps)).problems}
        assert problems == ({"checksum", "single-language"} if gaps else {"checksum"})
        planning.check_batches(tmp_path / str(gaps))


RESIDENT = """
import json, re, sys
from pathlib import Path
from isogloss.batching import BatchPlanner, Plan
from isogloss.corpus import ParallelCorpus
from isogloss.training.pair_texts import PairDataset, planning_data
corpus = ParallelCorpus.open(sys.argv[1])
for plan in (Plan("hybrid"), Plan("hybrid", held_out_languages=("hi",))):
    planner = BatchPlanner([planning_data(corpus)], plan, 100, 1)
    for step in range(50):
        planner.batch(step)
pairs = PairDataset([corpus])
resident = {}
for block in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", Path("/proc/self/smaps").read_text(), flags=re.M):
    if sys.argv[1] in block:
        name = Path(block.splitlines()[0].split()[-1]).name
        kilobytes = int(re.search(r"^Rss: *(\\d+) kB", block, re.M)[1])
        resident[name] = resident.get(name, 0) + kilobytes
print(json.dumps(resident))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_planning_touches_neither_texts_nor_rows(folder):
    command = [sys.executable, "-c", RESIDENT, str(folder)]
    resident = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    # Opening reads the start and the end of a file; the system maps 64 KB around each page that is read.
    assert resident.pop("rows.npy") <= 128
    assert resident.pop("versions.arrow") <= 256
    assert sum(resident.values()) <= 2.2 * ITEMS / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_the_first_batch_needs_no_memory_an_item(folder):
    found = planning._measured(folder, seconds=0.0)
    assert found["first_anonymous_mib"] < 2
    assert found["first_rss_mib"] < 6
    assert found["first_batch_s"] < 2


def test_the_report_has_a_row_for_each_corpus_and_size(tmp_path, monkeypatch):
    monkeypatch.setattr(planning, "QUICK_SIZES", (500,))
    work = tmp_path / "work"
    work.mkdir()
    report = planning.run(quick=True, work=work)
    assert not list(work.iterdir())
    assert [row[:2] for row in report.rows] == [
        ("500", "fully parallel"),
        ("500", "60 % parallel, rest random"),
    ]
    assert len(report.measured["records"]) == 2
    pytest.importorskip("matplotlib")
    report.write(tmp_path)
    assert "microseconds a planned pair" in (tmp_path / "planning.svg").read_text()


def test_a_size_without_room_on_disk_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic_corpus, "free_space", lambda _: 0)
    report = planning.run(quick=True, work=tmp_path)
    assert report.rows == ()
    assert "4,000 items: not run: they need" in report.as_markdown()
