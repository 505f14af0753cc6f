"""Mining as described, slowly: lists of texts, dictionaries and loops; and corpora full of ties and shared texts."""

from collections import defaultdict
from hashlib import blake2b

import numpy as np

from isogloss.corpus import ParallelCorpus
from isogloss.corpus.grouping import comparable, text_keys

LANGUAGES = ("de", "en", "zh")


class TableEncoder:
    """Small whole numbers for every text: products are exact, and many are equal."""

    name = "table"

    def __init__(self, seed=0, dimension=4, stop_at=None):
        self.seed, self.dimension, self.stop_at, self.texts = seed, dimension, stop_at, []

    def vector(self, text, side):
        digest = blake2b(f"{self.seed} {side} {comparable(text)}".encode()).digest()
        return np.array([byte % 5 - 1 for byte in digest[: self.dimension]], np.float32)

    def encode(self, texts, side, progress=None, *, languages=None):
        if self.stop_at is not None and len(self.texts) >= self.stop_at:
            raise KeyboardInterrupt
        self.texts += [(side, text) for text in texts]
        return np.array([self.vector(text, side) for text in texts])

    def describe(self):
        return {"name": self.name, "query_prompt": "", "passage_prompt": ""}


def random_corpus(seed, items=14):
    """Items that lack languages, share texts in other letter case, and have negatives that are others' passages."""
    draw = np.random.default_rng(seed)
    records = []
    for item in range(items):
        there = [language for language in LANGUAGES if draw.random() < 0.8] or ["en"]
        for language in there:
            shared = draw.random()
            passage = f"{language} answer {item}"
            if shared < 0.1:
                passage = f"{language}  Answer {draw.integers(items)}"
            elif shared < 0.15:
                passage = f"answer {draw.integers(4)} in any language"
            others = [
                f"{draw.choice(LANGUAGES)} answer {draw.integers(items)}" for _ in range(draw.integers(3))
            ]
            records.append(
                {
                    "id": f"item {item}",
                    "language": language,
                    "query": f"question {draw.integers(items) if draw.random() < 0.1 else item} {language}",
                    "passage": passage,
                    "negatives": [*others, *(["No answer"] if draw.random() < 0.3 else [])],
                }
            )
    order = draw.permutation(len(records))
    return ParallelCorpus.from_records([records[place] for place in order], name="random")


def slow_mining(corpus, encoder, settings):
    """The mined negatives of each version: {(id, language): [texts]}."""
    score = lambda query, passage: float(  # noqa: E731
        encoder.vector(query, "query").astype(float) @ encoder.vector(passage, "passage").astype(float)
    )
    pools = {language: pool(corpus, language, settings) for language in corpus.languages}
    versions = {
        (item, language): corpus.version(item, language)
        for item in range(len(corpus))
        for language in corpus.languages
        if corpus.version(item, language) is not None
    }
    passages = defaultdict(dict)
    for (item, language), version in versions.items():
        passages[item][language] = version.passage
    groups = corpus.groups.tolist()
    answers = defaultdict(set)
    for item, texts in passages.items():
        answers[groups[item]] |= {comparable(text) for text in texts.values()}

    misses = defaultdict(lambda: defaultdict(list))
    for (item, language), version in versions.items():
        searched = corpus.languages if settings.search == "all" else [language]
        translations = {other: score(version.query, text) for other, text in passages[item].items()}
        for other in searched:
            texts = list(pools[other])
            scores = [score(version.query, pools[other][text]) for text in texts]
            ranked = sorted(range(len(texts)), key=lambda place: (-scores[place], place))
            for rank, place in enumerate(ranked, start=1):
                positive = translations.get(other, min(translations.values()))
                if (
                    settings.rank_from <= rank <= settings.rank_to
                    and texts[place] not in answers[groups[item]]
                    and allowed(scores[place], positive, settings)
                ):
                    asker = (item, language) if settings.search == "within" else item
                    unit = owner(passages, other, texts[place])
                    misses[asker][(other, texts[place]) if unit is None else unit].append(rank)
    return {
        (corpus.ids[item], language): choose(
            item, language, version, misses, pools, passages, score, settings, corpus
        )
        for (item, language), version in versions.items()
    }


def choose(item, language, version, misses, pools, passages, score, settings, corpus):
    found = defaultdict(list)
    for unit, ranks in misses[(item, language) if settings.search == "within" else item].items():
        if isinstance(unit, tuple):
            if unit[0] == language:
                found[unit[1]] += ranks
        elif language in passages[unit]:
            found[comparable(passages[unit][language])] += ranks
    if settings.existing == "keep":
        for negative in version.negatives:
            found.pop(comparable(negative), None)
    numbers = {text: number for number, text in enumerate(pools[language])}
    order = sorted(found, key=lambda text: (min(found[text]), -len(found[text]), numbers[text]))
    if settings.pick == "random":
        name = f"{settings.seed}\n{language}\n{corpus.ids[item]}"
        own = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")
        order = sorted(found, key=lambda text: scrambled(own ^ int(text_keys([text])[0])))
    positive = score(version.query, version.passage)
    texts = [pools[language][text] for text in order]
    return [text for text in texts if allowed(score(version.query, text), positive, settings)][
        : settings.count
    ]


def pool(corpus, language, settings):
    """The candidates of a language in order, {text as compared: text}."""
    versions = [version for version in corpus.versions() if version.language == language]
    texts = [version.passage for version in versions]
    if settings.existing == "pool":
        texts += [negative for version in versions for negative in version.negatives]
    found = {}
    for text in texts:
        found.setdefault(comparable(text), text)
    return found


def owner(passages, language, text):
    items = [item for item, texts in passages.items() if comparable(texts.get(language, "")) == text]
    return min(items, key=lambda item: (-len(passages[item]), item)) if items else None


def allowed(score, positive, settings):
    below_margin = settings.margin is None or score <= positive - settings.margin
    factor = settings.relative_margin
    if factor is None:
        return below_margin
    return below_margin and score <= positive * (factor if positive >= 0 else 2 - factor)


def scrambled(word):
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB % 2**64
    return word ^ (word >> 31)
