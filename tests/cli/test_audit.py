"""`isogloss audit` as a user meets it."""

import json

import pytest

from tests.conftest import write_records


@pytest.fixture
def audit(run):
    def audit(*arguments):
        return run("audit", *arguments)

    return audit


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_records(tmp_path / "corpus.jsonl", items=12)


def test_a_page_a_folder_and_a_later_audit(audit, tiny_bert, corpus, tmp_path):
    code, out, err = audit(tiny_bert, "--data", corpus, "--output", "report.html", "--worst", 3)
    assert (code, "written: report.html" in out) == (0, True), err
    assert "With one language to search at a time" in out
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count('class="query"') == 3
    assert "isogloss" in text
    assert json.loads((tmp_path / "report" / "results.json").read_text())["format"] == 2
    code, out, err = audit(
        tiny_bert, "--data", corpus, "--output", "later", "--against", "report", "--query-prompt", "q: "
    )
    assert (code, "written: later/index.html" in out) == (0, True), err
    assert "this audit against" in (tmp_path / "later" / "index.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "corpus.jsonl",
        "later",
        "report",
        "report.html",
    ]


def test_an_earlier_audit_of_other_data_is_refused_before_any_text_is_encoded(
    audit, tiny_bert, corpus, tmp_path
):
    other = write_records(tmp_path / "other.jsonl", items=9, first=50)
    audit(tiny_bert, "--data", other, "--output", "earlier")
    code, _, err = audit(tiny_bert, "--data", corpus, "--output", "later", "--against", "earlier")
    assert (code, "earlier: is of other data" in err, "encoding" in err) == (2, True, False), err


def test_nothing_is_written_unless_asked(audit, tiny_bert, corpus, tmp_path):
    code, out, _ = audit(tiny_bert, "--data", corpus, "--language", "de", "--language", "en")
    assert (code, "2 languages" in out) == (0, True)
    assert list(tmp_path.iterdir()) == [corpus]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--against", "x"], "give --output"),
        (["--output", "page.html"], "page.html: exists already"),
        (["--output", "taken"], "the folder exists and is not empty"),
        (["--output", "new.html", "--against", "nowhere"], "nowhere"),
        (["--data", "nothing.jsonl"], "nothing.jsonl"),
        (["--precision", "int4"], "int4"),
    ],
)
def test_bad_input(audit, tiny_bert, corpus, tmp_path, arguments, message):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    (tmp_path / "page.html").touch()
    before = sorted(tmp_path.rglob("*"))
    given = [tiny_bert, *([] if "--data" in arguments else ["--data", corpus]), *arguments]
    code, _, err = audit(*given)
    assert (code, message in err, "Traceback" in err) == (2, True, False), err
    assert sorted(tmp_path.rglob("*")) == before
