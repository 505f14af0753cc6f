"""What a reader has to know of figures is said beside them."""

from isogloss.reporting.results import reading_notes

RESULTS = {"data": {"name": "mlqa-r"}, "model": {"name": "m"}}


def trained(*corpora):
    return {
        **RESULTS,
        "training": {"corpora": list(corpora), "source": "the model card", "pairs": [], "languages": []},
    }


def test_a_model_measured_on_what_it_was_trained_on():
    (note,) = reading_notes(trained("faq", "mlqa-r"))
    assert note.startswith("the model was trained on mlqa-r (the model card) and is measured on it")
    assert reading_notes(trained("faq")) == []
    assert reading_notes(RESULTS) == []
    assert reading_notes({**RESULTS, "model": "a name alone"}) == []
    # Results of before did not say.
    assert reading_notes({**RESULTS, "training": {"source": "x", "pairs": [], "languages": []}}) == []
