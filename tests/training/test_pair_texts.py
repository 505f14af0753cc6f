import pytest

from isogloss.corpus import ParallelCorpus
from isogloss.encoding.prompts import Prompts
from isogloss.training.batch_loading import PairCollator
from isogloss.training.pair_texts import PairDataset, PairTexts
from tests.conftest import records


@pytest.fixture
def pairs():
    corpora = [
        ParallelCorpus.from_records(records(5, ("de", "en"), negatives=True), name="first"),
        ParallelCorpus.from_records(records(3, ("en", "zh"), first=90), name="second"),
    ]
    return PairDataset(corpora, hard_negatives=1)


def test_every_pair_gives_the_texts_of_its_item_and_languages(pairs):
    space = pairs.space
    assert space.languages == ("de", "en", "zh")
    de, en, zh = range(3)
    assert pairs[int(space.encode([2], [de], [en])[0])] == PairTexts(
        "was ist erde 2?",
        "this is earth 2.",
        ("this is wood 502.",),
        frozenset({"this is earth 2.", "das ist erde 2."}),
    )
    # Item 5 is the first of the second corpus, which has no negatives.
    answers = frozenset({"this is water 90.", "答 水 90."})
    assert pairs[int(space.encode([5], [zh], [en])[0])] == PairTexts(
        "问 水 90?", "this is water 90.", (), answers
    )


def test_collating_puts_prompts_before_texts_and_negatives_after_positives():
    seen = []

    def preprocess(texts, prompt, **limit):
        seen.append((texts, prompt, limit))
        return {"input_ids": texts}

    collate = PairCollator(preprocess, Prompts("q: ", "p: "), max_length=9)
    batch = collate([PairTexts("a?", "A", ("N", "B")), PairTexts("b?", "B", ("N", "M"))])
    # B is a positive of this batch and N is there once: neither may be a negative (again).
    assert seen == [
        (["a?", "b?"], "q: ", {"max_length": 9}),
        (["A", "B", "N", "M"], "p: ", {"max_length": 9}),
    ]
    assert set(batch) == {"query_input_ids", "passage_input_ids"}
