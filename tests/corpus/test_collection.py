import hashlib

import pytest

from isogloss.corpus.collection import find_collections, is_collection_folder, survey_passages
from isogloss.errors import BenchmarkError, CorpusError
from tests.corpus.collection_making import make_beir, make_miracl, passage, write_lines, write_text


def test_miracl_as_published(tmp_path):
    make_miracl(tmp_path)
    (tmp_path / "miracl" / "miracl-v1.0-te" / "topics").mkdir(
        parents=True
    )  # topics whose corpus was not fetched
    assert is_collection_folder(tmp_path)
    found = find_collections(tmp_path)
    assert [(one.name, one.language, one.split) for one in found] == [
        ("sw", "sw", "dev"),
        ("yo", "yo", "dev"),
    ]
    assert [path.name for path in found[0].passages] == ["docs-0.jsonl.gz", "docs-1.jsonl.gz"]
    assert found[1].queries.name == "topics.miracl-v1.0-yo-dev.tsv"
    assert found[1].qrels.name == "qrels.miracl-v1.0-yo-dev.tsv"
    assert find_collections(tmp_path, split="train")[0].qrels.name == "qrels.miracl-v1.0-sw-train.tsv"
    assert [one.name for one in find_collections(tmp_path, languages=["yor"])] == ["yo"]


def test_miracl_in_one_folder(tmp_path):
    make_miracl(tmp_path / "two")
    flat = tmp_path / "flat"
    flat.mkdir()
    for repository in ("miracl", "miracl-corpus"):
        for path in (tmp_path / "two" / repository).iterdir():
            path.rename(flat / path.name)
    assert [one.name for one in find_collections(flat)] == ["sw", "yo"]


def test_one_collection_and_a_folder_a_language(tmp_path):
    make_beir(tmp_path / "all" / "de")
    make_beir(tmp_path / "all" / "en", form="parquet")
    (tmp_path / "all" / "notes").mkdir()
    (one,) = find_collections(tmp_path / "all" / "de")
    assert (one.name, one.language, one.split, one.queries.name) == ("de", None, "test", "queries.jsonl")
    both = find_collections(tmp_path / "all")
    assert [(one.name, one.language) for one in both] == [("de", "de"), ("en", "en")]
    assert [path.name for path in both[1].passages] == [
        "corpus-00000-of-00002.parquet",
        "corpus-00001-of-00002.parquet",
    ]


def test_shards_come_in_the_order_of_their_numbers(tmp_path):
    make_beir(tmp_path)
    (tmp_path / "corpus.jsonl").unlink()
    for number in (0, 1, 2, 10):
        write_lines(tmp_path / f"docs-{number}.jsonl", [passage(number)])
    (one,) = find_collections(tmp_path)
    assert [path.name for path in one.passages] == [f"docs-{n}.jsonl" for n in (0, 1, 2, 10)]


def test_what_is_no_collection(tmp_path):
    assert not is_collection_folder(tmp_path)
    assert not is_collection_folder(tmp_path / "none")
    write_text(tmp_path / "en.json", "{}")
    write_text(tmp_path / "corpus.json", "{}")
    write_text(tmp_path / "de" / "readme.txt", "")
    assert not is_collection_folder(tmp_path)
    with pytest.raises(BenchmarkError, match="no corpus in this folder"):
        find_collections(tmp_path)


def broken(folder, case):
    arguments = {}
    if case == "a form twice":
        write_lines(folder / "corpus.jsonl.gz", [passage(0, "_id")])
    elif case == "no queries":
        (folder / "queries.jsonl").unlink()
    elif case == "queries twice":
        write_text(folder / "queries.tsv", "q1\twhat\n")
    elif case == "no qrels":
        (folder / "qrels" / "test.tsv").unlink()
    elif case == "two splits":
        write_text(folder / "qrels" / "dev.tsv", "q1 a 1\n")
    elif case == "another split":
        arguments["split"] = "dev"
    elif case == "a language of no folder":
        arguments["languages"] = ["de"]
    return arguments


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("a form twice", "corpus is there in more than one form"),
        ("no queries", "no file of queries"),
        ("queries twice", "more than one file of queries"),
        ("no qrels", "no qrels; give qrels/SPLIT.tsv"),
        ("two splits", "several splits; choose one by --split: dev, test"),
        ("another split", "no qrels of the split 'dev'; there are test"),
        ("a language of no folder", "no folder for the language de; there are none: --language chooses"),
    ],
)
def test_what_is_missing_or_unclear_is_named(tmp_path, case, message):
    make_beir(tmp_path)
    with pytest.raises(BenchmarkError, match=message):
        find_collections(tmp_path, **broken(tmp_path, case))


def test_a_survey_counts_and_finds(tmp_path):
    make_miracl(tmp_path, ("sw",), passages=51)
    (collection,) = find_collections(tmp_path)
    told = []
    survey = survey_passages(collection, ["3#1", "nowhere"], lambda *args: told.append(args))
    assert (survey.passages, survey.languages, survey.found) == (51, {}, {"3#1"})
    content = collection.passages[1].read_bytes()
    assert survey.files[1] == {
        "name": "docs-1.jsonl.gz",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    assert told == [(1, 2), (2, 2)]


def test_a_survey_finds_what_is_broken(tmp_path):
    make_beir(tmp_path)
    (collection,) = find_collections(tmp_path)
    write_lines(tmp_path / "corpus.jsonl", [passage(0, "_id"), passage(1, "_id", language="sw")])
    with pytest.raises(BenchmarkError, match="1 passages have no language and 1 have one"):
        survey_passages(collection, [])
    write_lines(tmp_path / "corpus.jsonl", [passage(0, "_id"), {"_id": "1"}])
    with pytest.raises(CorpusError, match=r"corpus\.jsonl:2: the field 'text' is missing"):
        survey_passages(collection, [])
