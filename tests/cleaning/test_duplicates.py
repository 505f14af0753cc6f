import numpy as np
import pytest

from isogloss.cleaning import duplicates as module
from isogloss.cleaning.characters import comparable_characters
from isogloss.cleaning.duplicates import BANDING, SignatureFile, remove_exact_duplicates
from isogloss.cleaning.hashing import run_hashes, shingles
from isogloss.cleaning.minhash import signatures
from isogloss.cleaning.state import RULES, CorpusState

QUERY = "how does the river carry the heavy boats down to the sea in spring"
PASSAGE = (
    "in spring the snow on the mountains melts, the river rises, and boats of any weight go down to the sea"
)


def state_of(rows):
    """A state of rows (item, language number, query, passage)."""
    items, languages, queries, passages = zip(*rows, strict=True) if rows else ((), (), (), ())
    count = len(rows)
    texts = [comparable_characters(list(side)) for side in (queries, passages)]
    made = CorpusState(
        items=np.array(items, np.int32),
        languages=np.array(languages, np.int16),
        found=np.full(count, -1, np.int16),
        query_lengths=texts[0].lengths.astype(np.int32),
        passage_lengths=texts[1].lengths.astype(np.int32),
        query_keys=run_hashes(texts[0]),
        passage_keys=run_hashes(texts[1]),
        rules=np.zeros(count, np.uint8),
        values=np.zeros(count, np.float32),
        others=np.full(count, -1, np.int32),
        names=["en", "de"],
    )
    return made, texts


def removed(state):
    return {
        number: (RULES[state.rules[number]], int(state.others[number]))
        for number in np.flatnonzero(~state.kept).tolist()
    }


def near(tmp_path, rows, similarity=0.8):
    state, texts = state_of(rows)
    with SignatureFile(tmp_path) as file:
        file.add(*texts)
        file.remove_near_duplicates(state, similarity)
    return state


def test_the_later_of_two_equal_items_goes():
    state, _ = state_of(
        [(0, 0, QUERY, PASSAGE), (1, 0, "other", PASSAGE), (2, 0, QUERY.upper() + "?", PASSAGE)]
    )
    remove_exact_duplicates(state)
    assert removed(state) == {2: ("exact-duplicate", 0)}


def test_one_query_with_two_passages_and_the_reverse_are_no_duplicates():
    state, _ = state_of([(0, 0, QUERY, PASSAGE), (1, 0, QUERY, "another"), (2, 0, "another", PASSAGE)])
    remove_exact_duplicates(state)
    assert removed(state) == {}


def test_a_duplicate_in_one_language_takes_the_item_in_all():
    rows = [(0, 0, QUERY, PASSAGE), (1, 0, QUERY, PASSAGE), (1, 1, "eins", "zwei"), (2, 1, "eins", "zwei")]
    state, _ = state_of(rows)
    remove_exact_duplicates(state)
    # The three are one; item 1 is in two languages, the others in one.
    assert removed(state) == {0: ("exact-duplicate", 1), 3: ("exact-duplicate", 1)}


def test_one_text_in_two_languages_is_no_duplicate():
    state, _ = state_of([(0, 0, QUERY, PASSAGE), (1, 1, QUERY, PASSAGE)])
    remove_exact_duplicates(state)
    assert removed(state) == {}


def test_what_is_removed_already_is_not_the_one_that_is_kept():
    state, _ = state_of([(0, 0, QUERY, PASSAGE), (1, 0, QUERY, PASSAGE)])
    state.rules[0] = 2
    remove_exact_duplicates(state)
    assert removed(state) == {0: (RULES[2], -1)}


@pytest.mark.parametrize(
    ("query", "passage", "gone"),
    [
        (QUERY + " please", PASSAGE, True),
        (QUERY.replace("heavy", "haevy"), PASSAGE.replace("any weight", "any wieght"), True),
        (
            QUERY,
            "the sea is far from here, and nobody has seen a boat since the mill was closed years ago",
            False,
        ),
        ("why is the mill closed and who has the key to it now", PASSAGE, False),
    ],
)
def test_near_duplicates(tmp_path, query, passage, gone):
    rows = [(0, 0, QUERY, PASSAGE), (1, 0, "nothing of the kind", "neither is this"), (2, 0, query, passage)]
    state = near(tmp_path, rows, 0.7)
    assert removed(state) == ({2: ("near-duplicate", 0)} if gone else {})
    if gone:
        assert 0.7 <= state.values[2] <= 1


