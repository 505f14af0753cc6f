import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.errors import RecipeError
from isogloss.training.recipe import Recipe, make_recipe, read_recipe_values, recipe_toml

MINIMAL = {"base": "a-model", "train": ["sample:train"]}


def test_a_recipe_reads_back_as_itself(tmp_path):
    recipe = make_recipe(
        {
            **MINIMAL,
            "alpha": "0.8:0.2",
            "held_out_pairs": ["de>en", "en -> de"],
            "trainer": {"bf16": True, "a b": {"x": 1}},
        }
    )
    path = tmp_path / "recipe.toml"
    path.write_text(recipe_toml(recipe), encoding="utf-8")
    assert make_recipe(read_recipe_values(path)) == recipe
    assert recipe.held_out_pairs == ("de->en", "en->de")
    assert recipe.ordered_held_out_pairs() == (("de", "en"), ("en", "de"))


@pytest.mark.parametrize(("steps", "warmup"), [(5, 0), (10, 1), (150, 15), (200, 20), (9000, 20)])
def test_short_runs_warm_up_shortly(steps, warmup):
    assert make_recipe({**MINIMAL, "steps": steps}).warmup_steps == warmup


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1), st.floats(1e-9, 1))
def test_any_text_and_number_survives_toml(tmp_path_factory, text, rate):
    recipe = make_recipe({**MINIMAL, "query_prompt": text, "learning_rate": rate})
    path = tmp_path_factory.mktemp("recipe") / "recipe.toml"
    path.write_text(recipe_toml(recipe), encoding="utf-8", newline="")
    assert make_recipe(read_recipe_values(path)) == recipe


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"alpha": 1.5}, r"alpha: must lie in \[0, 1\], is 1.5"),
        ({"alpha": "-0.1"}, r"alpha: must lie in \[0, 1\], is -0.1"),
        ({"batch_size": 1}, "batch_size"),
        ({"stepz": 3}, "stepz: is no key of a recipe"),
        ({"plan": "y-x"}, "plan: .*hybrid"),
        ({"train": []}, "train"),
        ({"word_embeddings": "thawed"}, "word_embeddings: .*'sparse', 'dense' or 'frozen'"),
        ({"held_out_pairs": ["de-en"]}, "'de-en' is no ordered pair"),
        ({"eval_every": 5}, "need a development corpus"),
        ({"dev": "x", "patience": 2}, "patience needs eval_every"),
        (
            {"passage_alignment": 1.0},
            "passage_alignment needs passages to align: give parallel_positives, at least 1",
        ),
        ({"steps": 10, "warmup_steps": 10}, "warmup_steps"),
        ({"trainer": {"max_steps": 3}}, "max_steps is set by the recipe's own key steps"),
        ({"trainer": {"gradient_accumulation_steps": 1.5}}, "trainer: gradient_accumulation_steps"),
        ({"trainer": 5}, "trainer"),
        ({"seed": 2**32}, "seed"),
        ({"learning_rate": float("inf")}, "learning_rate"),
        ({"temperature": 0}, "temperature"),
        ({"memory_budget": -1}, "memory_budget"),
    ],
)
def test_a_wrong_value_is_named(change, said):
    with pytest.raises(RecipeError, match=said):
        make_recipe({**MINIMAL, **change})


def test_all_wrong_values_are_named_at_once():
    with pytest.raises(RecipeError, match=r"base: is missing.*alpha.*steps"):
        make_recipe({"train": ["x"], "alpha": 2, "steps": 0})


def test_no_memory_budget_survives_toml(tmp_path):
    recipe = make_recipe({**MINIMAL, "memory_budget": None})
    assert recipe.memory_budget == 0
    path = tmp_path / "recipe.toml"
    path.write_text(recipe_toml(recipe), encoding="utf-8")
    assert make_recipe(read_recipe_values(path)) == recipe
    assert make_recipe(MINIMAL).memory_budget == 4.0


def test_a_file_that_is_no_toml_is_named(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("alpha = = 1", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"broken\.toml: not valid TOML"):
        read_recipe_values(path)
    with pytest.raises(RecipeError, match=r"nowhere\.toml: cannot read the recipe"):
        read_recipe_values(tmp_path / "nowhere.toml")


def test_every_field_is_described():
    described = Recipe.__doc__ or ""
    assert [name for name in Recipe.model_fields if f"{name}:" not in described] == []
