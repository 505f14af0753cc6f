"""A corpus is parted so that no article and no text is on both sides."""

import numpy as np
import pytest

from isogloss.corpus import ParallelCorpus
from isogloss.corpus.splitting import development_items
from isogloss.errors import CorpusError
from tests.conftest import records


def corpus(items=200, titles=lambda number: None, order=1):
    made = list(records(items, ("de", "en")))
    for one in made:
        number = int(one["id"].split("-")[1])
        if (title := titles(number)) is not None:
            one["title"] = title if one["language"] == "en" else f"de {title}"
    return ParallelCorpus.from_records(made[::order], name="c")


def test_about_the_share_asked_for():
    chosen = development_items(corpus(2000), 0.2)
    assert chosen.dtype == np.bool_
    assert 0.15 < chosen.mean() < 0.25
    assert (development_items(corpus(2000), 0.2) == chosen).all()
    assert (development_items(corpus(2000), 0.2, seed=1) != chosen).any()


def test_the_order_and_other_items_change_nothing():
    def sides(some):
        return dict(zip(some.ids, development_items(some, 0.3).tolist(), strict=True))

    one, other, fewer = sides(corpus()), sides(corpus(order=-1)), sides(corpus(100))
    assert one == other
    assert all(one[name] == side for name, side in fewer.items())


def test_an_article_is_on_one_side():
    some = corpus(300, titles=lambda number: f"article {number // 6}")
    chosen = development_items(some, 0.3)
    by_article = {}
    for name, side in zip(some.ids, chosen.tolist(), strict=True):
        by_article.setdefault(int(name.split("-")[1]) // 6, set()).add(side)
    assert all(len(sides) == 1 for sides in by_article.values())
    assert {next(iter(sides)) for sides in by_article.values()} == {True, False}


def test_shared_texts_are_on_one_side():
    made = list(records(60, ("de", "en")))
    for one in made:
        if one["language"] == "en":
            one["passage"] = f"the same {int(one['id'].split('-')[1]) // 3}"
    some = ParallelCorpus.from_records(made, name="c")
    chosen = development_items(some, 0.4)
    numbers = np.array([int(name.split("-")[1]) // 3 for name in some.ids])
    assert all(len(set(chosen[numbers == number].tolist())) == 1 for number in np.unique(numbers))


@pytest.mark.parametrize("share", [0, 1, -0.5, 2])
def test_shares_out_of_range(share):
    with pytest.raises(CorpusError, match="give a share between 0 and 1"):
        development_items(corpus(20), share)


def test_one_article_cannot_be_parted():
    with pytest.raises(CorpusError, match="would be on one side"):
        development_items(corpus(20, titles=lambda _: "one"), 0.5)
