import pytest

from isogloss.corpus.records import Defect, Version, examine
from tests.corpus.making import record


def kinds(found):
    version, defects = found
    assert version is None
    return [defect.kind for defect in defects]


def test_a_full_record():
    version, defects = examine(
        record("a", "iw", "q", "p", title="t", negatives=["n", "m"], dataset="d", unheard_of=[1])
    )
    assert not defects
    assert version == Version("a", "he", "q", "p", "t", ("n", "m"), "d")


def test_null_and_empty_optional_fields_mean_none():
    version, defects = examine(record("a", "en", title="", negatives=None, dataset=None))
    assert not defects
    assert (version.title, version.negatives, version.dataset) == (None, (), None)
    assert set(version.as_record()) == {"id", "language", "query", "passage"}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"id": None}, "missing-field"),
        ({"id": 5}, "wrong-type"),
        ({"id": " "}, "empty-text"),
        ({"query": ""}, "empty-text"),
        ({"passage": " \n\t "}, "empty-text"),
        ({"passage": ["p"]}, "wrong-type"),
        ({"language": "xx"}, "unknown-language"),
        ({"language": 1}, "wrong-type"),
        ({"title": 3}, "wrong-type"),
        ({"title": 0}, "wrong-type"),
        ({"dataset": ["d"]}, "wrong-type"),
        ({"negatives": "n"}, "wrong-type"),
        ({"negatives": False}, "wrong-type"),
        ({"negatives": [""]}, "empty-text"),
        ({"negatives": [None]}, "wrong-type"),
        ({"query": "a\x00b"}, "control-characters"),
        ({"passage": "a\x85b"}, "control-characters"),
        ({"query": "a\ud83db"}, "invalid-utf-8"),
    ],
)
def test_each_defect_has_its_kind(changes, kind):
    assert kinds(examine({**record("a", "en"), **changes})) == [kind]


def test_all_defects_of_a_record_are_found_at_once():
    version, defects = examine({"id": "a", "language": "xx", "query": ""})
    assert version is None
    assert [defect.kind for defect in defects] == ["empty-text", "missing-field", "unknown-language"]
    assert {(defect.id, defect.language) for defect in defects} == {("a", "xx")}


@pytest.mark.parametrize("value", [None, 3, "text", [1]])
def test_what_is_no_object_is_a_defect(value):
    assert kinds(examine(value)) == ["wrong-type"]


def test_a_reader_s_defect_is_passed_on():
    defect = Defect("bad-json", "bad")
    assert examine(defect) == (None, [defect])


def test_ordinary_white_space_is_no_control_character():
    assert examine(record("a", "en", "one\ttwo\r\nthree"))[0] is not None
