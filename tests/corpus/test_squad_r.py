import json

import pytest

from isogloss.corpus import RetrievalBenchmark, Version, check_corpus, load_benchmark, read_corpus
from isogloss.errors import BenchmarkError, CorpusError
from tests.corpus.making import squad_paragraph


def write(folder, language, *paragraphs, title="T"):
    folder.mkdir(exist_ok=True)
    document = {"data": [{"title": title, "paragraphs": list(paragraphs)}]}
    (folder / f"{language}.json").write_text(json.dumps(document))


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "tiny-r"
    write(
        folder,
        "en",
        squad_paragraph(
            ["One.", "Two.", "One."], [("q1", "first?", 0), ("q2", "again?", 2), ("q3", "same?", 2)]
        ),
        squad_paragraph(["Three."], []),
    )
    write(folder, "iw", squad_paragraph(["Aleph.", "Bet."], [("q2", "shuv?", 1)]))
    (folder / "LICENSE").write_text("free")
    (folder / "metadata.json").write_text("{}")
    return folder


def test_a_folder_reads_as_a_corpus(folder):
    corpus = read_corpus(folder)
    assert corpus.name == "tiny-r"
    assert corpus.languages == ("en", "he")
    assert corpus.version(1, "he") == Version("q2", "he", "shuv?", "Bet.", "T", ("Aleph.",))
    assert corpus.passage(0, "en") == corpus.passage(1, "en") == "One."
    assert corpus.ids == ["q1", "q2", "q3"]
    assert corpus.groups.tolist() == [0, 0, 0]


def test_hard_negatives_are_the_other_sentences_the_nearest_first(tmp_path):
    sentences = ["a", "b", "c", "b", "d", " ", "e"]
    write(
        tmp_path / "r",
        "en",
        squad_paragraph(sentences, [("first", "?", 0), ("fourth", "?", 3), ("last", "?", 6)]),
    )
    corpus = read_corpus(tmp_path / "r")
    # The answer's own text, blank sentences and repetitions are none.
    assert corpus.negatives(0, "en") == ("b", "c", "d", "e")
    assert corpus.negatives(1, "en") == ("c", "d", "a", "e")
    assert corpus.negatives(2, "en") == ("d", "b", "c", "a")


def test_a_folder_reads_as_a_benchmark_of_all_sentences_with_duplicates(folder):
    benchmark = load_benchmark(folder)
    assert benchmark.name == "tiny-r"
    assert benchmark.candidate_ids == [
        "en-00000-000", "en-00000-001", "en-00000-002", "en-00001-000", "he-00000-000", "he-00000-001",
    ]  # fmt: skip
    assert benchmark.candidate_texts == ["One.", "Two.", "One.", "Three.", "Aleph.", "Bet."]
    assert benchmark.candidate_parallel_ids == [["q1"], [], ["q2", "q3"], [], [], ["q2"]]
    assert benchmark.query_ids == ["en:q1", "en:q2", "en:q3", "he:q2"]
    assert benchmark.query_parallel_ids == ["q1", "q2", "q3", "q2"]
    assert benchmark.query_texts == ["first?", "again?", "same?", "shuv?"]
    assert benchmark.qrels.tolist() == [[0, 0], [1, 2], [1, 5], [2, 2], [3, 2], [3, 5]]


GOOD = squad_paragraph(["One."], [("q", "?", 0)])


@pytest.mark.parametrize(
    ("document", "kind", "message"),
    [
        ("{", "bad-json", "en.json: bad JSON"),
        (b"\xff", "invalid-utf-8", "en.json: invalid UTF-8 at byte 0"),
        ({"data": 3}, "bad-squad-r", "not of the SQuAD-R form"),
        ([], "bad-squad-r", "not of the SQuAD-R form"),
        (
            {"data": [{"paragraphs": [{"context": "One."}]}]},
            "bad-squad-r",
            "paragraph 0 .*'sentences' is missing",
        ),
        (
            {"data": [{"paragraphs": [GOOD, {**GOOD, "sentences": []}]}]},
            "bad-squad-r",
            "paragraph 1 .*0 sentences, 1 ",
        ),
        ({"data": [{"paragraphs": [{**GOOD, "sentences": [1]}]}]}, "bad-squad-r", "a sentence is no string"),
        (
            {"data": [{"paragraphs": [{**GOOD, "sentence_breaks": [[0, 1]]}]}]},
            "no-answer-sentence",
            "id 'q'.*0 sentences hold|0 sentences hold.*id 'q'",
        ),
        (
            {"data": [{"paragraphs": [{**GOOD, "qas": [{"id": "q", "question": "?", "answers": []}]}]}]},
            "bad-squad-r",
            "paragraph 0",
        ),
    ],
)
def test_bad_files_are_errors_and_problems(tmp_path, document, kind, message):
    text = (
        document if isinstance(document, bytes) else document.encode() if isinstance(document, str) else None
    )
    (tmp_path / "en.json").write_bytes(json.dumps(document).encode() if text is None else text)
    with pytest.raises(CorpusError, match=message):
        read_corpus(tmp_path)
    with pytest.raises(BenchmarkError, match=message):
        load_benchmark(tmp_path)
    problem = check_corpus(tmp_path).problems[0]
    assert (problem.kind, problem.file, problem.line, problem.language) == (
        kind,
        str(tmp_path / "en.json"),
        None,
        "en",
    )


def test_a_question_that_comes_twice_is_an_error(tmp_path):
    write(tmp_path, "en", GOOD, GOOD)
    with pytest.raises(
        CorpusError, match=r"en.json: question 2: id 'q' comes twice .* first at .*en.json: question 1"
    ):
        read_corpus(tmp_path)
    with pytest.raises(BenchmarkError, match="query id 'en:q' comes twice"):
        RetrievalBenchmark.from_squad_r(tmp_path)


def test_file_names_that_look_like_languages_but_are_none(tmp_path):
    write(tmp_path, "en", GOOD)
    write(tmp_path, "xx", GOOD)
    for read in (read_corpus, load_benchmark, check_corpus):
        with pytest.raises(CorpusError, match="'xx' is not a known language code"):
            read(tmp_path)
    (tmp_path / "xx.json").unlink()
    write(tmp_path, "eng", GOOD)
    with pytest.raises(CorpusError, match="the language 'en' has a file already"):
        read_corpus(tmp_path)
