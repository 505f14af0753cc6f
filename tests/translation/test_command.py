"""Programs as engines: small scripts that misbehave one at a time, and the real Apertium."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time

import pytest

from isogloss.errors import ModelError, RecipeError
from isogloss.translation.engine import EngineStopped, Failure
from isogloss.translation.engines.command import CommandEngine

APERTIUM = "apertium -u {source}-{target}"


def engine(template, **options):
    usual = {"codes": {}, "version": None, "batch_size": 100, "at_once": 1, "timeout": 20.0}
    return CommandEngine(template, **{**usual, **options})


@pytest.fixture
def script(tmp_path):
    """A program that runs `body` for each line, with `line`, `source` and `target`, and notes that it was started."""

    def make(body, **options):
        path, starts = tmp_path / "program.py", tmp_path / "starts"
        path.write_text(
            "import os, sys, time\n"
            f"open({str(starts)!r}, 'a').write('x')\n"
            "source, target = sys.argv[1:3]\n"
            "lines = sys.stdin.read().splitlines()\n"
            f"for line in lines:\n{''.join(f'    {part}{chr(10)}' for part in body.splitlines())}"
        )
        made = engine(f"{sys.executable} {path} {{source}} {{target_tag}}", **options)
        made.starts = lambda: len(starts.read_text())
        return made

    return make


def test_lines_go_through_with_codes_of_both_kinds(script):
    upper = script("print(source, target, line.upper(), sep='|')")
    assert upper.refusal("en", "es") is None
    assert upper.translate(["a", "ß ü"], "en", "es") == ["eng|es|A", "eng|es|SS Ü"]
    assert script("print(source)", codes={"en": "anglais"}).translate(["a"], "en", "es") == ["anglais"]
    assert upper.starts() == 3


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("print(line)\nif line == 'bad': print('twice')", "engine: 2 lines for 1"),
        ("if line != 'bad': print(line)", "engine: no output"),
        ("print(line)\nif line == 'bad': sys.exit('oh no')", "engine: exit code 1: oh no"),
        ("if line == 'bad': os.kill(os.getpid(), 11)\nprint(line)", "engine: exit code -11: it says nothing"),
        ("if line == 'bad': time.sleep(60)\nprint(line)", "engine: no answer within 0.7 s"),
    ],
)
def test_the_line_that_it_fails_on_is_found(script, body, reason):
    lines = [f"line {number}" for number in range(8)]
    lines[5] = "bad"
    timeout = 0.7 if "sleep" in body else 20.0
    expected = [line if line != "bad" else Failure(reason) for line in lines]
    assert script(body, timeout=timeout).translate(lines, "en", "es") == expected


def test_what_translates_nothing_at_all_is_an_error(script):
    silent = script("print('cg-proc: command not found', file=sys.stderr)")
    with pytest.raises(ModelError, match=r"8 sentences failed and none went well: no output: cg-proc"):
        silent.translate([f"line {number}" for number in range(100)], "en", "es")
    assert silent.starts() < 40


def test_the_longest_sentences_may_all_fail(script):
    picky = script("if len(line) > 20: sys.exit('too long')\nprint(line)")
    long = [f"{'x' * 30} {number}" for number in range(20)]
    assert picky.translate(long, "en", "es") == [Failure("engine: exit code 1: too long")] * 20
    assert picky.translate(["short", long[0]], "en", "es")[0] == "short"


def test_a_program_that_refuses_the_languages_is_asked_before_it_is_given_sentences():
    picky = engine(f"{sys.executable} -c \"import sys; sys.exit('no '+sys.argv[1])\" {{target}}")
    assert "exit code 1: no spa; if it has another code for en or es, give it: --code es=" in picky.refusal(
        "en", "es"
    )


@pytest.mark.parametrize(
    ("template", "error", "says"),
    [
        ("no-such-program-1 {source}", ModelError, "there is no program 'no-such-program-1'"),
        ("cat {sauce}", RecipeError, r"\{sauce\} stands for nothing"),
        ("cat 'open", RecipeError, "No closing quotation"),
        (" ", RecipeError, "name a program"),
    ],
)
def test_wrong_command_lines(template, error, says):
    with pytest.raises(error, match=says):
        engine(template)


def test_stopping_ends_the_program_and_what_it_started(script):
    slow = script("import subprocess; subprocess.run(['sleep', '61.5'])")
    raised = []

    def work():
        try:
            slow.translate(["a"], "en", "es")
        except EngineStopped:
            raised.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    while subprocess.run(["pgrep", "-f", "sleep 61.5"], capture_output=True).returncode:
        time.sleep(0.02)
    slow.stop()
    thread.join(10)
    assert raised == [True]
    assert subprocess.run(["pgrep", "-f", "sleep 61.5"], capture_output=True).returncode


def test_the_identity_says_what_translations_depend_on():
    plain = engine("cat").identity()
    assert plain != engine("cat", version="2").identity()
    assert plain != engine("cat", codes={"es": "spa_x"}).identity()
    assert plain != engine("cat", blank_lines=True).identity()
    assert plain == engine("cat", batch_size=7, at_once=3, timeout=1.0).identity()


def test_empty_lines_part_sentences():
    assert engine("cat", blank_lines=True).translate(["a", "b"], "en", "es") == ["a", "b"]
    double = engine("sed s/^$/x/", blank_lines=True)
    # It makes something of the empty line: then nothing says which line is which.
    assert double.translate(["a"], "en", "es") == [Failure("engine: 2 lines for 1")]


def apertium(source, target):
    if shutil.which("apertium") is None:
        pytest.skip("needs Apertium: apt-get install apertium apertium-eng-spa apertium-spa-cat cg3")
    if (
        f"{source}-{target}"
        not in subprocess.run(["apertium", "-l"], capture_output=True, text=True).stdout.split()
    ):
        pytest.skip(f"needs Apertium's pair {source}-{target}")
    return engine(APERTIUM)


def test_apertium_translates_english_to_spanish():
    spanish = apertium("eng", "spa")
    assert spanish.refusal("en", "es") is None
    assert "Mode eng-xho does not exist" in spanish.refusal("en", "xh")
    assert spanish.translate(["The house is big.", "The cat is black."], "en", "es") == [
        "La casa es grande.",
        "El gato es negro.",
    ]


def test_apertium_does_not_translate_across_the_ends_of_lines():
    spanish = apertium("eng", "spa")
    # On adjacent lines, "a big / house" becomes "una casa / grande".
    assert spanish.translate(["a big", "house"], "en", "es") == [
        *spanish.translate(["a big"], "en", "es"),
        *spanish.translate(["house"], "en", "es"),
    ]


def test_apertium_translates_spanish_to_catalan():
    if shutil.which("cg-proc") is None:
        pytest.skip("needs cg3, without which Apertium's spa-cat writes nothing")
    catalan = apertium("spa", "cat")
    assert catalan.translate(["El perro corre.", "La casa es grande."], "es", "ca") == [
        "El gos corre.",
        "La casa és gran.",
    ]
