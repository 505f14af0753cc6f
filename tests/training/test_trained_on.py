"""What a model folder says of its training, without training one."""

import pytest

from isogloss.batching import Plan
from isogloss.training.recipe import make_recipe, recipe_toml
from isogloss.training.trained_on import allowed_pairs, trained_pairs

CARD = "---\nlibrary_name: sentence-transformers\nlanguage:\n- de\n- en\n{}---\n\n# A model\n"


@pytest.fixture
def folder(tmp_path):
    def write(card, name="model", **values):
        path = tmp_path / name
        path.mkdir()
        recipe = make_recipe({"base": "no-such-base", "train": ["sample:train"], **values})
        (path / "recipe.toml").write_text(recipe_toml(recipe), encoding="utf-8")
        (path / "README.md").write_text(card, encoding="utf-8")
        return path

    return write


def test_the_pairs_on_the_card(folder):
    trained = trained_pairs(folder(CARD.format('trained_pairs: ["de->en", "en->de"]\n')))
    assert trained.languages == {"de", "en"}
    assert trained.pairs == {("de", "en"), ("en", "de")}
    assert "recipe" in trained.source


def test_without_them_the_pairs_that_the_plan_allows(folder):
    path = folder(CARD.format(""), plan="hybrid", held_out_pairs=["de->en"])
    assert trained_pairs(path).pairs == {("de", "de"), ("en", "en"), ("en", "de")}


@pytest.mark.parametrize(
    ("plan", "pairs"),
    [
        (Plan("en-en"), {("en", "en")}),
        (Plan("x-x"), {("de", "de"), ("en", "en")}),
        (Plan("x-x-mono", held_out_pairs=(("de", "de"),)), {("en", "en")}),
        (Plan("x-y"), {("de", "en"), ("en", "de")}),
        (Plan("hybrid", alpha=1.0), {("de", "de"), ("en", "en")}),
        (Plan("hybrid", held_out_languages=("de",)), {("en", "en")}),
    ],
)
def test_what_each_plan_allows(plan, pairs):
    assert allowed_pairs(plan, ["de", "en"]) == pairs


def test_a_base_that_was_trained_by_isogloss_counts_as_well(folder):
    base = folder(CARD.format('trained_pairs: ["fr->fr"]\n'), name="base")
    model = folder(CARD.format('trained_pairs: ["de->en"]\n'), base=str(base))
    assert trained_pairs(model).pairs == {("de", "en"), ("fr", "fr")}
    assert trained_pairs(model).languages == {"de", "en", "fr"}
    # A model that names itself as its base is read once.
    selfish = folder(CARD.format('trained_pairs: ["de->en"]\n'), name="x", base=str(base.parent / "x"))
    assert trained_pairs(selfish).pairs == {("de", "en")}


@pytest.mark.parametrize("card", ["", "no header", "---\nlanguage: [de\n---\n", "---\nlanguage: 5\n---\n"])
def test_a_card_that_says_nothing_is_not_guessed_at(folder, card):
    assert trained_pairs(folder(card)) is None


def test_folders_that_are_not_ours(folder, tmp_path):
    assert trained_pairs(tmp_path / "none") is None
    path = folder(CARD.format(""))
    (path / "recipe.toml").write_text("plan = ", encoding="utf-8")
    assert trained_pairs(path) is None
    path = folder(CARD.format(""), name="no-card")
    (path / "README.md").unlink()
    assert trained_pairs(path) is None


def test_the_corpora_are_called_as_benchmarks_are(folder):
    card = CARD.format('trained_pairs: ["de->en"]\n')
    first = folder(card, train=["sample:train", "mlqa-r"])
    assert trained_pairs(first).corpora == ("sample-train", "mlqa-r")
    then = folder(card, "then", base=str(first), train=["some/folder/faq.jsonl.gz", "mlqa-r"])
    assert trained_pairs(then).corpora == ("faq", "mlqa-r", "sample-train")
