import gzip

import pytest

from isogloss.corpus import spilling
from isogloss.corpus.published import text_table
from isogloss.corpus.published.reading import Reading, ReadOptions
from isogloss.corpus.published.text_table import TextTable

LINES = [f"{number}\ttext {number} é".encode() for number in range(500)]


def tab(line):
    name, found, _ = line.partition(b"\t")
    if not found:
        raise ValueError("no tab")
    return name


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("spilled", [False, True])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_lines_are_found_by_their_ids(tmp_path, monkeypatch, packed, spilled, end):
    if spilled:
        monkeypatch.setattr(spilling, "_BUFFER_BYTES", 100)
        monkeypatch.setattr(text_table, "_ENTRIES_AT_ONCE", 7)
    content = b"\xef\xbb\xbf" + end.join([*LINES[:250], b"", *LINES[250:]])
    for name, part in (("a.tsv", content), ("b.tsv", b"x\ty" + end)):
        (tmp_path / name).write_bytes(gzip.compress(part) if packed else part)
        if packed:
            (tmp_path / name).rename(tmp_path / f"{name}.gz")
    with Reading(ReadOptions()) as reading:
        table = TextTable(reading, tab)
        for path in sorted(tmp_path.iterdir()):
            assert list(table.add(path)) == []
        table.close()
        assert len(table) == 501
        assert table.find([b"499", b"0", b"x", b"7", b"nowhere"]) == [
            LINES[499],
            LINES[0],
            b"x\ty",
            LINES[7],
            None,
        ]
        assert table.find([]) == []


def test_only_what_is_wanted_is_kept_and_the_first_of_an_id_counts(tmp_path):
    (tmp_path / "a.tsv").write_bytes(b"1\tone\n2\ttwo\n1\tagain\nbroken\n")
    with Reading(ReadOptions()) as reading:
        table = TextTable(reading, tab, {b"1", b"9"})
        ((place, defect),) = table.add(tmp_path / "a.tsv")
        table.close()
        assert (reading.describe(place), defect.message) == (f"{tmp_path}/a.tsv:4", "no tab")
        assert len(table) == 2
        assert table.find([b"1", b"2"]) == [b"1\tone", None]


def test_ids_of_one_key_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(text_table, "_key", lambda name: 5)
    (tmp_path / "a.tsv").write_bytes(b"1\tone\n2\ttwo\n")
    with Reading(ReadOptions()) as reading:
        table = TextTable(reading, tab)
        assert list(table.add(tmp_path / "a.tsv")) == []
        table.close()
        assert table.find([b"2", b"1", b"3"]) == [b"2\ttwo", b"1\tone", None]
