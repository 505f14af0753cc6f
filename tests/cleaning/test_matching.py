import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.cleaning.characters import comparable_characters
from isogloss.cleaning.evaluation_texts import EvaluationTexts
from isogloss.cleaning.hashing import shingles
from isogloss.cleaning.matching import EvaluationIndex, MatchingOptions

LONG = "the quick brown fox jumps over the lazy dog near the old river bank today"


def index(*texts, sides=None, **options):
    sides = sides or ["query"] * len(texts)
    count = len(texts)
    made = EvaluationTexts(
        list(texts), ["b"] * count, list(sides), ["en"] * count, list(map(str, range(count)))
    )
    return EvaluationIndex(made, MatchingOptions(**options))


def found(index, *texts, are_queries=True):
    matches = index.find(list(texts), np.full(len(texts), are_queries))
    return {(match.text, match.evaluation): (match.kind, round(match.value, 3)) for match in matches}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LONG, ("exact", 1.0)),
        (LONG.upper() + "?!", ("exact", 1.0)),
        (f"Before it. {LONG}, and after.", ("contained", 1.0)),
        (LONG.replace("today", "now"), ("contained", 0.933)),
        # The longest run of the same words has seven of them, and eight are asked for.
        (LONG.replace("quick", "quikc").replace("dog", "cat"), ("near-duplicate", 0.711)),
        ("a text about something else altogether, with as many words as it takes", None),
        ("", None),
    ],
)
def test_worked_cases(text, expected):
    assert found(index(LONG), text).get((0, 0)) == expected


def test_coverage_counts_the_words_of_the_runs():
    words = [f"w{number}" for number in range(20)]
    changed = [*words[:9], "other", *words[10:]]
    # Runs of 9 and of 10 words: 19 of 20.
    assert found(index(" ".join(words)), " ".join(changed)) == {(0, 0): ("contained", 0.95)}
    # In runs of 10 only the second counts.
    one = found(index(" ".join(words), ngram=10, coverage=0.4), " ".join(changed))
    assert one == {(0, 0): ("contained", 0.5)}


def test_a_training_text_that_is_part_of_an_evaluation_text_matches():
    words = [f"w{number}" for number in range(30)]
    assert found(index(" ".join(words)), " ".join(words[5:17])) == {(0, 0): ("contained", 1.0)}


def test_short_evaluation_texts_match_whole_texts_of_their_side_only():
    one = index("Yes, of course", sides=["passage"])
    assert found(one, "yes of course!", are_queries=False) == {(0, 0): ("exact", 1.0)}
    assert found(one, "yes of course!", are_queries=True) == {}
    assert found(one, "He said yes, of course.", are_queries=False) == {}


def test_a_text_shorter_than_a_run_is_found_as_a_whole():
    one = index("Beyoncé founded Destiny's Child")
    assert found(one, "In 1990 Beyoncé founded Destiny's Child, they say.") == {(0, 0): ("contained", 1.0)}
    assert found(one, "In 1990 Beyoncé founded the Destiny's Child group.") == {}


def test_scripts_without_spaces():
    text = "这是一个关于水资源管理的很长的句子而且没有空格"
    assert found(index(text), f"前面的话。{text}后面的话") == {(0, 0): ("contained", 1.0)}
    assert found(index(text), text.replace("管理", "保护"))[0, 0][0] == "near-duplicate"
    assert found(index(text), "完全不同的另外一句话讲的是天气和农业的事情") == {}


def test_near_duplicates_can_be_left_out():
    text = LONG.replace("quick", "quikc").replace("lazy", "lzay").replace("old", "odl")
    assert found(index(LONG), text)[0, 0][0] == "near-duplicate"
    assert found(index(LONG, similarity=None), text) == {}
    assert found(index(LONG, coverage=2.0, similarity=None), f"{LONG} and more") == {}


def test_nothing_to_compare():
    assert found(index(), "a text of some words") == {}
    assert found(index("", "!?"), "", "a text") == {}
    assert index("a text").find([], np.zeros(0, np.bool_)) == []


WORDS = st.lists(st.sampled_from("alpha beta gamma delta epsilon zeta".split()), min_size=1, max_size=14)


@settings(max_examples=60)
@given(st.lists(WORDS, min_size=1, max_size=4), st.lists(WORDS, min_size=1, max_size=4))
def test_containment_is_that_of_a_slow_twin(evaluation, training):
    one = index(*map(" ".join, evaluation), ngram=3, coverage=0.6, similarity=None, min_characters=1)
    matches = found(one, *map(" ".join, training))
    for number, text in enumerate(training):
        for entry, other in enumerate(evaluation):
            share = slow_coverage(text, other, 3)
            if text == other:
                assert matches[number, entry] == ("exact", 1.0)
            elif share >= 0.6:
                assert matches[number, entry] == ("contained", round(share, 3))
            else:
                assert (number, entry) not in matches


def slow_coverage(text, evaluation, size):
    size = min(size, len(evaluation))
    shared = [
        {tuple(words[at : at + size]) for at in range(len(words) - size + 1)} for words in (text, evaluation)
    ]
    covered = [
        {
            at + step
            for at in range(len(words) - size + 1)
            if tuple(words[at : at + size]) in shared[0] & shared[1]
            for step in range(size)
        }
        for words in (text, evaluation)
    ]
    return min(map(len, covered)) / min(len(text), len(evaluation))


def test_a_phrase_said_once_does_not_cover_its_repetitions():
    phrase = [f"w{number}" for number in range(8)]
    other = [f"v{number}" for number in range(12)]
    # Eight words of twenty are shared, though they cover all forty of the other text.
    once, again = " ".join(phrase + other), " ".join(phrase * 5)
    assert found(index(again, coverage=0.3), once) == {(0, 0): ("contained", 0.4)}
    assert found(index(once, coverage=0.3), again) == {(0, 0): ("contained", 0.4)}
    assert found(index(again, similarity=None), once) == {}


def test_every_near_duplicate_that_is_found_has_the_similarity_it_says():
    texts = [
        f"a question about {word} and how it came to be" for word in ("rivers", "river", "mountains", "money")
    ]
    for (number, entry), (kind, value) in found(index(*texts, coverage=2.0), *texts).items():
        sets = [
            set(one.tolist())
            for one in map(shingles(comparable_characters(texts)).__getitem__, (number, entry))
        ]
        similarity = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
        assert kind == ("exact" if number == entry else "near-duplicate")
        assert value == pytest.approx(similarity, abs=1e-3)
        assert value >= 0.55
