import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.corpus.published import json_arrays
from isogloss.corpus.published.json_arrays import BadJsonError, array_elements

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(elements=st.lists(values, max_size=5), chunk=st.integers(1, 9), indent=st.none() | st.integers(0, 2))
def test_elements_are_those_of_the_whole_text_however_it_is_cut(elements, chunk, indent):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_arrays, "_CHUNK", chunk)
        text = json.dumps(elements, indent=indent)
        assert [one for _, one in array_elements(io.StringIO(text).read)] == elements
        text = json.dumps({"version": 1.5, "data": elements, "more": [{}]}, indent=indent)
        assert [one for _, one in array_elements(io.StringIO(text).read, "data")] == elements


def test_lines_are_counted():
    text = '{"v": 1,\n"data": [\n\n{"a":\n1},\n2\n]}'
    assert list(array_elements(io.StringIO(text).read, "data")) == [(4, {"a": 1}), (6, 2)]


@pytest.mark.parametrize(
    ("text", "key", "line", "message"),
    [
        ("", None, 1, "ends too early"),
        ("{}", None, 1, "expected an array"),
        ("[]", "data", 1, "expected an object with the key 'data'"),
        ('{"a": 1}', "data", 1, "no key 'data'"),
        ('{"data": 1}', "data", 1, "expected an array under 'data'"),
        ("[1,\n2", None, 2, "cut off"),
        ("[1 2]", None, 1, "expected ',' or ']'"),
        ("[1]\n]", None, 2, "more text after the end"),
        ('[1,\n{"a" 1}, "' + "x" * 90 + '"]', None, 2, "Expecting ':'"),
        ("[" * 100_000 + " " * 100, None, 1, "nested too deeply"),
    ],
)
def test_bad_json_is_found_with_its_line(text, key, line, message):
    with pytest.raises(BadJsonError, match=message) as caught:
        list(array_elements(io.StringIO(text).read, key))
    assert caught.value.line == line


def test_an_error_is_found_long_before_the_end(monkeypatch):
    monkeypatch.setattr(json_arrays, "_CHUNK", 64)
    text = io.StringIO("[" + '{"a": nonsense' + " " * 10_000)
    with pytest.raises(BadJsonError):
        list(array_elements(text.read))
    assert text.tell() < 1000


def test_an_element_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(json_arrays, "_CHUNK", 64)
    monkeypatch.setattr(json_arrays, "_LONGEST_ELEMENT", 1000)
    with pytest.raises(BadJsonError, match="longer than 1,000 characters, or does not end"):
        list(array_elements(io.StringIO('["' + "x" * 10_000).read))
