import importlib.util

import numpy as np
import pytest

from isogloss.cleaning.options import CleaningOptions
from isogloss.cleaning.pipeline import clean
from isogloss.cleaning.state import RULES
from isogloss.corpus import ParallelCorpus, check_corpus
from isogloss.errors import CorpusError, OutputError
from tests.cleaning.making import read, record, write

KEEP = CleaningOptions(mismatched="keep")
needs_detector = pytest.mark.skipif(
    importlib.util.find_spec("py3langid") is None, reason="needs the extra detect"
)

GOOD = [record(number, language) for number in range(40) for language in ("en", "de", "es")]


def bad_records():
    """One record for each rule."""
    long = record(0)
    return {
        "invalid": "{",
        "too-short": record(100, passage="a"),
        "few-letters": record(101, passage="123 456 789"),
        "repeated-character": record(102, passage="so long" + "g" * 40),
        "repetition": record(103, passage="and they said that " * 9),
        "markup": record(104, passage="<a href='x.html'><b></b></a> text"),
        "script": record(105, query="почему река несёт лодки"),
        "repeated-id": record(0, query="another question about the river"),
        "exact-duplicate": {**long, "id": "copy", "query": long["query"].upper()},
        "near-duplicate": {**record(1), "id": "near", "passage": record(1)["passage"] + " too"},
        "untranslated": {**record(106, "es"), "query": record(106)["query"]},
        "query-passage-ratio": record(
            107, passage=" ".join(record(1000 + at)["passage"] for at in range(40))
        ),
        "length-ratio": record(
            108, "de", passage=" ".join(record(2000 + at, "de")["passage"] for at in range(8))
        ),
    }


class OneVector:
    """An encoder that tells no texts apart."""

    name = "one"

    def encode(self, texts, side, progress=None, *, languages=None):
        return np.ones((len(texts), 1), np.float32)


def test_nothing_is_left_beside_the_output_not_even_of_a_killed_run(tmp_path):
    source = write(tmp_path / "corpus.jsonl", GOOD)
    folder = tmp_path / "cleaned"
    for left in (".out.jsonl.0123abcd.part", ".removed.jsonl.0123abcd.part"):
        (folder / left).mkdir(parents=True)
        (folder / left / "band-0").write_text("half")
    for left in (".0123abcd.part.out.jsonl", ".0123abcd.part.removed.jsonl"):
        (folder / left).write_text("half")
    clean(source, folder / "out.jsonl", KEEP, removed=folder / "removed.jsonl", encoder=OneVector())
    assert sorted(path.name for path in folder.iterdir()) == ["out.jsonl", "removed.jsonl"]


def test_each_rule_removes_what_it_should_and_keeps_it_in_the_side_file(tmp_path):
    bad = bad_records()
    rest = [record(106), record(108), record(108, "es")]
    source = write(tmp_path / "corpus.jsonl", [*GOOD, *rest, *bad.values()])
    output, removed = tmp_path / "out.jsonl", tmp_path / "removed.jsonl"
    report = clean(source, output, KEEP, removed=removed)
    side = {one["rule"]: one for one in read(removed)}
    assert {rule: one["record"] for rule, one in side.items()} == {**bad, "invalid": None}
    assert len(read(removed)) == len(bad)
    assert read(output) == [*GOOD, *rest]
    assert {problem.kind for problem in check_corpus(output).problems} == {"single-language"}
    assert {rule for rule, _ in report.removed} == set(bad)
    assert side["exact-duplicate"]["why"] == "query and passage are those of another item, in record 1"
    assert side["invalid"]["place"] == f"{source}:124"
    assert side["length-ratio"]["value"] > 3
    assert (report.records, report.written_records) == (136, 123)
    assert report.as_json()["removed"]["script"] == {"en": 1}
    assert [one.rule for one in sorted(report.examples, key=lambda one: RULES.index(one.rule))] == list(bad)


def test_rules_can_be_switched_off(tmp_path):
    bad = bad_records()
    records = [*GOOD, *(bad[rule] for rule in bad if rule not in ("invalid", "repeated-id"))]
    options = CleaningOptions(
        mismatched="keep",
        min_characters=0,
        min_letters=0,
        min_script=0,
        max_repetition=None,
        max_repeated_characters=None,
        max_markup=None,
        exact_duplicates=False,
        near_duplicates=None,
        copies=None,
        length_factor=None,
        query_passage_factor=None,
        normalize=False,
    )
    report = clean(write(tmp_path / "c.jsonl", records), tmp_path / "out.jsonl", options)
    assert report.removed == {}
    assert read(tmp_path / "out.jsonl") == records


