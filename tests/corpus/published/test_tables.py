import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isogloss.corpus.published import tables
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
    with pytest.raises(CorpusError, match=r"t.csv: there is no column 'x'; it has 'q', 'a'"):
        versions(tmp_path / "t.csv", "table", columns={"query": "x"})
    with pytest.raises(
        CorpusError, match=r"which column is the passage\? say it with --column passage=COLUMN"
    ):
        versions(tmp_path / "t.csv", "table", columns={"query": "q"})
    with pytest.raises(CorpusError, match="does not tell its language"):
        versions(tmp_path / "t.csv", "table", columns={"query": "q", "passage": "a"})
    (tmp_path / "t.jsonl").write_text('{"query": "q", "passage": "p"}\n{"query": "q"}\n[1]\n')
    with pytest.raises(CorpusError, match=r"t.jsonl:2: the column 'passage' is missing"):
        versions(tmp_path / "t.jsonl", "table", languages=("en",))
    (tmp_path / "t.parquet").write_bytes(b"no Parquet file")
    with pytest.raises(CorpusError, match="not a sound Parquet file"):
        versions(tmp_path / "t.parquet", "table", languages=("en",))
    (tmp_path / "t.csv").write_bytes(b"query,passage\nwhy,so\nwhy,\xff\n")
    with pytest.raises(CorpusError, match=r"t.csv:3: invalid UTF-8"):
        versions(tmp_path / "t.csv", "table", languages=("en",))


def test_a_data_set_of_the_hub(monkeypatch):
    calls = []

    def load(*arguments, **options):
        calls.append((arguments, options))
        return iter(ROWS)

    monkeypatch.setattr("huggingface_hub.dataset_info", lambda name, timeout: None)
    monkeypatch.setattr("datasets.load_dataset", load)
    found = records("hf:clips/mfaq:en_flat", "table", columns=COLUMNS, split="valid")
    assert found == [("mfaq-1", "en", "why?", "so"), ("mfaq-2", "de", "wann?", "nie")]
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
