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


def made(**options):
    corpora = [
        ParallelCorpus.from_records(records(5, ("de", "en", "hi"), negatives=True), name="first"),
        ParallelCorpus.from_records(records(3, ("en", "zh"), first=90), name="second"),
    ]
    return PairDataset(corpora, **options)


def texts(pairs, item, query, passage):
    names = pairs.space.languages
    return pairs[int(pairs.space.encode([item], [names.index(query)], [names.index(passage)])[0])]


@pytest.mark.parametrize(
    ("negative_language", "expected"),
    [
        ("passage", ("this is wood 502.",)),
        ("query", ("das ist holz 502.",)),
        ("both", ("this is wood 502.", "das ist holz 502.")),
    ],
)
def test_negatives_of_either_language(negative_language, expected):
    pairs = made(hard_negatives=1, negative_language=negative_language)
    assert texts(pairs, 2, "de", "en").negatives == expected
    # In a monolingual pair both are one.
    assert texts(pairs, 2, "en", "en").negatives == ("this is wood 502.",)


def test_parallel_positives_are_the_items_passages_in_other_languages():
    pairs = made(parallel_positives=5)
    one = texts(pairs, 2, "de", "en")
    assert set(one.parallel) == {"das ist erde 2.", pairs.corpora[0].passage(2, "hi")}
    assert texts(pairs, 5, "zh", "en").parallel == ("答 水 90.",)
    alone = made(parallel_positives=1)
    chosen = {texts(alone, 2, query, "en").parallel[0] for query in ("de", "en", "hi")}
    assert chosen <= set(one.parallel)
    # Another query language starts elsewhere, and the same pair always at the same place.
    assert texts(alone, 2, "de", "en") == texts(alone, 2, "de", "en")


def test_parallel_positives_keep_to_the_pairs_allowed():
    pairs = made(parallel_positives=5, allows_pair=lambda query, passage: (query, passage) != ("de", "de"))
    assert texts(pairs, 2, "de", "en").parallel == (pairs.corpora[0].passage(2, "hi"),)
    assert "das ist erde 2." in texts(pairs, 2, "en", "en").parallel


def test_parallel_positives_that_meet_the_passage_keep_to_the_pairs_of_both():
    allowed = {
        "parallel_positives": 5,
        "allows_pair": lambda query, passage: (query, passage) != ("hi", "de"),
    }
    assert len(texts(made(**allowed), 2, "en", "de").parallel) == 2
    assert texts(made(**allowed, passages_meet=True), 2, "en", "de").parallel == ("this is earth 2.",)


def test_a_parallel_text_that_is_the_passage_is_none():
    made_of = [
        {"id": "a", "language": language, "query": f"q {language}", "passage": passage}
        for language, passage in (("de", "42"), ("en", " 42"), ("fr", "quarante"), ("es", "QUARANTE"))
    ]
    pairs = PairDataset([ParallelCorpus.from_records(made_of, name="c")], parallel_positives=9)
    assert texts(pairs, 0, "fr", "de").parallel in (("quarante",), ("QUARANTE",))


def test_the_batch_says_whose_passage_is_whose():
    seen = {}

    def preprocess(given, prompt, **limit):
        seen[prompt] = given
        return {"input_ids": given}

    collate = PairCollator(preprocess, Prompts("q: ", "p: "), parallel=True)
    batch = collate(
        [
            PairTexts("one", "1", ("far",), frozenset({"1", "eins"}), ("eins",)),
            PairTexts("two", "2", ("near", "eins"), frozenset({"2"}), ("zwei", "deux")),
        ]
    )
    assert seen["p: "] == ["1", "2", "eins", "zwei", "deux", "far", "near"]
    assert batch["label"].tolist() == [0, 1, 0, 1, 1, -1, -1]


def test_a_parallel_query_is_the_items_in_another_language():
    pairs = made(parallel_queries=True)
    others = {pairs.corpora[0].query(2, language) for language in ("en", "hi")}
    assert {texts(pairs, 2, "de", passage).parallel_query for passage in ("de", "en", "hi")} <= others
    one_way = made(parallel_queries=True, allows_pair=lambda query, passage: (query, passage) != ("hi", "de"))
    assert texts(one_way, 2, "de", "de").parallel_query == pairs.corpora[0].query(2, "en")
    monolingual = made(parallel_queries=True, allows_pair=lambda query, passage: query == passage)
    assert texts(monolingual, 2, "de", "de").parallel_query is None
    assert texts(made(), 2, "de", "de").parallel_query is None


def test_a_query_that_reads_alike_is_no_parallel_one():
    made_of = [
        {"id": "a", "language": language, "query": query, "passage": f"p {language}"}
        for language, query in (("de", "DNA?"), ("en", " dna?"))
    ]
    pairs = PairDataset([ParallelCorpus.from_records(made_of, name="c")], parallel_queries=True)
    assert texts(pairs, 0, "de", "en").parallel_query is None


def test_the_batch_says_whose_query_is_translated():
    seen = []

    def preprocess(given, prompt, **limit):
        seen.append((prompt, given))
        return {"input_ids": given}

    collate = PairCollator(preprocess, Prompts("q: ", "p: "), parallel=True)
    one, two = PairTexts("one", "1"), PairTexts("two", "2", ("far",), parallel_query="zwei")
    batch = collate([one, two])
    assert seen == [("q: ", ["one", "two"]), ("p: ", ["1", "2", "far"]), ("q: ", ["zwei"])]
    assert batch["label"].tolist() == [0, 1, -1, 1]
    assert list(batch) == ["label", "query_input_ids", "passage_input_ids", "parallel_input_ids"]
    assert "parallel_input_ids" not in collate([one])
