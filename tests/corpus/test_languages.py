import pytest

from isogloss.corpus import is_language, standard_language
from isogloss.errors import CorpusError


@pytest.mark.parametrize(
    ("code", "standard"),
    [
        ("en", "en"),
        ("iw", "he"),
        ("in", "id"),
        ("eng", "en"),
        ("zh_cn", "zh-CN"),
        ("zh-hans", "zh-Hans"),
        ("DE", "de"),
    ],
)
def test_a_code_is_brought_into_its_standard_form(code, standard):
    assert is_language(code)
    assert standard_language(code) == standard


@pytest.mark.parametrize("code", ["xx", "english", "", "en-", "jp", "e", "en us"])
def test_what_is_no_code_is_an_error_with_an_example(code):
    assert not is_language(code)
    with pytest.raises(CorpusError, match=r"not a known language code; use a BCP-47 code such as 'en'"):
        standard_language(code)
