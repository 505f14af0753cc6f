import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus import ParallelCorpus, check_corpus, spilling, write_jsonl
from isogloss.corpus.checking import PERCENTILES
from isogloss.corpus.statistics import Lengths, corpus_statistics
from isogloss.corpus.streaming import open_stream
from isogloss.errors import CorpusError
from tests.corpus.making import record, records


@given(st.lists(st.integers(0, 40), min_size=1, max_size=300))
def test_percentiles_are_those_of_the_lengths_written_out(lengths):
    counted = Lengths()
    counted.counts.update(lengths)
    expected = np.percentile(lengths, PERCENTILES, method="nearest").astype(int)
    assert counted.percentiles() == tuple(expected.tolist())
    assert (counted.texts, counted.total) == (len(lengths), sum(lengths))


@pytest.mark.parametrize("spilled", [False, True])
def test_data_sets_languages_and_items_are_counted(tmp_path, monkeypatch, spilled):
    if spilled:
        monkeypatch.setattr(spilling, "_BUFFER_BYTES", 50)
        monkeypatch.setattr("isogloss.corpus.statistics._VERSIONS_AT_ONCE", 2)
    one = [*records(5), record("only", "en", dataset="faq"), record("item0", "en", dataset="faq")]
    one[0]["negatives"] = ["a", "b"]
    # The id of an item of another data set is another item, and so is that of another corpus.
    two = [record("item0", "fr", "query", "passage"), record("item0", "de", "q", "p")]
    for name, several in (("one", one), ("two", two)):
        text = "".join(json.dumps(each) + "\n" for each in several if each != one[-1])
        (tmp_path / f"{name}.jsonl").write_text(text)
    streams = [open_stream(tmp_path / f"{name}.jsonl") for name in ("one", "two")]
    counts = []
    found = corpus_statistics(streams, lambda texts: [len(text.split()) for text in texts], counts.append)
    assert counts[-1] == 18
    assert found.languages == ("de", "en", "fr", "ru")
    assert found.items == {"one": 5, "faq": 1, "two": 1}
    assert found.parallel == {"one": 5, "faq": 0, "two": 1}
    assert {
        name: {language: cell.versions for language, cell in cells.items()}
        for name, cells in found.cells.items()
    } == {
        "one": {"de": 5, "en": 5, "ru": 5},
        "faq": {"en": 1},
        "two": {"de": 1, "fr": 1},
    }
    assert found.cells["one"]["de"].negatives == 2
    assert found.cells["two"]["fr"].characters["passage"].percentiles() == (7,) * 7
    assert found.cells["one"]["ru"].tokens["query"].total == 15
    assert found.lengths("de", "query", "characters").total == 5 * len("query item0 de") + 1


def test_lengths_are_those_that_the_check_finds(tmp_path):
    report = check_corpus("sample:train")
    found = corpus_statistics([open_stream("sample:train")])
    for side in ("query", "passage"):
        for language in report.languages:
            assert found.lengths(language, side, "characters").percentiles() == report.lengths[side][language]
    assert not found.counted_tokens


def test_a_broken_record_stops_the_count(tmp_path):
    write_jsonl(ParallelCorpus.from_records(records(), name="x"), tmp_path / "a.jsonl")
    with (tmp_path / "a.jsonl").open("a") as file:
        file.write("nonsense\n")
    with pytest.raises(CorpusError, match=r"a.jsonl:10: bad JSON"):
        corpus_statistics([open_stream(tmp_path / "a.jsonl")])
