import json
import re

import pytest

from isogloss.search.folder import is_index
from isogloss.search.verifying import read_questions


@pytest.fixture
def pages(tmp_path):
    lines = [
        {"id": "1", "text": "water is wet", "language": "en", "year": 2020},
        {"id": "1", "text": "wasser ist nass", "language": "de", "year": 2021},
        {"id": "2", "text": "fire is hot", "language": "en", "year": 2022},
    ]
    path = tmp_path / "pages.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def index(tmp_path, pages, tiny_bert, run):
    code, _, error = run("index", tiny_bert, pages, "--output", tmp_path / "index")
    assert code == 0, error
    return tmp_path / "index"


def test_index_search_update_unindex(run, index, pages, tiny_bert):
    code, out, _ = run("search", index, "water is wet", "--top-k", 1)
    assert code == 0
    assert out.startswith("1. 1.0000  en  1\n   water is wet")
    code, out, _ = run("search", index, "water", "--json", "--where", "year>2020", "--language", "en")
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["2"]
    code, out, _ = run("search", index, "water", "--where", "year>2030")
    assert (code, out) == (0, "nothing found\n")

    code, out, _ = run("index", tiny_bert, pages, "--output", index)
    assert "0 added, 0 changed, 0 removed, 3 unchanged; 0 texts encoded" in out
    pages.write_text(pages.read_text().splitlines()[0] + "\n")
    code, out, _ = run("index", tiny_bert, pages, "--output", index, "--prune", "--verify")
    assert "0 added, 0 changed, 2 removed, 1 unchanged" in out
    assert "FAISS, every inner product" in out
    code, out, _ = run("unindex", index, "1")
    assert "0 passages (none)" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--balance", "fair"], "none, quota, centred"),
        (["--language", "fr"], "the index has de, en"),
        (["--where", "year"], "not understood"),
    ],
)
def test_wrong_options_of_search(run, index, options, message):
    code, out, error = run("search", index, "water", *options)
    assert (code, out) == (2, "")
    assert message in error
    assert "Traceback" not in error


def test_what_is_no_index(run, tmp_path, tiny_bert, pages):
    code, _, error = run("search", tmp_path, "water")
    assert code == 2
    assert "no index; make one with `isogloss index" in error
    code, _, error = run("unindex", tmp_path, "1")
    assert code == 2
    code, _, error = run("index", tiny_bert, pages, "--output", tmp_path / "index", "--backend", "faiss")
    assert code == 2
    assert "choose exact or milvus" in error
    code, _, error = run(
        "index", tiny_bert, pages, "--output", tmp_path / "index", "--verify-questions", pages
    )
    assert code == 2
    assert not is_index(tmp_path / "index")


def test_a_broken_record_leaves_an_index_as_it_was(run, index, pages, tiny_bert):
    pages.write_text('{"id": "3", "text": "earth", "language": "en"}\n{"id": "4"}\n')
    code, _, error = run("index", tiny_bert, pages, "--output", index)
    assert code == 2
    assert "pages.jsonl:2: the field 'text' is missing" in error
    code, out, _ = run("search", index, "earth", "--json", "--top-k", 9)
    assert len(out.splitlines()) == 3


def test_an_index_keeps_what_it_was_made_with(run, index, pages, tiny_bert, tiny_xlm_roberta):
    code, _, error = run("index", tiny_xlm_roberta, pages, "--output", index)
    assert code == 2
    assert "differs in weights" in error
    code, _, error = run("index", tiny_bert, pages, "--output", index, "--no-words")
    assert code == 2
    assert "leave out --no-words" in error


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "questions.txt: cannot read: No such file or directory"),
        (b"", "questions.txt: holds no question; write one a line"),
        (b"\xef\xbb\xbf \n\r\n\t\n", "questions.txt: holds no question"),
        (b"water\n\xff\xfe\n", "questions.txt:2: invalid UTF-8 (invalid start byte); save the file as UTF-8"),
        (b"water\n\nfi\x01re\n", "questions.txt:3: the field 'question' has the control character U+0001"),
    ],
)
def test_questions_that_cannot_be_asked_are_said_before_anything_is_encoded(
    run, tmp_path, pages, tiny_bert, content, message
):
    questions = tmp_path / "questions.txt"
    if content is not None:
        questions.write_bytes(content)
    options = ("--verify", "--verify-questions", questions)
    code, out, error = run("index", tiny_bert, pages, "--output", tmp_path / "index", *options)
    assert (code, out) == (2, "")
    assert message in error
    assert "Traceback" not in error
    assert not (tmp_path / "index").exists()


def test_questions_of_a_file(run, tmp_path, pages, tiny_bert):
    questions = tmp_path / "questions.txt"
    questions.write_bytes("\ufeffis water wet?\r\n\n  \nist feuer heiß?\u2028oder kalt?".encode())
    assert read_questions(questions) == ["is water wet?", "ist feuer heiß?\u2028oder kalt?"]
    options = ("--verify", "--verify-questions", questions)
    code, out, error = run("index", tiny_bert, pages, "--output", tmp_path / "index", *options)
    assert code == 0, error
    assert re.search(r"FAISS, every inner product, by language +2 +1\.0000", out)
    code, _, error = run("index", tiny_bert, pages, "--output", tmp_path / "other", *options[:2], tmp_path)
    assert code == 2
    assert "cannot read: Is a directory" in error


def test_two_folders_with_files_of_the_same_names(run, tmp_path, tiny_bert):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(f"water of {name}")
    folders = (tmp_path / "one", tmp_path / "two")
    said = ("--output", tmp_path / "index", "--language", "en")
    code, out, error = run("index", tiny_bert, *folders, *said)
    assert code == 0, error
    assert "2 added, 0 changed, 0 removed, 0 unchanged" in out
    assert "note: the index has other files of the names of 1, which are called after more of their" in error
    assert "such as two/a.txt" in error
    code, out, error = run("index", tiny_bert, *folders, *said)
    assert "0 added, 0 changed, 0 removed, 2 unchanged; 0 texts encoded" in out
    assert "note" not in error
    (tmp_path / "one" / "a.txt").rename(tmp_path / "one" / "b.txt")
    code, out, _ = run("index", tiny_bert, *folders, *said)
    assert "1 added, 0 changed, 1 removed, 1 unchanged; 0 texts encoded" in out
    code, out, _ = run("search", tmp_path / "index", "water", "--json")
    assert sorted(json.loads(line)["id"] for line in out.splitlines()) == ["b.txt#1", "two/a.txt#1"]


def test_what_is_not_there_is_said_before_a_model_is_loaded(run, tmp_path):
    code, _, error = run("index", "no-such-model", tmp_path / "none", "--output", tmp_path / "index")
    assert code == 2
    assert "none: no such file or folder" in error
