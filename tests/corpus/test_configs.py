"""Dataset folders in MTEB's form: what they hold is one benchmark, and what is wrong with them is named."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isogloss.corpus import load_benchmark
from isogloss.corpus.configs import is_config_folder
from isogloss.errors import BenchmarkError, CorpusError


def lines(path, records):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")


def make(folder, subsets, *, extra="", split="test"):
    """Write a folder: by subset its passages, queries and qrels, as records."""
    names = []
    for name, parts in subsets.items():
        for part, records in zip(("corpus", "queries", "qrels"), parts, strict=True):
            config = f"{name}-{part}" if name else {"qrels": "default"}.get(part, part)
            lines(folder / config / f"{split}.jsonl", records)
            names.append(config)
    head = [
        f"- config_name: {one}\n  data_files:\n  - split: {split}\n    path: {one}/{split}.jsonl"
        for one in names
    ]
    (folder / "README.md").write_text(
        "---\nconfigs:\n" + "\n".join(head) + f"\n{extra}---\n\n# A dataset\n", encoding="utf-8"
    )
    return folder


def passage(name, text=None, **fields):
    return {"_id": name, "title": "", "text": text or f"passage {name}", **fields}


def query(name, text=None, **fields):
    return {"_id": name, "text": text or f"query {name}", **fields}


def judged(*pairs):
    return [{"query-id": one, "corpus-id": other, "score": 1} for one, other in pairs]


def relevant(benchmark):
    return {
        (benchmark.query_ids[one], benchmark.candidate_ids[other]) for one, other in benchmark.qrels.tolist()
    }


def test_a_subset_a_language_is_one_pool(tmp_path):
    folder = make(
        tmp_path,
        {
            "deu-Latn": (
                [passage("1", "eins"), passage("2", "zwei")],
                [query("q", "frage")],
                judged(("q", "1")),
            ),
            "en": ([passage("1", "one"), passage("3", "three")], [query("q", "ask")], judged(("q", "3"))),
        },
    )
    assert is_config_folder(folder)
    benchmark = load_benchmark(folder)
    assert benchmark.languages == ("de", "en")
    assert benchmark.candidate_ids == ["2", "3", "de:1", "en:1"]
    assert benchmark.candidate_languages == ["de", "en", "de", "en"]
    assert relevant(benchmark) == {("de:q", "de:1"), ("en:q", "3")}
    # One id in two languages: translations of one question.
    assert benchmark.query_parallel_ids == ["q", "q"]


def test_pairs_name_passages_before_queries_and_what_is_the_same_is_once(tmp_path):
    german, english = [passage("1", "eins"), passage("2", "zwei")], [passage("1", "one"), passage("2", "two")]
    asked = [query("q1", "who"), query("q2", "what")]
    folder = make(
        tmp_path,
        {
            "deu-eng": (german, asked, judged(("q1", "1"), ("q2", "2"))),
            "eng_Latn-eng_Latn": (english, asked, judged(("q1", "1"), ("q2", "2"))),
        },
    )
    benchmark = load_benchmark(folder)
    assert benchmark.query_ids == ["q1", "q2"]
    assert benchmark.query_languages == ["en", "en"]
    assert benchmark.candidate_ids == ["de:1", "de:2", "en:1", "en:2"]
    assert relevant(benchmark) == {(f"q{one}", f"{lang}:{one}") for one in "12" for lang in ("de", "en")}


def test_records_say_their_language_before_the_name_does(tmp_path):
    folder = make(
        tmp_path,
        {
            "": (
                [passage("1", language="de"), passage("2", language="en", title="Two")],
                [query("q1", language="en", parallel_id="p"), query("q2", language="de", parallel_id="p")],
                judged(("q1", "1"), ("q1", "2"), ("q2", "2"), ("of-another-split", "1")),
            )
        },
    )
    benchmark = load_benchmark(folder)
    assert benchmark.candidate_texts == ["passage 1", "Two passage 2"]
    assert benchmark.query_parallel_ids == ["p", "p"]
    assert relevant(benchmark) == {("q1", "1"), ("q1", "2"), ("q2", "2")}


def test_parquet_and_integer_ids(tmp_path):
    folder = make(tmp_path, {"de": ([], [], [])})
    for part, table in {
        "corpus": {"id": [1, 2], "text": ["eins", "zwei"], "title": [None, "Zwei"]},
        "queries": {"id": [7], "text": ["frage"]},
        "qrels": {"query-id": [7], "corpus-id": [2], "score": [1.0]},
    }.items():
        pq.write_table(pa.table(table), folder / f"de-{part}" / "test.parquet")
    readme = folder / "README.md"
    readme.write_text(readme.read_text().replace(".jsonl", ".parquet"))
    benchmark = load_benchmark(folder)
    assert relevant(benchmark) == {("7", "2")}
    assert benchmark.candidate_texts == ["eins", "Zwei zwei"]


def test_the_same_id_with_two_texts_in_one_language_is_two(tmp_path):
    folder = make(
        tmp_path,
        {
            "deu-eng": ([passage("1", "eins")], [query("q", "a")], judged(("q", "1"))),
            "deu-fra": ([passage("1", "anders")], [query("q", "b")], judged(("q", "1"))),
        },
    )
    benchmark = load_benchmark(folder)
    assert benchmark.candidate_ids == ["de:1", "de:1:2"]
    assert relevant(benchmark) == {("en:q", "de:1"), ("fr:q", "de:1:2")}


GOOD = ([passage("1")], [query("q")], judged(("q", "1")))


@pytest.mark.parametrize(
    ("subsets", "message"),
    [
        (
            {"news": GOOD},
            r"news-corpus/test.jsonl: the subset's name, 'news', tells no language; .*'language'",
        ),
        ({"en-de": GOOD}, r"subset 'en-de': two languages, or a language and a region\?"),
        ({"de": ([passage("1"), passage("1")], *GOOD[1:])}, "passage id '1' comes twice in 'de'"),
        ({"de": ([passage("1", language="xx1")], *GOOD[1:])}, r"de-corpus/test.jsonl:1: .*xx1"),
        ({"de": (GOOD[0], [query("q"), query("q")], GOOD[2])}, r"test.jsonl:2: query 'q' comes twice"),
        ({"de": (GOOD[0], [query("q", " ")], GOOD[2])}, r"test.jsonl:1: query 'q' has no text"),
        ({"de": (*GOOD[:2], judged(("q", "9")))}, r"passage '9', judged for query 'q', is not in the corpus"),
        (
            {"de": (*GOOD[:2], [{"query-id": "q", "corpus-id": "1", "score": 0.5}])},
            r"test.jsonl:1: the score must be an integer, not 0.5",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path, subsets, message):
    with pytest.raises((BenchmarkError, CorpusError), match=message):
        load_benchmark(make(tmp_path, subsets))


def test_configurations_and_files_that_are_missing_are_named(tmp_path):
    folder = make(tmp_path / "a", {"de": GOOD})
    readme = (folder / "README.md").read_text()
    (folder / "README.md").write_text(readme.replace("de-qrels", "de-something"))
    with pytest.raises(BenchmarkError, match="a configuration 'de-corpus' but none called 'de-qrels'"):
        load_benchmark(folder)
    folder = make(tmp_path / "b", {"de": GOOD})
    (folder / "de-queries" / "test.jsonl").unlink()
    with pytest.raises(BenchmarkError, match="configuration 'de-queries' cannot be resolved"):
        load_benchmark(folder)
    folder = make(tmp_path / "c", {"de": GOOD}, split="validation")
    assert load_benchmark(folder).query_ids == ["q"]
    with pytest.raises(BenchmarkError, match="has the splits validation; none is 'test'"):
        load_benchmark(folder, split="test")


@pytest.mark.parametrize("text", ["# no head", "---\nconfigs: 3\n---\n", "---\n: [\n---\n", "\udce9"])
def test_other_readmes_are_not_taken_for_one(tmp_path, text):
    (tmp_path / "README.md").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert not is_config_folder(tmp_path)
    assert not is_config_folder(tmp_path / "nowhere")
