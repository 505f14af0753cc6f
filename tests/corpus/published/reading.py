"""Read a published form's fixture, packed as it is published."""

import gzip
import shutil
from pathlib import Path

from isogloss.corpus.published.formats import Reading, ReadOptions, open_published, published_source
from isogloss.corpus.records import Defect

FIXTURES = Path(__file__).parent / "fixtures"

# What is published gzipped lies here plain, to be read by people.
PACKED = (
    "v1.0-simplified_simplified-nq-train.jsonl",
    "docs-0.jsonl",
    "docs-1.jsonl",
    "docs.jsonl",
    "train.jsonl of mr-tydi-hub",
    "test.jsonl of mr-tydi-hub",
    "mkqa.jsonl",
    "tydiqa-v1.0-train.jsonl",
    "qidpidtriples.train.full.2.tsv",
)


def fixture(folder, name):
    """A copy of a fixture in a folder, with the files gzipped that are published so."""
    copy = folder / name
    shutil.copytree(FIXTURES / name, copy)
    for path in [each for each in copy.rglob("*") if each.is_file()]:
        if path.name in PACKED or f"{path.name} of {name}" in PACKED:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    return copy


def versions(source, form, **options):
    """The versions, and what was skipped."""
    with Reading(ReadOptions(**options)) as reading:
        found = [version for _, version in open_published(Path(source), form, reading).placed]
        done, total = reading.progress()
        assert str(source).startswith("hf:") or done == total > 0
    return found, dict(reading.skipped)


def records(source, form, **options):
    """(id, language, query, passage) of each version."""
    return [(one.id, one.language, one.query, one.passage) for one in versions(source, form, **options)[0]]


def defects(source, form, **options):
    """The messages of what is wrong, with their places."""
    with Reading(ReadOptions(**options)) as reading:
        opened = published_source(source, form, reading)
        return [
            f"{opened.describe(place)}: {record.message}"
            for place, record in opened.records
            if isinstance(record, Defect)
        ]