def test_cleaning_twice_changes_nothing_more(tmp_path):
    source = write(tmp_path / "c.jsonl", [*GOOD, *bad_records().values()])
    clean(source, tmp_path / "once.jsonl", KEEP)
    report = clean(tmp_path / "once.jsonl", tmp_path / "twice.jsonl", KEEP)
    assert report.removed == {}
    assert (tmp_path / "once.jsonl").read_bytes() == (tmp_path / "twice.jsonl").read_bytes()


@needs_detector
@pytest.mark.parametrize("mismatched", ["remove", "relabel", "keep"])
def test_wrong_languages(tmp_path, mismatched):
    german = (
        "Der alte Fluss trägt schwere Boote hinab zum Meer, und niemand weiß, welche Straße nach Hause führt."
    )
    english = "Why does the old river carry heavy boats down to the sea, and who knows the way home?"
    wrong = {"id": "w", "language": "en", "query": f"Warum? {german}", "passage": german}
    mixed = {"id": "m", "language": "en", "query": english, "passage": german + " Das ist alles."}
    source = write(tmp_path / "c.jsonl", [*GOOD, wrong, mixed])
    output, removed = tmp_path / "out.jsonl", tmp_path / "removed.jsonl"
    options = CleaningOptions(mismatched=mismatched, query_passage_factor=None, length_factor=None)
    report = clean(source, output, options, removed=removed)
    left = {one["id"]: one["language"] for one in read(output) if one["id"] in "wm"}
    if mismatched == "keep":
        assert left == {"w": "en", "m": "en"}
    elif mismatched == "relabel":
        assert left == {"w": "de"}
        assert report.relabelled == {("en", "de"): 1}
    else:
        assert left == {}
        assert read(removed)[0]["why"].startswith("the text is in de, with probability ")


def test_normalisation_mends_and_is_counted(tmp_path):
    broken = record(50, passage="boats\x07  carry  grain along the river", negatives=["", "x"])
    report = clean(write(tmp_path / "c.jsonl", [*GOOD, broken]), tmp_path / "out.jsonl", KEEP)
    assert read(tmp_path / "out.jsonl")[-1]["passage"] == "boats carry grain along the river"
    assert read(tmp_path / "out.jsonl")[-1]["negatives"] == ["x"]
    assert report.normalised == 1


def test_items_of_another_split_are_removed_in_all_languages(tmp_path):
    other = write(
        tmp_path / "dev.jsonl", [record(3, "de", id="elsewhere"), record(500, query=record(4)["query"])]
    )
    report = clean(write(tmp_path / "c.jsonl", GOOD), tmp_path / "out.jsonl", KEEP, against=[str(other)])
    assert report.removed == {("in-other-split", language): 2 for language in ("en", "de", "es")}
    assert not {"item-3", "item-4"} & {one["id"] for one in read(tmp_path / "out.jsonl")}


def test_few_languages(tmp_path):
    source = write(tmp_path / "c.jsonl", [*GOOD, record(60), record(61, passage="a"), record(61, "de")])
    report = clean(source, tmp_path / "out.jsonl", CleaningOptions(mismatched="keep", min_languages=2))
    assert report.removed == {("few-languages", "en"): 1, ("few-languages", "de"): 1, ("too-short", "en"): 1}


@pytest.mark.parametrize("form", ["parquet", "folder", "jsonl.gz"])
def test_other_forms(tmp_path, form):
    corpus = ParallelCorpus.from_records(GOOD, name="x")
    path = tmp_path / "c.parquet"
    if form == "folder":
        path = tmp_path / "c"
        corpus.save(path)
    else:
        path = tmp_path / f"c.{form}"
        from isogloss.corpus import write_jsonl, write_parquet

        (write_parquet if form == "parquet" else write_jsonl)(corpus, path)
    report = clean(path, tmp_path / "out.parquet", KEEP)
    assert report.written_records == len(GOOD)


def test_what_cannot_be_done_leaves_nothing(tmp_path):
    source = write(tmp_path / "c.jsonl", [record(1, passage="a"), "{"])
    output, removed = tmp_path / "o" / "out.jsonl", tmp_path / "removed.jsonl"
    with pytest.raises(
        CorpusError, match=r"no record is left: the rule '(invalid|too-short)' removed 1 of 2"
    ):
        clean(source, output, KEEP, removed=removed)
    assert not removed.exists()
    assert not list((tmp_path / "o").iterdir())
    with pytest.raises(OutputError, match="two outputs"):
        clean(source, output, KEEP, removed=output)
    removed.write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        clean(source, output, KEEP, removed=removed)
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(CorpusError, match="the file is empty"):
        clean(tmp_path / "empty.jsonl", output, KEEP)
