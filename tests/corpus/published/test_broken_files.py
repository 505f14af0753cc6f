"""What is wrong in a published file is named with its place, and stops nothing before it."""

import gzip
import json
import re

import pytest

from isogloss.corpus.published.formats import Reading, ReadOptions, open_published
from isogloss.errors import CorpusError
from tests.corpus.published.reading import defects, fixture, versions

ENGLISH = {"languages": ("en",)}
TABLE = {"columns": {"query": "asked", "passage": "answered", "language": "lang"}}


def replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "form", "options", "file", "old", "new", "message"),
    [
        ("mmarco", "mmarco", {}, "triples.train.ids.small.tsv", "121\t0\t7", "121\t0",
         "small.tsv:2: expected 3 tab-sep"),
        ("mmarco", "mmarco", {}, "google/collections/german_collection.tsv", "1\tTom", "1 Tom",
         "n.tsv:2: expected 2 tab"),
        ("msmarco", "msmarco", {"pairs": "qrels"}, "qrels.train.tsv", "0\t1\t1", "0",
         "qrels.train.tsv:2: expected query"),
        ("squad", "squad", {}, "train-v2.0.json", '"qas"', '"questions"',
         "element 1: not of the form of SQuAD .the field"),
        ("squad", "squad", {}, "train-v2.0.json", '"data": [', '"data": [}',
         "element 1: bad JSON in line 1: Expecting"),
        ("squad", "squad", {}, "train-v2.0.json", '"data"', '"date"', "bad JSON in line 1: there is no key 'data'"),
        ("dpr", "dpr", {}, "biencoder-nq-train.json", '"positive_ctxs"', '"ctxs"',
         "element 1: not of the form of DPR"),
        ("duorc", "duorc", {}, "SelfRC_train.json", '"plot"', '"text"',
         "element 1: not of the form of DuoRC .*'plot'"),
        ("newsqa", "newsqa", {}, "combined-newsqa-data-v1.json", '"consensus"', '"x"',
         "element 1: not of the form of News"),
        ("natural-questions", "natural-questions", {"split": "dev"}, "nq-dev-00.jsonl", '"annotations"', '"a"',
         "nq-dev-00.jsonl:1: not of the form of Natural Questions .the field 'annotations' is missing"),
        ("wikiqa", "wikiqa", {}, "WikiQA-train.tsv", "\t1\n", "\tyes\n",
         "WikiQA-train.tsv:3: expected 7 tab-separated"),
        ("wikiqa", "wikiqa", {}, "WikiQA-train.tsv", "QuestionID", "ID", "WikiQA-train.tsv:1: expected the head"),
        ("mr-tydi", "mr-tydi", {}, "mrtydi-v1.1-russian/qrels.train.txt", "26#0 1", "26#0",
         "qrels.train.txt:1: expected"),
        ("mfaq", "mfaq", {}, "data/de/train.jsonl", '"qa_pairs"', '"pairs"', "train.jsonl:1: not of the form of MFAQ"),
        ("mfaq", "mfaq", {}, "data/de/train.jsonl", '"language": "de"', '"language": "qq"',
         "1: .*'qq' is not a known"),
        ("entity-questions", "entity-questions", {}, "dataset/train/P17.train.json", '"answers"', '"a"',
         "json: element 1:"),
        ("tydiqa", "tydiqa", {}, "tydiqa-goldp-v1.1-train.json", "finnish-1-0", "klingon-1",
         "element 2: the id does not"),
        ("table", "table", TABLE, "faq.csv", ",de,", ",de", "faq.csv:4: expected 5 cells as in the head, found 4"),
        ("table", "table", TABLE, "faq.csv", '"Why ""lid"" on?"', '"Why "lid on?"', "faq.csv:2: bad CSV"),
        ("tevatron", "tevatron", ENGLISH, "train.jsonl", '"positive_passages"', '"pos"',
         "train.jsonl:1: not of the form"),
        ("tevatron", "tevatron", ENGLISH, "train.jsonl", '{"query_id"', '{query_id"', "train.jsonl:1: bad JSON"),
        ("flag-embedding", "flag-embedding", ENGLISH, "toy_finetune_data.jsonl", '"pos"', '"p"',
         "data.jsonl:1: not of"),
        ("sentence-transformers", "sentence-transformers", ENGLISH, "train.jsonl", '["how to ripen tomatoes", ', "[",
         "train.jsonl:2: not of the form of sentence-transformers .a list of 1"),
    ],
)  # fmt: skip
def test_a_broken_record_is_named_with_its_place(tmp_path, name, form, options, file, old, new, message):
    folder = fixture(tmp_path, name)
    replace(folder / file, old, new)
    found = defects(folder, form, **options)
    assert any(re.search(message, one) for one in found), found
    with pytest.raises(CorpusError, match=message):
        versions(folder, form, **options)


