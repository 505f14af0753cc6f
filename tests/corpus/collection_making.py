"""Small collections in the forms that MIRACL and BEIR have."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

WORDS = "water fire earth wood gold sun moon man big small".split()


def passage(number: int, key: str = "docid", **more) -> dict:
    """A passage about a number; title and text both tell something of it."""
    return {
        key: f"{number // 3}#{number % 3}",
        "title": f"{WORDS[number % 10]} {number % 7}",
        "text": f"this is {WORDS[number // 2 % 10]} {number}.",
        **more,
    }


def write_lines(path: Path, records) -> Path:
    """Write JSON Lines, gzipped where the name ends so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    return path


def write_text(path: Path, text: str) -> Path:
    """Write a text file, its folder too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def query(number: int) -> str:
    """What passage `number` answers."""
    return f"what is {WORDS[number // 2 % 10]} {number}?"


def qrels(passages: int, queries: int, form: str = "trec") -> str:
    """Each query has a relevant passage, a more and a not relevant one."""
    lines = ["query-id\tcorpus-id\tscore"] if form == "beir" else []
    for number in range(queries):
        for other, grade in ((number, 2), ((number * 5 + 1) % passages, 1), ((number * 3 + 2) % passages, 0)):
            name = passage(other)["docid"]
            if all(f"\t{name}\t" not in line for line in lines if line.startswith(f"q{number}\t")):
                lines.append(
                    f"q{number}\tQ0\t{name}\t{grade}" if form == "trec" else f"q{number}\t{name}\t{grade}"
                )
    return "\n".join(lines) + "\n"


def topics(queries: int) -> str:
    """Queries in MIRACL's form."""
    return "".join(f"q{number}\t{query(number)}\n" for number in range(queries))


def make_miracl(folder: Path, languages=("sw", "yo"), passages: int = 50, queries: int = 12) -> Path:
    """MIRACL as its two repositories have it; two shards a language, and training qrels beside."""
    for language in languages:
        corpus = folder / "miracl-corpus" / f"miracl-corpus-v1.0-{language}"
        half = passages // 2
        write_lines(corpus / "docs-0.jsonl.gz", map(passage, range(half)))
        write_lines(corpus / "docs-1.jsonl.gz", map(passage, range(half, passages)))
        judged = folder / "miracl" / f"miracl-v1.0-{language}"
        for split in ("train", "dev"):
            name = f"miracl-v1.0-{language}-{split}.tsv"
            write_text(judged / "topics" / f"topics.{name}", topics(queries))
            write_text(judged / "qrels" / f"qrels.{name}", qrels(passages, queries))
        write_text(judged / "topics" / f"topics.miracl-v1.0-{language}-test-b.tsv", "x#0\tno qrels\n")
    return folder


def make_beir(folder: Path, passages: int = 50, queries: int = 12, *, form: str = "jsonl", **fields) -> Path:
    """A collection in BEIR's form, its passages as JSON Lines or Parquet."""
    records = [passage(number, "_id", **fields) for number in range(passages)]
    if form == "parquet":
        (folder / "corpus").mkdir(parents=True)
        for part in range(2):
            table = pa.Table.from_pylist(records[part::2])
            pq.write_table(table, folder / "corpus" / f"corpus-{part:05d}-of-00002.parquet")
    else:
        write_lines(folder / "corpus.jsonl", records)
    write_lines(
        folder / "queries.jsonl",
        [{"_id": f"q{number}", "text": query(number), **fields} for number in range(queries + 5)],
    )
    write_text(folder / "qrels" / "test.tsv", qrels(passages, queries, "beir"))
    return folder
