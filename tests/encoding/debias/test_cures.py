import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.encoding.debias.cures import METHODS, fit
from isogloss.errors import RecipeError

LANGUAGES = ["de", "en", "fr"]


def random_vectors(seed, texts=30, dimension=6):
    draw = np.random.default_rng(seed)
    vectors = draw.standard_normal((texts, dimension)).astype(np.float32)
    languages = [LANGUAGES[number % 3] for number in range(texts)]
    vectors += np.array([LANGUAGES.index(language) for language in languages])[:, None] * 0.5
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), languages


def unit(vector):
    return vector / np.linalg.norm(vector)


def test_by_hand():
    vectors = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]], dtype=np.float32)
    languages = ["de", "de", "en", "en"]
    # Means: de (.5, .5, 0), en (0, .5, .5); of both (.25, .5, .25); they differ along (1, 0, -1).
    np.testing.assert_allclose(
        fit("centre", vectors, languages).apply(vectors, languages)[0],
        unit(np.array([0.5, -0.5, 0])),
        atol=1e-6,
    )
    np.testing.assert_allclose(
        fit("shift", vectors, languages).apply(vectors, languages)[0],
        unit(np.array([0.75, 0, 0.25])),
        atol=1e-6,
    )
    project = fit("project", vectors, languages)
    assert project.directions.shape == (1, 3)
    np.testing.assert_allclose(np.abs(project.directions[0]), [0.5**0.5, 0, 0.5**0.5], atol=1e-6)
    np.testing.assert_allclose(project.apply(vectors)[0], unit(np.array([0.5, 0, 0.5])), atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 2**32))
def test_equals_each_vector_by_itself(method, seed):
    vectors, languages = random_vectors(seed)
    cure = fit(method, vectors, languages)
    middle = np.mean([vectors[np.array(languages) == one].mean(axis=0) for one in LANGUAGES], axis=0)
    for number, cured in enumerate(cure.apply(vectors, languages)):
        own = vectors[np.array(languages) == languages[number]].mean(axis=0)
        left = vectors[number] - own + (middle if method == "shift" else 0)
        if method == "project":
            left = vectors[number].copy()
            for direction in cure.directions:
                left -= (vectors[number] @ direction) * direction
        np.testing.assert_allclose(cured, unit(left), atol=1e-4)


def test_after_project_the_means_do_not_differ_and_once_is_enough():
    vectors, languages = random_vectors(3)
    cure = fit("project", vectors, languages)
    np.testing.assert_allclose(cure.directions @ cure.directions.T, np.eye(2), atol=1e-6)
    removed = vectors - (vectors @ cure.directions.T) @ cure.directions
    means = [removed[np.array(languages) == one].mean(axis=0) for one in LANGUAGES]
    np.testing.assert_allclose(means, np.tile(means[0], (3, 1)), atol=1e-6)
    once = cure.apply(vectors)
    np.testing.assert_allclose(cure.apply(once), once, atol=1e-6)
    assert len(fit("project", vectors, languages, 1).directions) == 1


@pytest.mark.parametrize("method", ["centre", "shift"])
def test_a_language_not_fitted_has_the_mean_of_all(method):
    vectors, languages = random_vectors(4)
    cure = fit(method, vectors, languages)
    middle = cure.means.mean(axis=0)
    expected = vectors[0] if method == "shift" else unit(vectors[0] - middle)
    np.testing.assert_allclose(cure.apply(vectors[:1], ["sw"])[0], expected, atol=1e-6)
    with pytest.raises(ValueError, match="language of each text"):
        cure.apply(vectors)


def test_what_is_its_language_s_mean_has_nothing_left():
    vectors = np.array([[1, 0], [0, 1], [0, 1]], dtype=np.float32)
    cured = fit("centre", vectors, ["de", "en", "en"]).apply(vectors, ["de", "en", "en"])
    assert (cured == 0).all()


@pytest.mark.parametrize(
    ("method", "languages", "directions", "message"),
    [
        ("centre", ["de"] * 30, None, "de alone"),
        ("project", None, 3, "differ in 1 to 2"),
        ("project", None, 0, "differ in 1 to 2"),
        ("shift", None, 1, "project alone"),
        ("rotate", None, None, "none of centre, shift, project"),
    ],
)
def test_bad_input(method, languages, directions, message):
    vectors, usual = random_vectors(1)
    with pytest.raises(RecipeError, match=message):
        fit(method, vectors, languages or usual, directions)