def test_near_duplicates_are_those_that_all_pairs_give(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PAIRS_AT_ONCE", 32)
    generator = np.random.default_rng(5)
    words = [f"word{number}" for number in range(40)]
    rows = []
    for item in range(30):
        query, passage = (list(generator.choice(words, size)) for size in (12, 25))
        rows.append((item, 0, " ".join(query), " ".join(passage)))
    for item in range(30, 45):
        query, passage = (text.split() for text in rows[item - 30][2:])
        passage[generator.integers(len(passage))] = "changed"
        rows.append((item, 0, " ".join(query), " ".join(passage)))
    state = near(tmp_path, rows, 0.75)
    sets = [[set(zip(*[text[at:] for at in range(4)], strict=False)) for text in row[2:]] for row in rows]
    expected = {
        number
        for number in range(len(rows))
        for other in range(number)
        if all(
            len(one & two) / len(one | two) >= 0.75
            for one, two in zip(sets[number], sets[other], strict=True)
        )
    }
    assert expected == set(range(30, 45))
    assert set(removed(state)) == expected


def templated(generator, items, changes=4):
    """Rows of one template with some words of their own; every third is a near duplicate of the one before it."""
    rows = []
    for item in range(items):
        if item % 3 == 2:
            _, _, query, passage = rows[-1]
            passage += " too"
        else:
            query, passage = (
                " ".join(
                    f"w{generator.integers(10**6)}" if at in chosen else f"word{at}" for at in range(size)
                )
                for size in (20, 40)
                for chosen in [set(generator.choice(size, changes))]
            )
        rows.append((item, int(generator.integers(2)) if item % 3 == 0 else rows[-1][1], query, passage))
    return rows


def slow_near_duplicates(rows, similarity):
    """The items of rows that all pairs of records in a band's bucket leave over."""
    sides = [signatures(shingles(comparable_characters([row[at] for row in rows])), 64) for at in (2, 3)]
    groups = {row[0]: {row[0]} for row in rows}
    for number, row in enumerate(rows):
        for other, earlier in enumerate(rows[:number]):
            equal = [(side[number] == side[other]).tolist() for side in sides]
            met = any(all(one[2 * band] and one[2 * band + 1] for one in equal) for band in range(16))
            alike = [(side[number] % 256 == side[other] % 256).mean() for side in sides]
            if row[1] == earlier[1] and met and (min(alike) - 1 / 256) / (1 - 1 / 256) >= similarity:
                whole = groups[row[0]] | groups[earlier[0]]
                groups.update(dict.fromkeys(whole, whole))
    return groups


@pytest.mark.parametrize(("seed", "similarity"), [(0, 0.8), (1, 0.85), (2, 0.7), (3, 0.9)])
def test_all_near_duplicates_of_a_bucket_are_those_of_the_slow_twin(tmp_path, seed, similarity):
    rows = templated(np.random.default_rng(seed), 60, changes=2)
    groups = slow_near_duplicates(rows, similarity)
    state = near(tmp_path, rows, similarity)
    found = removed(state)
    assert set(found) == {item for item, group in groups.items() if item != min(group)}
    assert len(found) >= 19
    assert all(state.items[kept] == min(groups[item]) for item, (_, kept) in found.items())
    assert all(similarity <= state.values[number] <= 1 for number in found)


def test_of_crowds_next_to_nothing_is_missed_and_no_record_is_compared_with_many(tmp_path, monkeypatch):
    rows = templated(np.random.default_rng(6), 600)
    pairs = []
    alike = module._alike
    monkeypatch.setattr(
        module, "_alike", lambda low, part, least: (pairs.append(len(part)), alike(low, part, least))[1]
    )
    monkeypatch.setattr(module, "CROWD", len(rows))
    everything = set(removed(near(tmp_path, rows, 0.85)))
    pairs.clear()
    monkeypatch.setattr(module, "CROWD", 16)
    monkeypatch.setattr(module, "WINDOW", 8)
    found = set(removed(near(tmp_path, rows, 0.85)))
    assert everything == {number for number in range(len(rows)) if number % 3 == 2}
    assert found <= everything
    assert len(found) >= 0.99 * len(everything)
    assert sum(pairs) <= 8 * BANDING.bands * len(rows)


def test_a_crowd_of_one_text_is_one_group(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CROWD", 8)
    monkeypatch.setattr(module, "WINDOW", 4)
    rows = [(item, 0, QUERY, f"{PASSAGE} {item % 7}") for item in range(300)]
    found = removed(near(tmp_path, rows, 0.8))
    assert found == dict.fromkeys(range(1, 300), ("near-duplicate", 0))


def test_nothing(tmp_path):
    state, _ = state_of([])
    remove_exact_duplicates(state)
    assert len(near(tmp_path, [])) == 0
