import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isogloss.corpus.published import tables
from isogloss.corpus.published.formats import Reading, ReadOptions, open_published
from isogloss.corpus.streaming import join_streams
from isogloss.errors import CorpusError, RecipeError
from tests.corpus.published.reading import records, versions

ROWS = [
    {"q": "why?", "a": "so", "lang": "eng", "near": ["no", "never"]},
    {"q": "wann?", "a": "nie", "lang": "de"},
]
COLUMNS = {"query": "q", "passage": "a", "language": "lang"}
EXPECTED = [("t-1", "en", "why?", "so"), ("t-2", "de", "wann?", "nie")]


def test_all_kinds_of_tables(tmp_path):
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "t.parquet")
    (tmp_path / "t.tsv").write_text("q\ta\tlang\nwhy?\tso\teng\nwann?\tnie\tde\n")
    (tmp_path / "t.csv").write_bytes("\ufeffq,a,lang\r\nwhy?,so,eng\r\n\r\nwann?,nie,de\r\n".encode())
    for name in ("t.jsonl", "t.parquet", "t.tsv", "t.csv"):
        assert records(tmp_path / name, "table", columns=COLUMNS) == EXPECTED
    found, _ = versions(tmp_path / "t.parquet", "table", columns={**COLUMNS, "negatives": "near"})
    assert [one.negatives for one in found] == [("no", "never"), ()]


def test_columns_of_the_fields_names_need_no_saying(tmp_path):
    (tmp_path / "t.csv").write_text("id,query,passage,dataset\n7,why?,so,faq\n")
    (found,), _ = versions(tmp_path / "t.csv", "table", languages=("fr",))
    assert (found.id, found.language, found.query, found.dataset) == ("7", "fr", "why?", "faq")


def test_columns_that_are_not_there(tmp_path):
    (tmp_path / "t.csv").write_text("q,a\nwhy?,so\n")
    with pytest.raises(CorpusError, match=r"t.csv: there is no column 'x'; there are 'q', 'a'"):
        versions(tmp_path / "t.csv", "table", columns={"query": "x"})
    with pytest.raises(
        CorpusError,
        match=r"t.csv:2: there is no column 'passage'; there are .*say which .*--column passage=COLUMN",
    ):
        versions(tmp_path / "t.csv", "table", columns={"query": "q"})
    with pytest.raises(CorpusError, match=r"t.csv:2: does not tell its language"):
        versions(tmp_path / "t.csv", "table", columns={"query": "q", "passage": "a"})
    (tmp_path / "t.jsonl").write_text('{"query": "q", "passage": "p"}\n{"query": "q"}\n[1]\n')
    with pytest.raises(CorpusError, match=r"t.jsonl:2: there is no column 'passage'; there are 'query'"):
        versions(tmp_path / "t.jsonl", "table", languages=("en",))
    (tmp_path / "t.parquet").write_bytes(b"no Parquet file")
    with pytest.raises(CorpusError, match="not a sound Parquet file"):
        versions(tmp_path / "t.parquet", "table", languages=("en",))
    (tmp_path / "t.csv").write_bytes(b"query,passage\nwhy,so\nwhy,\xff\n")
    with pytest.raises(CorpusError, match=r"t.csv:3: invalid UTF-8"):
        versions(tmp_path / "t.csv", "table", languages=("en",))


