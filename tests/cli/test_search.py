import json

import pytest

from isogloss.search.folder import is_index


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
