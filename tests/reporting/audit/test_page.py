"""The page, from a whole audit of a small corpus."""

import json
from html.parser import HTMLParser

import numpy as np
import pytest

from isogloss.corpus import load_benchmark
from isogloss.errors import DataError, OutputError
from isogloss.evaluation import results_of
from isogloss.evaluation.model_evaluation import evaluate_model
from isogloss.reporting.audit.page import audit_page
from isogloss.reporting.audit.writing import write_audit
from tests.conftest import records, write_records

EVIL = "<script>alert('x')</script>"


class Encoder:
    """Random vectors, the same for the same text."""

    name = EVIL

    def encode(self, texts, side, progress=None, **_):
        seeds = [sum(map(ord, text)) for text in texts]
        rows = np.stack([np.random.default_rng(seed).standard_normal(6) for seed in seeds])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def audit(folder, corpus, languages=None, **how):
    benchmark = load_benchmark(str(corpus))
    if languages:
        benchmark = benchmark.subset(languages)
    evaluation, encoded = evaluate_model(Encoder(), benchmark)
    results = results_of(evaluation, model={"name": EVIL, "query_prompt": ""})
    return write_audit(folder, results, evaluation, encoded, benchmark, **how)


@pytest.fixture
def corpus(tmp_path):
    rows = [{**row, "query": f"{row['query']} {EVIL}"} for row in records(items=14)]
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.addresses, self.headings = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [
            value for name, value in attributes if name in ("src", "href", "srcset", "xlink:href")
        ]
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        if tag not in ("meta", "link", "br", "path", "line", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_whole_page(tmp_path, corpus):
    audit(tmp_path / "first", corpus)
    found = audit(
        tmp_path / "audit",
        corpus,
        page=tmp_path / "audit.html",
        against=[tmp_path / "first"],
        command="isogloss audit",
    )
    text = (tmp_path / "audit.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    # Self-contained, and nothing of the corpus or the model is markup.
    assert page.addresses == []
    assert "script" not in page.tags
    assert "http" not in text
    assert "&lt;script&gt;" in text
    for words in (
        "Language audit of",
        "prefers-color-scheme: dark",
        "@media print",
        "Queries served worst",
        "Compared",
    ):
        assert words in text
    assert found.verdict.bias.split(":")[1][:20] in text
    assert 'lang="zh" dir="auto"' in text
    assert "no clear difference" in text
    assert text == audit_page(found)
    assert {path.name for path in (tmp_path / "audit").iterdir()} == {
        "results.json",
        "per_query.parquet",
        "tables",
    }
    tables = tmp_path / "audit" / "tables"
    assert (tables / "headline.md").read_text(encoding="utf-8").startswith("| model | mono mAP |")
    assert (tables / "map-by-pair.csv").read_text(encoding="utf-8").startswith(",de,en,hi,zh")
    assert r"\toprule" in (tables / "settings.tex").read_text(encoding="utf-8")


def test_one_language_alone(tmp_path, corpus):
    found = audit(tmp_path / "audit", corpus, ["de"])
    assert found.verdict.level == "one language"
    text = (tmp_path / "audit" / "index.html").read_text(encoding="utf-8")
    assert "1 language" in text
    assert "nan" not in text.lower().replace("nan-", "")


def test_nothing_is_left_where_an_earlier_audit_is_of_other_data(tmp_path, corpus):
    other = write_records(tmp_path / "other.jsonl", items=9, first=50)
    audit(tmp_path / "other", other)
    with pytest.raises(DataError, match="other"):
        audit(tmp_path / "audit", corpus, page=tmp_path / "audit.html", against=[tmp_path / "other"])
    assert not (tmp_path / "audit").exists()
    assert not (tmp_path / "audit.html").exists()


def test_nothing_is_overwritten(tmp_path, corpus):
    (tmp_path / "audit.html").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="exists already"):
        audit(tmp_path / "audit", corpus, page=tmp_path / "audit.html")
    assert not (tmp_path / "audit").exists()
    assert (tmp_path / "audit.html").read_text(encoding="utf-8") == "mine"