def lines(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_each_line_of_json_is_read_by_the_columns_that_it_has(tmp_path):
    bare = {"query": "a?", "passage": "a"}
    full = {**bare, "id": "7", "language": "de", "title": "T", "negatives": ["n"], "dataset": "d", "more": 1}
    for order in ([bare, full, bare], [full, bare, full]):
        path = lines(tmp_path / "t.jsonl", *order)
        found, _ = versions(path, "table", languages=("de",))
        assert [(one.id, one.title, one.negatives, one.dataset) for one in found] == [
            ("7", "T", ("n",), "d") if row is full else (f"t-{number}", None, (), None)
            for number, row in enumerate(order, start=1)
        ]
    # Named columns likewise: one that the first line lacks, and one that a later line lacks.
    path = lines(
        tmp_path / "named.jsonl",
        {"query": "a?", "passage": "a", "heading": "H"},
        {"query": "b?", "passage": "b", "lang": "de", "wrong": "n"},
    )
    columns = {"language": "lang", "title": "heading", "negative": "wrong"}
    found, _ = versions(path, "table", languages=("de",), columns=columns)
    assert [(one.title, one.negatives) for one in found] == [("H", ()), (None, ("n",))]


def test_a_named_column_that_no_line_has(tmp_path):
    path = lines(tmp_path / "t.jsonl", {"query": "a?", "passage": "a"}, {"query": "b?", "passage": "b"})
    with pytest.raises(CorpusError, match=r"t.jsonl: --column title=titel: no row has the column 'titel'"):
        versions(path, "table", languages=("en",), columns={"title": "titel"})
    lines(path, {"q": "a?", "passage": "a"}, {"query": "b?", "passage": "b"})
    with pytest.raises(
        CorpusError, match=r"t.jsonl:2: there is no column 'q'; there are 'query', 'passage'$"
    ):
        versions(path, "table", languages=("en",), columns={"query": "q"})
    with pytest.raises(CorpusError, match=r"t.jsonl:2: there is no column 'query'; there are none; or say"):
        versions(lines(path, {"query": "a?", "passage": "a"}, {}), "table", languages=("en",))


def joined(sources, form, **options):
    with Reading(ReadOptions(**options)) as reading:
        streams = [open_published(source, form, reading) for source in sources]
        return [(one.id, one.query) for _, one in join_streams(streams).placed]


def test_rows_of_files_of_one_name_are_items_of_their_own(tmp_path):
    row = {"passage": "p"}
    for name in (
        "x/train.en.jsonl",
        "x/train.de.jsonl",
        "y/a/train.jsonl",
        "y/b/train.jsonl",
        "z/a/train.jsonl",
    ):
        lines(
            tmp_path / name,
            {**row, "query": name, "language": "de" if "de" in name or "b/" in name else "en"},
        )
    lines(tmp_path / "y" / "train.jsonl", {**row, "query": "y/train.jsonl", "language": "en"})
    (tmp_path / "y" / "train.csv").write_text("query,passage,language\ny/train.csv,p,fr\n")
    expected = {
        # What a file is called in its folder does not depend on what else is read.
        "train.de-1": "x/train.de.jsonl",
        "train.en-1": "x/train.en.jsonl",
        "a/train-1": "y/a/train.jsonl",
        "b/train-1": "y/b/train.jsonl",
        "train-1": "y/train.csv",
        # Only a name that is taken is said with more of its path.
        "y/train.jsonl-1": "y/train.jsonl",
        "z/a/train.jsonl-1": "z/a/train.jsonl",
    }
    found = joined([tmp_path / "x", tmp_path / "y", tmp_path / "z"], "table")
    assert len(found) == len(expected)
    assert dict(found) == expected
    single = joined([tmp_path / "y/a/train.jsonl", tmp_path / "y/b/train.jsonl"], "table")
    assert [name for name, _ in single] == ["train-1", "b/train.jsonl-1"]


def test_one_file_given_twice_is_not_read_as_two(tmp_path):
    path = lines(tmp_path / "t.jsonl", {"query": "a?", "passage": "p"})
    again = tmp_path / "sub" / ".." / "t.jsonl"
    (tmp_path / "sub").mkdir()
    assert [name for name, _ in joined([path, again], "table", languages=("en",))] == ["t-1", "t-1"]


def test_files_of_other_tools_are_told_apart_too(tmp_path):
    for name in ("a", "b"):
        lines(tmp_path / name / "train.jsonl", {"query": name, "pos": ["p"], "neg": []})
    folders = [tmp_path / "a", tmp_path / "b"]
    found = joined(folders, "flag-embedding", languages=("en",))
    assert found == [("train-1", "a"), ("b/train.jsonl-1", "b")]
    assert [name for name, _ in joined([tmp_path], "sentence-transformers", languages=("en",))] == [
        "a/train-1",
        "b/train-1",
    ]


def test_splits_told_by_folders(tmp_path):
    for name in ("default/train/0000", "default/train/0001", "default/validation/0000", "default/test/0000"):
        path = tmp_path / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist([{"query": f"{name}?", "passage": "p"}]), path)

    def read(source=tmp_path, **options):
        return versions(source, "table", languages=("en",), **options)

    found, skipped = read()
    assert [one.id for one in found] == ["default/train/0000-1", "default/train/0001-1"]
    assert skipped == {"files that are not of the split train; --split chooses": 2}
    assert [one.query for one in read(split="dev")[0]] == ["default/validation/0000?"]
    # An id is the same whichever other splits are read.
    assert {one.id for one in found} < {one.id for one in read(split="all")[0]}
    # Folders above the source tell nothing: it was chosen by name.
    assert [one.id for one in read(tmp_path / "default" / "test")[0]] == ["0000-1"]
    with pytest.raises(CorpusError, match=r"no file of the split 'dev'; there are 0000\.parquet"):
        read(tmp_path / "default" / "test", split="dev")


def test_a_data_set_of_the_hub(monkeypatch):
    calls = []

    def load(*arguments, **options):
        calls.append((arguments, options))
        return iter(ROWS)

    monkeypatch.setattr("huggingface_hub.dataset_info", lambda name, timeout: None)
    monkeypatch.setattr("datasets.load_dataset", load)
    found = records("hf:clips/mfaq:en_flat", "table", columns=COLUMNS, split="valid")
    # The ids say the configuration and split: those of others may be joined with them, in other languages too.
    assert found == [
        ("clips/mfaq:en_flat:valid-1", "en", "why?", "so"),
        ("clips/mfaq:en_flat:valid-2", "de", "wann?", "nie"),
    ]
    assert calls == [(("clips/mfaq", "en_flat"), {"split": "valid", "streaming": True})]


def test_the_hub_without_a_network(monkeypatch):
    def fail(*_, **__):
        raise ConnectionError("no route\nmore words")

    monkeypatch.setattr("huggingface_hub.dataset_info", fail)
    with pytest.raises(
        CorpusError, match="hf:squad: cannot be read from the hub: no route; a network is needed"
    ):
        records("hf:squad", "table", columns=COLUMNS)
    with pytest.raises(RecipeError, match="hf:NAME"):
        records("hf:", "table")

    def stop(*_, **__):
        yield ROWS[0]
        raise ConnectionError("gone")

    monkeypatch.setattr("huggingface_hub.dataset_info", lambda name, timeout: None)
    monkeypatch.setattr("datasets.load_dataset", stop)
    with pytest.raises(CorpusError, match="hf:squad: row 2: the hub stopped: gone"):
        records("hf:squad", "table", columns=COLUMNS)
    assert tables.HUB == "hf:"
