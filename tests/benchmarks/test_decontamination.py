"""The decontamination benchmark on some questions: what is planted is found, and little else."""

from benchmarks import decontamination


def test_what_is_planted_is_found(data_dir):
    report = decontamination.run(quick=True)
    figures = report.measured["default"]
    for kind, recall in figures["recall"].items():
        assert recall == 1 if "unchanged" in kind or "punctuation" in kind else recall > 0.75, kind
    assert sum(figures["false"].values()) <= 4
    assert [row[0] for row in report.rows] == list(figures["recall"])


def test_edits_edit():
    generator = decontamination.random.Random(1)
    text = "Where does the river carry the boats?"
    assert sorted(decontamination._with_typo(generator, text, "en")) == sorted(text)
    assert decontamination._with_typo(generator, text, "en") != text
    assert len(decontamination._without_word(generator, text, "en").split()) == 6
    assert decontamination._with_other_word(generator, text, "en", ["new"]).split().count("new") == 1
    assert decontamination._without_word(generator, "河流把船带到哪里", "zh") != "河流把船带到哪里"
