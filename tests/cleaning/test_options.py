import pytest

from isogloss.cleaning.options import CleaningOptions, cleaning_options
from isogloss.errors import RecipeError


def test_defaults_file_and_options(tmp_path):
    assert cleaning_options({}) == CleaningOptions()
    file = tmp_path / "clean.toml"
    file.write_text(
        "near_duplicates = 0.7\nmax_markup = 0\ncopies = false\nnormalize = false\nmin_letters = 0\n"
    )
    made = cleaning_options({"near_duplicates": 0.6, "min_languages": None}, file)
    assert (made.near_duplicates, made.max_markup, made.copies) == (0.6, None, None)
    assert (made.normalize, made.min_letters, made.min_languages) == (False, 0, 1)
    assert cleaning_options({"near_duplicates": 0}).near_duplicates is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("near_dups = 1", "near_dups: Extra inputs.*the options are normalize"),
        ("mismatched = 'drop'\nmin_letters = 2", "min_letters: .*mismatched: "),
        ("x = ", "not valid TOML"),
    ],
)
def test_mistakes_are_named(tmp_path, text, message):
    file = tmp_path / "clean.toml"
    file.write_text(text)
    with pytest.raises(RecipeError, match=f"clean.toml: .*{message}"):
        cleaning_options({}, file)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(RecipeError, match="cannot read"):
        cleaning_options({}, tmp_path / "none.toml")
