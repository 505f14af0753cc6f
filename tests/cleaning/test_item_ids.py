"""Ids that say what item they are of, and those that anyone might give."""

import random

import pytest

from isogloss.cleaning.item_ids import telling_id

SQUAD = "56beb4343aeaaa14008c925b"
MLQA = "3ff87caab3a10f2ab296c432985a769bdece26b6"
NATURAL_QUESTIONS = "5655493461695504401"
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    "item", [SQUAD, MLQA, NATURAL_QUESTIONS, "-7449157003522518870", UUID, f"{SQUAD}#2", f"q_{SQUAD}"]
)
def test_ids_that_no_two_data_sets_give(item):
    assert telling_id(item) == item
    assert telling_id(item.upper()) == item
    for language in ("de", "zh-Hans", "pt-BR", "zh-Hant-TW", "es-419", "fil"):
        assert telling_id(f"{language}-{item}") == item


@pytest.mark.parametrize(
    "item",
    [
        "",
        "7",
        "item-7",
        "1234567",
        "q1-passage-3",
        # Long, and of anyone's making.
        "customer-question-0012",
        "biencoder-nq-train-12",
        "train-00000-of-00002-17",
        "clips/mfaq:en_flat:train-7",
        "de-default/train/0000-7",
        "arabic-0",
        # Counters filled up with zeros, and times.
        "0000000000000017",
        "000000000000000000017",
        "00000000-0000-0000-0000-000000000017",
        "100000000000000001",
        "20240115",
        "20240115103000",
        "20240115103000123",
        "2024-01-15T10:30:00.123",
        "1705314600000",
        # Words and short hashes.
        "deadbeefdeadbeef",
        "facadefacadefacade",
        "abcdefabcdefabcdef",
        "1a2b3c4d",
        "56beb4343aeaaa1",
        f"x{SQUAD}",
        f"{SQUAD}z",
    ],
)
def test_ids_that_say_nothing(item):
    assert telling_id(item) is None
    assert telling_id(f"de-{item}") is None


def test_only_a_language_is_taken_off():
    assert telling_id(f"paragraph-{SQUAD}") == f"paragraph-{SQUAD}"
    assert telling_id(f"xx-{SQUAD}") == f"xx-{SQUAD}"
    # Another question on one paragraph is another item.
    assert telling_id(f"de-{SQUAD}-1") != telling_id(f"en-{SQUAD}-2")


def test_random_numbers_are_nearly_all_telling():
    generator = random.Random(0)
    for digits, alphabet in ((24, "0123456789abcdef"), (19, "0123456789")):
        ids = ["".join(generator.choices(alphabet, k=digits)) for _ in range(2000)]
        assert sum(telling_id(item) == item for item in ids) >= 1990