@pytest.mark.parametrize(
    ("name", "form", "options", "file"),
    [
        ("msmarco", "msmarco", {}, "qidpidtriples.train.full.2.tsv.gz"),
        ("natural-questions", "natural-questions", {}, "v1.0-simplified_simplified-nq-train.jsonl.gz"),
        ("mr-tydi", "mr-tydi", {}, "mrtydi-v1.1-russian/collection/docs.jsonl.gz"),
        ("mr-tydi-hub", "mr-tydi", {}, "mrtydi-v1.1-arabic/train.jsonl.gz"),
        ("miracl", "miracl", {}, "miracl-corpus-v1.0-sw/docs-1.jsonl.gz"),
        ("mkqa", "mkqa", {}, "mkqa.jsonl.gz"),
        ("tydiqa-primary", "tydiqa", {}, "tydiqa-v1.0-train.jsonl.gz"),
    ],
)
def test_a_gzip_file_that_is_cut_off_or_none_is_an_error(tmp_path, name, form, options, file):
    folder = fixture(tmp_path, name)
    path = folder / file
    whole = path.read_bytes()
    path.write_bytes(whole[:-6])
    with pytest.raises(CorpusError, match=rf"{path.name}:\d+: the gzip file is cut off here"):
        versions(folder, form, **options)
    path.write_bytes(b"no gzip file at all")
    with pytest.raises(CorpusError, match=rf"{path.name}:1: not a sound gzip file"):
        versions(folder, form, **options)


def test_a_json_array_that_is_cut_off_is_an_error(tmp_path):
    folder = fixture(tmp_path, "squad")
    path = folder / "train-v2.0.json"
    whole = path.read_bytes()
    for size in (0, 10, 60, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(CorpusError, match="looks cut off"):
            versions(folder, "squad")
    path.write_bytes(whole.replace(b"Weber", b"W\xffber", 1))
    with pytest.raises(CorpusError, match="element 1: invalid UTF-8"):
        versions(folder, "squad")
    packed = fixture(tmp_path / "other", "dpr") / "biencoder-nq-train.json"
    packed.with_name(packed.name + ".gz").write_bytes(gzip.compress(packed.read_bytes())[:-6])
    packed.unlink()
    with pytest.raises(CorpusError, match=r"json.gz: element \d: .*cut off"):
        versions(packed.parent, "dpr")


def test_control_characters_are_taken_out_and_counted_and_empty_texts_left_out(tmp_path):
    path = tmp_path / "train.jsonl"
    lines = [
        {"anchor": "a\u0085b", "positive": "c\ud800d", "negative": "e"},
        {"anchor": " ", "positive": "p"},
        {"anchor": "q", "positive": ""},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found, skipped = versions(path, "sentence-transformers", **ENGLISH)
    assert [(one.query, one.passage) for one in found] == [("a b", "cd")]
    assert skipped == {
        "texts with control characters, which were taken out": 2,
        "records with an empty query": 1,
        "records with an empty passage": 1,
    }


def test_texts_of_the_wrong_type_are_errors_with_their_place(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text('{"anchor": "a", "positive": "b"}\n{"anchor": 7, "positive": "b"}\n')
    with pytest.raises(
        CorpusError, match=r"train.jsonl:2: the field 'query' must be a string, not a value of type int"
    ):
        versions(path, "sentence-transformers", **ENGLISH)
    path.write_text('{"query": "a", "pos": ["b"], "neg": ["c", 5]}\n')
    with pytest.raises(CorpusError, match=r"train.jsonl:1: .*negatives\[1\]"):
        versions(path, "flag-embedding", **ENGLISH)


def test_records_before_an_error_are_given(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text('{"anchor": "a", "positive": "b"}\nnonsense\n')
    with Reading(ReadOptions(**ENGLISH)) as reading:
        stream = open_published(path, "sentence-transformers", reading).placed
        assert next(stream)[1].query == "a"
        with pytest.raises(CorpusError, match=r"train.jsonl:2: bad JSON"):
            next(stream)
