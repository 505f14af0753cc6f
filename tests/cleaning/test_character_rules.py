import numpy as np
import pytest

from isogloss.cleaning.character_rules import character_figures, character_verdict, script_shares
from isogloss.cleaning.characters import comparable_characters
from isogloss.cleaning.options import CleaningOptions


def figures(*texts):
    return character_figures(texts, comparable_characters(texts))


def test_counts():
    one = figures("ab 1!", "", "aaab  ccccc", "हिन्दी")
    assert one.letters.tolist() == [2, 0, 9, 6]
    assert one.kept.tolist() == [3, 0, 9, 6]
    assert one.visible.tolist() == [4, 0, 9, 6]
    assert one.repeated.tolist() == [1, 0, 5, 1]


def test_rows_do_not_run_over_from_text_to_text():
    assert figures("aa", "aaa", "", "a").repeated.tolist() == [2, 3, 0, 1]


def slow_repetition(words, size):
    runs = [tuple(words[at : at + size]) for at in range(len(words) - size + 1)]
    return 1 - len(set(runs)) / len(runs) if len(runs) >= 10 else 0


@pytest.mark.parametrize(
    "text", ["the cat sat " * 8, " ".join(f"w{number}" for number in range(30)), "so so so so", ""]
)
def test_repetition(text):
    others = ["one two three", "x y z " * 5]
    found = figures(others[0], text, others[1]).repetition
    assert found[1] == pytest.approx(slow_repetition(text.split(), 4))
    assert found[0] == 0


def test_repetition_without_spaces():
    assert figures("ฉันชอบ" * 8).repetition[0] == pytest.approx(slow_repetition("ฉันชอบ" * 8, 12))
    assert figures("เอดิสันเป็นหนึ่งในผู้ได้รับการเสนอชื่อและเทสลาก็เช่นกัน").repetition[0] == 0


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("no markup: 3 < 4 & 5 > 2", 0),
        ("<b>bold</b>", 7 / 11),
        ("see https://example.org/a?b=c now", 25 / 33),
        ("a &amp; b", 5 / 9),
        ("www.example.org", 1),
    ],
)
def test_markup(text, share):
    assert figures(text).markup[0] == pytest.approx(share)


@pytest.mark.parametrize(
    ("text", "language", "share"),
    [
        ("hello", "en", 1),
        ("привет", "en", 0),
        ("привет", "ru", 1),
        ("привет all", "ru", 6 / 9),
        ("zdravo", "sr", 1),
        ("здраво", "sr", 1),
        ("日本語のテキスト", "ja", 1),
        ("日本", "zh-Hant", 1),
        ("한국어 漢字", "ko", 1),
        ("हिन्दी", "hi", 1),
        ("1234", "en", 1),
        ("text", "tlh", 1),
    ],
)
def test_scripts(text, language, share):
    assert script_shares(["x", text], ["en", language])[1] == pytest.approx(share)


def test_each_rule_takes_what_it_should():
    good = "a good question about the old river boats"
    bad = {
        "too-short": "a",
        "few-letters": "1234 5678 9 ab",
        "repeated-character": "no" + "o" * 30,
        "repetition": "say it again and " * 6,
        "markup": "<div class='x'></div> text",
    }
    queries = [good, *bad.values(), good]
    passages = [good] * len(queries)
    query, passage = figures(*queries), figures(*passages)
    scripts = np.ones(len(queries))
    scripts[-1] = 0.1
    verdict = character_verdict(query, passage, scripts, CleaningOptions())
    for number, rule in enumerate(bad, start=1):
        assert verdict[rule][0].tolist()[number], rule
        assert not verdict[rule][0][0]
    assert verdict["script"][0].tolist() == [False] * 6 + [True]
    off = CleaningOptions(max_repetition=None, max_markup=None, max_repeated_characters=None)
    assert set(character_verdict(query, passage, scripts, off)) == {"too-short", "few-letters", "script"}
