"""`isogloss data translate`: corpora through small programs, stopped, gone on with, changed, and in part failing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from isogloss.corpus import read_corpus
from tests.translation.chat_server import serving, translation_of

RECORDS = [
    {
        "id": "a",
        "language": "en",
        "query": "Where is it?",
        "passage": "It is here. It is blue.\n\nIt is 7.",
        "title": "Places",
        "negatives": ["It is not here.", "It is here. It is blue.\n\nIt is 7."],
        "dataset": "d",
    },
    {"id": "b", "language": "en", "query": "Where is it?", "passage": "It is bad."},
    {"id": "c", "language": "en", "query": "Who?", "passage": "1984"},
    {"id": "c", "language": "es", "query": "Quién?", "passage": "En 1984."},
]
SENTENCES = {
    "Where is it?",
    "It is here.",
    "It is blue.",
    "It is 7.",
    "Places",
    "It is not here.",
    "It is bad.",
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ISOGLOSS_CACHE", str(tmp_path / "cache"))
    for name in ("OPENAI_API_KEY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def corpus(tmp_path):
    return write(tmp_path / "faq.jsonl", RECORDS)


def write(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def program(tmp_path):
    """A program that puts `target:` before each line, and notes the lines; `body` may do something else."""
    seen = tmp_path / "seen"

    def make(body="print(f'{target}:{line}')"):
        path = tmp_path / "program.py"
        path.write_text(
            "import sys, time\n"
            "target = sys.argv[1]\n"
            "for line in sys.stdin.read().splitlines():\n"
            f"    open({str(seen)!r}, 'a').write(target + ' ' + line + '\\n')\n"
            + "".join(f"    {part}\n" for part in body.splitlines())
        )
        return f"command:{sys.executable} {path} {{target_tag}}"

    def take():
        taken = seen.read_text().splitlines() if seen.exists() else []
        seen.unlink(missing_ok=True)
        return taken

    make.taken = take
    return make


def test_a_corpus_is_translated_sentence_by_sentence_each_once(run, corpus, program, tmp_path):
    output = tmp_path / "out.jsonl"
    options = ("data", "translate", corpus, "--from", "en", "--to", "es,zh", "--output", output)
    code, out, err = run(*options, "--engine", program())
    assert code == 0, err
    made = lines(output)
    assert made[0] == RECORDS[0]
    assert made[1] == {
        "id": "a",
        "language": "es",
        "query": "es:Where is it?",
        "passage": "es:It is here. es:It is blue.\n\nes:It is 7.",
        "title": "es:Places",
        "negatives": ["es:It is not here."],
        "dataset": "d",
    }
    # Chinese is written without a space between sentences.
    assert made[2]["passage"] == "zh:It is here.zh:It is blue.\n\nzh:It is 7."
    # What exists in the language stays as it is; what has no letter is not translated.
    assert [(record["id"], record["language"]) for record in made[6:]] == [
        ("c", "en"),
        ("c", "zh"),
        ("c", "es"),
    ]
    assert made[7]["passage"] == "1984"
    assert made[8] == RECORDS[3]
    read_corpus(output)
    assert sorted(program.taken()) == sorted(
        [f"es {sentence}" for sentence in SENTENCES] + [f"zh {sentence}" for sentence in {*SENTENCES, "Who?"}]
    )
    # A negative that is its own passage would be a false one.
    problems = lines(tmp_path / "out.failures.jsonl")
    assert [(problem["field"], problem["reason"], problem["record"]) for problem in problems] == [
        ("negatives[1]", "same as the passage", "kept without it")
    ] * 2
    assert "out.failures.jsonl" in out


def test_the_same_command_translates_nothing_anew_and_a_changed_corpus_what_is_new(
    run, corpus, program, tmp_path
):
    def translated(*options):
        code, _, err = run(
            *("data", "translate", corpus, "--from", "en", "--to", "de"),
            *("--output", tmp_path / "out.jsonl", "--engine", engine, *options),
        )
        assert code == 0, err
        return program.taken()

    engine = program()
    assert len(translated()) == 8
    first = (tmp_path / "out.jsonl").read_bytes()
    assert translated() == []
    assert (tmp_path / "out.jsonl").read_bytes() == first
    write(corpus, [*RECORDS, {"id": "d", "language": "en", "query": "Who?", "passage": "It is here. New."}])
    assert translated() == ["de New."]
    assert len(translated("--engine-version", "2")) == 9
    assert len(translated("--cache", tmp_path / "other.sqlite")) == 9


def test_what_fails_is_left_out_said_and_tried_again_when_asked(run, corpus, program, tmp_path):
    output, side = tmp_path / "out.jsonl", tmp_path / "out.failures.jsonl"
    engine = program(
        "if 'bad' in line: print()\n"
        "elif 'Places' in line or 'not' in line: print('go ' * 50)\n"
        "elif 'blue' in line: print(line * 2)\n"
        "else: print(f'{target}:{line}')"
    )
    options = ("data", "translate", corpus, "--from", "en", "--to", "de", "--output", output)
    options = (*options, "--engine", engine)
    code, _, err = run(*options)
    assert code == 0, err
    assert [(record["id"], record["language"]) for record in lines(output)][:3] == [
        ("a", "en"),
        ("a", "de"),
        ("b", "en"),
    ]
    assert "title" not in lines(output)[1]
    assert "negatives" not in lines(output)[1]
    found = {(problem["field"], problem["reason"], problem["record"]) for problem in lines(side)}
    assert found == {
        ("title", "repetition", "kept without it"),
        ("negatives[0]", "repetition", "kept without it"),
        ("negatives[1]", "same as the passage", "kept without it"),
        ("passage", "empty", "left out"),
    }
    assert next(problem for problem in lines(side) if problem["reason"] == "empty") == {
        "id": "b",
        "language": "de",
        "field": "passage",
        "reason": "empty",
        "record": "left out",
        "sentence": "It is bad.",
        "translation": None,
    }
    program.taken()
    program()
    run(*options)
    assert program.taken() == []
    code, _, err = run(*options, "--retry-failed")
    assert code == 0, err
    assert sorted(program.taken()) == ["de It is bad.", "de It is not here.", "de Places"]
    assert lines(output)[3]["passage"] == "de:It is bad."


def test_a_side_file_of_before_goes_where_nothing_is_wrong(run, tmp_path, program):
    corpus = write(tmp_path / "c.jsonl", RECORDS[1:2])
    side = tmp_path / "out.failures.jsonl"
    side.write_text("old")
    options = ("data", "translate", corpus, "--to", "de", "--output", tmp_path / "out.jsonl")
    code, out, _ = run(*options, "--engine", program())
    assert code == 0
    assert not side.exists()
    assert "failures" not in out


def test_copies_are_kept_and_said(run, tmp_path):
    # Three words may well be the same in another language, five are not.
    corpus = write(tmp_path / "c.jsonl", [{**RECORDS[1], "passage": "It is here. It is not over there."}])
    output = tmp_path / "out"
    code, out, err = run(
        "data", "translate", corpus, "--to", "de", "--output", output, "--engine", "command:cat"
    )
    assert code == 0, err
    assert read_corpus(output).languages == ("de", "en")
    assert "copy: 1" in out
    assert lines(tmp_path / "out.failures.jsonl")[0]["record"] == "kept"


@pytest.mark.parametrize("name", ["out.parquet", "out.jsonl.gz", "folder"])
def test_every_form_is_written(run, corpus, program, tmp_path, name):
    output = tmp_path / name
    options = ("data", "translate", corpus, "--from", "en", "--to", "de", "--output", output)
    assert run(*options, "--engine", program())[0] == 0
    made = read_corpus(output)
    assert made.languages == ("de", "en", "es")
    assert made.query(0, "de") == "de:Where is it?"


def big(path):
    return write(
        path,
        [
            {"id": str(number), "language": "en", "query": f"Q{number:03}?", "passage": f"A {number:03}."}
            for number in range(60)
        ],
    )


@pytest.mark.parametrize(("kind", "jobs"), [(signal.SIGKILL, 1), (signal.SIGINT, 1), (signal.SIGINT, 3)])
def test_a_stopped_run_goes_on_where_it_was(run, program, tmp_path, kind, jobs):
    corpus, output = big(tmp_path / "c.jsonl"), tmp_path / "out.jsonl"
    engine = program("print(f'{target}:{line}'); time.sleep(0.02)")
    words = ["data", "translate", corpus, "--to", "de", "--output", output, "--engine", engine]
    words = [*map(str, words), "--batch-size", "4", "--jobs", str(jobs)]
    process = subprocess.Popen(
        [sys.executable, "-m", "isogloss", *words],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
        # A shell hides interrupts from what it starts in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    seen = tmp_path / "seen"
    while not (seen.exists() and seen.read_text().count("\n") > 12):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(kind)
    said = process.communicate(timeout=60)[1]
    if kind == signal.SIGINT:
        assert process.returncode == 130
        assert "of 120 sentences are translated and kept" in said
        assert "Traceback" not in said
    assert not output.exists()
    assert not list(tmp_path.glob(".*part*"))
    time.sleep(0.3)  # what a kill left running may still write lines
    before = program.taken()
    program()
    code, _, err = run(*words)
    assert code == 0, err
    after = program.taken()
    assert {*before, *after} == {f"de {text}" for number in range(60) for text in texts_of(number)}
    # At most the batches at hand are translated a second time.
    assert 120 <= len(before) + len(after) <= 120 + 4 * jobs
    assert len(lines(output)) == 120
    assert lines(output)[1] == {"id": "0", "language": "de", "query": "de:Q000?", "passage": "de:A 000."}


def texts_of(number):
    return f"Q{number:03}?", f"A {number:03}."


def test_several_programs_at_once_give_the_same(run, program, tmp_path):
    corpus = big(tmp_path / "c.jsonl")
    engine = program("print(f'{target}:{line}')\nif '17' in line: sys.exit(1)")
    for jobs in (1, 4):
        options = ("data", "translate", corpus, "--to", "de,fr", "--output", tmp_path / f"{jobs}.jsonl")
        options = (*options, "--cache", tmp_path / f"{jobs}.sqlite", "--batch-size", 16, "--jobs", jobs)
        assert run(*options, "--engine", engine)[0] == 0
    for name in ("{}.jsonl", "{}.failures.jsonl"):
        assert (tmp_path / name.format(1)).read_bytes() == (tmp_path / name.format(4)).read_bytes()
    assert len(lines(tmp_path / "1.failures.jsonl")) == 2 * 2


def test_a_chat_endpoint_with_its_price(run, corpus, tmp_path):
    with serving() as server:
        options = ("data", "translate", corpus, "--from", "en", "--to", "de", "--engine", "openai:m")
        options = (*options, "--base-url", server.url, "--price-per-million-tokens", "1000,20000")
        code, out, err = run(*options, "--output", tmp_path / "out.jsonl", "--batch-size", "4")
    assert code == 0, err
    assert len(server.requests) == 2
    assert "cost: 0.60" in out
    assert lines(tmp_path / "out.jsonl")[1]["title"] == translation_of("Places", "de")


def test_what_came_before_a_server_failed_is_kept(run, corpus, tmp_path):
    with serving() as server:
        server.answer = lambda number, texts: (401, {"error": "no money"}) if number else None
        options = (
            "data",
            "translate",
            corpus,
            "--from",
            "en",
            "--to",
            "de",
            "--engine",
            f"openai:m@{server.url}",
        )
        options = (*options, "--output", tmp_path / "out.jsonl", "--batch-size", "4", "--jobs", "1")
        code, _, err = run(*options)
        assert code == 2
        assert "401: no money" in err
        assert not (tmp_path / "out.jsonl").exists()
        server.answer = lambda number, texts: None
        assert run(*options)[0] == 0
    assert sorted(server.texts) == sorted([*SENTENCES, "Who?", *json.loads(asked(server, 1))])


def asked(server, number):
    return server.requests[number]["messages"][1]["content"]


def test_a_dry_run_counts_and_prices(run, corpus, program, tmp_path):
    options = ("data", "translate", corpus, "--from", "en", "--to", "de", "--output", tmp_path / "out.jsonl")
    options = (*options, "--price-per-million-characters", "20000", "--dry-run", "--engine", program())
    code, out, _ = run(*options)
    characters = sum(map(len, {*SENTENCES, "Who?"}))
    assert code == 0
    assert f"expected cost: {characters * 0.02:.2f}" in out
    assert program.taken() == []
    assert not (tmp_path / "out.jsonl").exists()
    assert not (tmp_path / "cache").exists()


def test_sentences_that_the_engine_cannot_take_are_said_and_the_rest_is_translated(run, tmp_path):
    long = [f"{chr(97 + number) * 7000}." for number in range(2)]
    records = [
        {"id": f"long-{number}", "language": "en", "query": "Who?", "passage": text}
        for number, text in enumerate(long)
    ]
    corpus = write(tmp_path / "c.jsonl", [*records, RECORDS[1]])
    output = tmp_path / "out.jsonl"
    with serving() as server:
        server.answer = lambda number, texts: (
            (400, {"error": "too many tokens"}) if any(len(text) > 6000 for text in texts) else None
        )
        options = ("data", "translate", corpus, "--to", "de", "--engine", f"openai:m@{server.url}")
        code, _, err = run(*options, "--output", output, "--jobs", "1")
    assert code == 0, err
    assert [(one["id"], one["language"]) for one in lines(output)][2:] == [("b", "en"), ("b", "de")]
    problems = lines(tmp_path / "out.failures.jsonl")
    assert [problem["sentence"] for problem in problems] == long
    assert {problem["reason"] for problem in problems} == {"engine: the server answered 400: too many tokens"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--to", "de"], "the corpus is in en, es: say with --from"),
        (["--to", "de", "--from", "fr"], "--from fr: the corpus has no such language; it has en, es"),
        (["--to", "en,de", "--from", "en"], "--to en: the corpus is translated from en"),
        (["--to", "klingonish", "--from", "en"], "'klingonish' is not a known language code"),
        (["--to", ",", "--from", "en"], "--to: name at least one language"),
        (["--to", "de", "--from", "en", "--output", "out.csv"], ".csv is no form to write"),
        (["--to", "de", "--from", "en", "--output", "faq.jsonl"], "the corpus itself would be replaced"),
        (["--to", "de", "--from", "en", "--engine", "babel:fish"], "no such engine"),
        (["--to", "de", "--from", "en", "--engine", "command:"], "no such engine"),
        (
            ["--to", "de", "--from", "en", "--beam-size", "3"],
            "--beam-size goes with transformers and ctranslate2",
        ),
        (["--to", "de", "--from", "en", "--code", "de"], "--code de: give a language"),
        (["--to", "de", "--from", "en", "--price-per-million-tokens", "3"], "goes with openai engines"),
        (
            ["--to", "de", "--from", "en", "--engine", "openai:m@http://x/v1", "--base-url", "http://y/v1"],
            "names a server already",
        ),
    ],
)
def test_wrong_words_are_said_before_anything_is_done(run, corpus, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    usual = {"--engine": "command:cat", "--output": "out.jsonl"}
    given = [word for name, value in usual.items() if name not in words for word in (name, value)]
    code, _, err = run("data", "translate", "faq.jsonl", *words, *given)
    assert code == 2
    assert says in err
    assert "Traceback" not in err
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "cache") == ["faq.jsonl"]
