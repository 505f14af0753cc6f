import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from isogloss.cleaning.characters import TextArray, comparable_characters
from isogloss.cleaning.hashing import ranges, run_hashes, shingles, units, windows

TEXTS = st.lists(st.text(alphabet="ab cé好世界ที한국", max_size=12), max_size=5)


def texts_of(array):
    return ["".join(map(chr, array[number])) for number in range(len(array))]


def slow_units(text):
    """Words, each character of a spaceless script one of its own."""
    found, word = [], ""
    for character in text + " ":
        alone = character in "好世界ที"
        if alone or character == " ":
            found += [word] * bool(word) + [character] * alone
            word = ""
        else:
            word += character
    return found


def slow_shingles(text):
    if not text:
        return []
    dense = sum(character in "好世界한국" for character in text)
    size = 2 if 2 * dense > len(text) else 4
    return [text[at : at + size] for at in range(max(len(text) - size + 1, 1))]


@given(TEXTS)
def test_units_and_shingles_are_those_of_the_slow_twins(texts):
    characters = comparable_characters(texts)
    for fast, slow in ((units, slow_units), (shingles, slow_shingles)):
        found = fast(characters)
        expected = [slow(text) for text in texts_of(characters)]
        assert found.lengths.tolist() == [len(one) for one in expected]
        # The hashes are of what the twin found: equal where that is equal, and nowhere else.
        pairs = set(zip((piece for one in expected for piece in one), found.values.tolist(), strict=True))
        assert len(pairs) == len({piece for piece, _ in pairs}) == len({value for _, value in pairs})


@given(TEXTS)
def test_run_hashes_tell_texts_apart(texts):
    characters = comparable_characters(texts)
    pairs = set(zip(texts_of(characters), run_hashes(characters).tolist(), strict=True))
    assert len(pairs) == len({text for text, _ in pairs}) == len({value for _, value in pairs})


def test_a_text_hashes_alike_wherever_it_stands():
    alone = comparable_characters(["the same text"])
    among = comparable_characters(["another", "", "the same text", "x"])
    assert run_hashes(alone)[0] == run_hashes(among)[2]
    assert np.array_equal(shingles(alone)[0], shingles(among)[2])
    assert np.array_equal(units(alone)[0], units(among)[2])


def test_hashes_stay_the_same_between_versions():
    assert hex(int(run_hashes(comparable_characters(["isogloss"]))[0])) == HASH


HASH = "0x9b160a0e1665c04d"


def test_windows():
    values = np.arange(5, dtype=np.uint64)
    assert len(windows(values, 3)) == 3
    assert len(windows(values, 6)) == 0
    assert windows(values, 3)[1] == windows(values[1:4], 3)[0]


def test_ranges():
    assert ranges(np.array([5, 0, 7]), np.array([2, 0, 3])).tolist() == [5, 6, 7, 8, 9]


def test_nothing():
    empty = comparable_characters([])
    assert len(units(empty)) == len(shingles(empty)) == len(run_hashes(empty)) == 0
    blank = comparable_characters(["", "!"])
    assert (
        units(blank).lengths.tolist()
        == shingles(blank).lengths.tolist()
        == run_hashes(blank).tolist()
        == [0, 0]
    )
    assert len(TextArray(np.empty(0, np.uint64), np.zeros(1, np.int64))) == 0
