"""Every published form reads to the records that it should, and says what it leaves out."""

import pytest

from isogloss.corpus.languages import is_language
from isogloss.corpus.published.formats import FORMATS, Reading, ReadOptions, published_source
from isogloss.errors import CorpusError, RecipeError
from tests.corpus.published.reading import FIXTURES, fixture, records, versions

MILL = "The old mill stands by the river. Dr. Weber restored it in 1987. It grinds rye on Sundays."
MILL_EN = "The old mill stands by the river. Mr. Weber restored it in 1987."
MILL_DE = "Die alte Mühle steht am Fluss. Herr Weber hat sie 1987 erneuert."
MILL_AR = "تقف الطاحونة القديمة عند النهر. رممها السيد فيبر عام 1987."
MILL_RU = "Мельница стоит у реки. Её построили в 1702 году."
PLOT = "Ana inherits a mill. She repairs it with her brother Tomas. In the end the river takes it."
BUILT = 'The mill, built in 1702, stands "by the river". It grinds rye.'
PARALLEL = [
    ("ar", "متى رممت الطاحونة؟", MILL_AR),
    ("de", "Wann wurde die Mühle erneuert?", MILL_DE),
    ("en", "When was the mill restored?", MILL_EN),
]
MLQA = "b08184972e38a79c47d01614aa08505bb3c9b680"
TABLE = {"query": "asked", "passage": "answered", "language": "lang", "negative": "wrong", "id": "number"}
SENTENCE = {"passage": "sentence"}
OTHER_SPLITS = {"files that are not of the split train; --split chooses": 1}

# fixture, form, options, records as (id, language, query, passage), what is skipped
CASES = [
    (
        "mmarco",
        "mmarco",
        {},
        [
            ("triple-1", "de", "wie Tomaten nachreifen", "Tomaten reifen neben einer Banane schneller."),
            (
                "triple-2",
                "de",
                "warum den Deckel auf den Kessel legen",
                "Mit Deckel kocht ein Kessel schneller.",
            ),
            (
                "triple-3",
                "de",
                "warum den Deckel auf den Kessel legen",
                "Mit Deckel kocht ein Kessel schneller.",
            ),
            ("triple-1", "en", "how to ripen tomatoes", "Tomatoes ripen sooner beside a banana."),
            ("triple-2", "en", "why put the lid on a kettle", "A kettle boils water faster with its lid on."),
            ("triple-3", "en", "why put the lid on a kettle", "A kettle boils water faster with its lid on."),
        ],
        {"pairs whose query is not among the queries": 2, "pairs whose passage is not in the collection": 2},
    ),
    (
        "mmarco",
        "mmarco",
        {"split": "dev", "languages": ("de",)},
        [("900-7", "de", "wann fährt die Fähre", "Die Fähre legt mittags ab.")],
        {},
    ),
    (
        "msmarco",
        "msmarco",
        {},
        [("triple-1", "en", "why put the lid on a kettle", "A kettle boils water faster with its lid on.")],
        {},
    ),
    (
        "msmarco",
        "msmarco",
        {"pairs": "qrels"},
        [
            ("121-0", "en", "why put the lid on a kettle", "A kettle boils water faster with its lid on."),
            ("634-1", "en", "how to ripen tomatoes", "Tomatoes ripen sooner beside a banana."),
        ],
        {},
    ),
    (
        "squad",
        "squad",
        {},
        [("56be1", "en", "Who restored the mill?", MILL), ("56be2", "en", "What does it grind?", MILL)],
        {"questions without an answer": 1, **OTHER_SPLITS},
    ),
    (
        "squad",
        "squad",
        {"split": "all", "languages": ("de",), **SENTENCE},
        [
            ("de-57a01", "de", "How is the bridge?", "The bridge is long."),
            ("de-56be1", "de", "Who restored the mill?", "Dr. Weber restored it in 1987."),
            ("de-56be2", "de", "What does it grind?", "It grinds rye on Sundays."),
        ],
        {"questions without an answer": 1},
    ),
    ("xquad", "xquad", {}, [("56beb4343aeaaa14008c925b", *each) for each in PARALLEL], {}),
    (
        "xquad",
        "xquad",
        {"languages": ("de", "en"), **SENTENCE},
        [
            ("56beb4343aeaaa14008c925b", "de", PARALLEL[1][1], "Herr Weber hat sie 1987 erneuert."),
            ("56beb4343aeaaa14008c925b", "en", PARALLEL[2][1], "Mr. Weber restored it in 1987."),
        ],
        {},
    ),
    (
        "mlqa",
        "mlqa",
        {"split": "test"},
        [(MLQA, *each) for each in PARALLEL],
        {"files whose questions and paragraphs differ in language": 1},
    ),
    (
        "squadshifts",
        "squadshifts",
        {},
        [
            ("new_wiki1", "en", "When did the lake freeze?", "The lake froze in January."),
            ("nyt1", "en", "When did the council meet?", "The council met on Monday."),
        ],
        {},
    ),
    (
        "natural-questions",
        "natural-questions",
        {},
        [
            ("5655493461695504401", "en", "what does the old mill grind", BUILT),
            ("4435104480114867852", "en", "where is the old mill", BUILT),
        ],
        {"questions without a long answer": 1, **OTHER_SPLITS},
    ),
    (
        "natural-questions",
        "natural-questions",
        SENTENCE,
        [("5655493461695504401", "en", "what does the old mill grind", "It grinds rye.")],
        {"questions without a long answer": 1, "questions without a short answer": 1, **OTHER_SPLITS},
    ),
    (
        "natural-questions",
        "natural-questions",
        {"split": "dev"},
        [("-7449157003522518870", "en", "when was the mill built", BUILT)],
        {},
    ),
    (
        "dpr",
        "dpr",
        {},
        [("biencoder-nq-train-1", "en", "what does the old mill grind", "The mill grinds rye.")],
        {"questions without a positive passage": 1},
    ),
    (
        "mr-tydi",
        "mr-tydi",
        {},
        [("ru-1", "ru", "Где стоит мельница?", "Мельница стоит у реки.")],
        {
            "languages without qrels.train.txt and collection/docs.jsonl.gz: th": 1,
            "judged passages that are not in the corpus": 1,
            "queries without a relevant passage": 1,
        },
    ),
    (
        "mr-tydi-hub",
        "mr-tydi",
        {},
        [
            ("ar-0", "ar", "أين تقف الطاحونة؟", "تقف الطاحونة عند النهر."),
            ("ar-0#2", "ar", "أين تقف الطاحونة؟", "الطاحونة عند ضفة النهر."),
            ("en-0", "en", "Where does the mill stand?", "The mill stands by the river."),
        ],
        {},
    ),
    (
        "miracl",
        "miracl",
        {},
        [
            ("sw-3#0", "sw", "Kinu kiko wapi?", "Kinu kiko karibu na mto."),
            ("sw-3#0#2", "sw", "Kinu kiko wapi?", "Kando ya mto kuna kinu."),
        ],
        {"queries without a relevant passage": 1},
    ),
    (
        "duorc",
        "duorc",
        {},
        [
            ("SelfRC-ac6e7a80", "en", "Who helps Ana?", PLOT),
            ("SelfRC-b2", "en", "What is lost?", PLOT),
        ],
        {"questions without an answer": 1},
    ),
    (
        "duorc",
        "duorc",
        SENTENCE,
        [("SelfRC-ac6e7a80", "en", "Who helps Ana?", "She repairs it with her brother Tomas.")],
        {
            "questions without an answer": 1,
            "questions whose answer is not in the words of the plot": 1,
        },
    ),
    (
        "newsqa",
        "newsqa",
        {},
        [("2e1d4-0", "en", "Who cut the ribbon?", "Mayor Lena Ortiz cut the ribbon. Hundreds came.")],
        {
            "questions that have no answer by consensus": 1,
            "questions that are bad by consensus": 1,
            "stories of other splits than train": 1,
        },
    ),
    (
        "newsqa",
        "newsqa",
        {"split": "all", **SENTENCE},
        [
            ("2e1d4-0", "en", "Who cut the ribbon?", "Mayor Lena Ortiz cut the ribbon."),
            ("77-0", "en", "What fell?", "Rain."),
        ],
        {"questions that have no answer by consensus": 1, "questions that are bad by consensus": 1},
    ),
    (
        "wikiqa",
        "wikiqa",
        {},
        [
            ("Q1-D1-1", "en", "where is the old mill ?", "It stands by the river ."),
            ("Q1-D1-2", "en", "where is the old mill ?", "A path along the river leads to it ."),
        ],
        {"questions without an answering sentence": 1, **OTHER_SPLITS},
    ),
    (
        "wikiqa",
        "wikiqa",
        {"split": "test"},
        [("Q9-D2-0", "en", "when does the ferry leave", "The ferry leaves at noon .")],
        {},
    ),
    (
        "entity-questions",
        "entity-questions",
        {},
        [
            ("P17.train-1", "en", "Which country is Old Mill located in?", "Norway"),
            ("P17.train-2", "en", "Which country is Ferry Point located in?", "Chile"),
        ],
        OTHER_SPLITS,
    ),
    (
        "entity-questions-dpr",
        "entity-questions",
        {},
        [("P17.train-1", "en", "Which country is Old Mill located in?", "Old Mill is a village in Norway.")],
        {"questions for which no passage with the answer was found": 1},
    ),
    (
        "mkqa",
        "mkqa",
        {},
        [
            ("563260143484355911", "en", "where does the old mill stand", "by the river"),
            ("563260143484355911", "de", "wo steht die alte Mühle", "am Fluss"),
            ("563260143484355911", "zh-CN", "老磨坊在哪里", "河边"),
        ],
        {"versions of questions whose answer has no text: unanswerable": 3},
    ),
    (
        "mfaq",
        "mfaq",
        {"languages": ("de",)},
        [
            ("de-train-1-0", "de", "Wann hat die Mühle offen?", "Sonntags von zehn bis vier."),
            ("de-train-1-1", "de", "Was kostet der Eintritt?", "Nichts."),
        ],
        OTHER_SPLITS,
    ),
    ("mfaq", "mfaq", {"split": "valid"}, [("de-valid-1-0", "de", "Wann fährt die Fähre?", "Mittags.")], {}),
    (
        "tydiqa",
        "tydiqa",
        {"languages": ("ar",)},
        [("arabic-2387335860751143628-1", "ar", "متى رممت الطاحونة؟", MILL_AR)],
        {"questions in other languages": 1},
    ),
    (
        "tydiqa-primary",
        "tydiqa",
        {},
        [
            ("ru--4", "ru", "Когда построили мельницу?", MILL_RU),
            ("ru--6", "ru", "Где стоит мельница?", MILL_RU),
        ],
        {"questions without an answer": 1},
    ),
    (
        "tydiqa-primary",
        "tydiqa",
        SENTENCE,
        [("ru--4", "ru", "Когда построили мельницу?", "Её построили в 1702 году.")],
        {"questions without an answer": 1, "questions without a minimal answer": 1},
    ),
    (
        "table",
        "table",
        {"columns": TABLE},
        [
            ("1", "en", 'Why "lid" on?', "Water boils faster,\nand quieter."),
            ("2", "de", "Wann fährt die Fähre?", "Mittags."),
        ],
        {},
    ),
    (
        "table",
        "table",
        {"columns": TABLE, "languages": ("de",)},
        [("2", "de", "Wann fährt die Fähre?", "Mittags.")],
        {"rows in other languages": 1},
    ),
    (
        "sentence-transformers",
        "sentence-transformers",
        {"languages": ("en",)},
        [
            ("train-1", "en", "why put the lid on", "Water boils faster."),
            ("train-2", "en", "how to ripen tomatoes", "Put them beside a banana."),
            ("train-3", "en", "when does the ferry leave", "At noon."),
            ("train-3#2", "en", "when does the ferry leave", "The ferry leaves at noon."),
            ("train-4", "en", "a", "b"),
        ],
        {},
    ),
    (
        "flag-embedding",
        "flag-embedding",
        {"languages": ("en",)},
        [("toy_finetune_data-1", "en", "why put the lid on", "Water boils faster.")],
        {"queries without a positive passage": 1},
    ),
    (
        "tevatron",
        "tevatron",
        {"languages": ("en",)},
        [("121", "en", "why put the lid on", "Water boils faster.")],
        {},
    ),
]


@pytest.mark.parametrize(
    ("name", "form", "options", "expected", "skipped"),
    CASES,
    ids=[f"{name}-{number}" for number, (name, *_) in enumerate(CASES)],
)
def test_a_published_form_reads_to_its_records(tmp_path, name, form, options, expected, skipped):
    found, left_out = versions(fixture(tmp_path, name), form, **options)
    assert [(one.id, one.language, one.query, one.passage) for one in found] == expected
    assert left_out == skipped


def test_every_form_has_a_fixture_and_every_fixture_a_case():
    assert {form for _, form, *_ in CASES} == set(FORMATS)
    assert {name for name, *_ in CASES} == {path.name for path in FIXTURES.iterdir()}


def test_every_form_says_what_is_to_be_known_of_it():
    for form in FORMATS.values():
        told = (form.description, form.files, form.languages, form.licence, form.citation)
        assert all(text and text == text.strip() for text in told)
        if form.languages.islower() and "--" not in form.languages and "," not in form.languages:
            assert all(map(is_language, form.languages.split()))


def test_negatives_titles_and_data_sets(tmp_path):
    def only(name, form, **options):
        found = versions(fixture(tmp_path, name), form, **options)[0][0]
        return found.negatives, found.title, found.dataset

    assert only("mmarco", "mmarco") == (("Mit Deckel kocht ein Kessel schneller.",), None, "mmarco")
    assert only("squad", "squad", passage="sentence") == (
        ("The old mill stands by the river.", "It grinds rye on Sundays."),
        "Old_mill",
        "squad",
    )
    # A passage that is a positive elsewhere among the hard negatives is none of them.
    assert only("dpr", "dpr") == (("Rye is a grass.",), "Old mill", "nq_train_psgs_w100")
    assert only("miracl", "miracl") == (("Kinu husaga shayiri.",), "Kinu", "miracl")
    assert only("mr-tydi", "mr-tydi") == ((), "Мельница", "mr-tydi")
    assert only("mr-tydi-hub", "mr-tydi") == (("تغادر العبارة ظهرا.",), "الطاحونة", "mr-tydi")
    assert only("wikiqa", "wikiqa") == (("The old mill was built in 1702 .",), "Old mill", "wikiqa")
    assert only("entity-questions-dpr", "entity-questions")[:2] == (("Mills grind rye.",), "Old Mill")
    assert only("mfaq", "mfaq")[0] == ("Nichts.",)
    assert only("tydiqa-primary", "tydiqa")[:2] == (("Паром отходит в полдень.",), "Мельница")
    assert only("flag-embedding", "flag-embedding", languages=("en",))[0] == (
        "The ferry leaves at noon.",
        "Rye is a grass.",
    )
    assert only("tevatron", "tevatron", languages=("en",))[:2] == (("The ferry leaves at noon.",), "Kettle")


def test_a_negative_that_is_not_in_the_collection_is_counted(tmp_path):
    folder = fixture(tmp_path, "mmarco")
    triples = folder / "triples.train.ids.small.tsv"
    lines = triples.read_text().splitlines()
    asked, answer, _ = lines[0].split("\t")
    # The second line has no query, and counts as that alone.
    triples.write_text(f"{asked}\t{answer}\t31999\n555555\t{answer}\t31999\n")
    found, skipped = versions(folder, "mmarco")
    assert [(one.id, one.language, one.negatives) for one in found] == [
        ("triple-1", "de", ()),
        ("triple-1", "en", ()),
    ]
    assert skipped == {
        "negatives that are not in the collection": 2,
        "pairs whose query is not among the queries": 2,
    }


def test_a_source_may_be_one_file(tmp_path):
    folder = fixture(tmp_path, "xquad")
    assert len(records(folder / "xquad.de.json", "xquad")) == 1
    hub = fixture(tmp_path, "mr-tydi-hub") / "mrtydi-v1.1-arabic" / "test.jsonl.gz"
    assert records(hub, "mr-tydi") == [("ar-5", "ar", "متى تغادر العبارة؟", "تغادر العبارة ظهرا.")]


def refused(source, form, **options):
    with Reading(ReadOptions(**options)) as reading:
        list(published_source(source, form, reading).records)


def test_options_and_sources_that_do_not_fit(tmp_path):
    with pytest.raises(RecipeError, match="--from squid: no such form; there are mmarco, msmarco, squad"):
        refused(tmp_path, "squid")
    with pytest.raises(
        RecipeError, match=r"--passage goes with --from squad, xquad.*; mkqa has no such option"
    ):
        refused(tmp_path, "mkqa", passage="sentence")
    with pytest.raises(RecipeError, match="--pairs goes with --from mmarco, msmarco"):
        refused(tmp_path, "squad", pairs="qrels")
    with pytest.raises(CorpusError, match="no such file or folder"):
        refused(tmp_path / "nowhere", "squad")
    with pytest.raises(CorpusError, match="no file of this form in it; `isogloss data formats`"):
        refused(tmp_path, "squad")
    with pytest.raises(CorpusError, match=r"no file of the split 'test'; there are dev-v2\.0"):
        refused(fixture(tmp_path, "squad"), "squad", split="test")
    with pytest.raises(CorpusError, match="does not tell its language; say it with one --language"):
        refused(fixture(tmp_path, "tevatron"), "tevatron")
    with pytest.raises(CorpusError, match=r"no language with all of topics.\*-dev.tsv"):
        refused(fixture(tmp_path, "miracl"), "miracl", split="dev", languages=("sw",))
    marco = fixture(tmp_path, "mmarco")
    with pytest.raises(CorpusError, match="no file of triples of ids of the split 'dev'"):
        refused(marco, "mmarco", split="dev", pairs="triples")
    with pytest.raises(CorpusError, match="give the folder with the collection"):
        refused(marco / "qrels.dev.tsv", "mmarco")
    (marco / "helsinki").mkdir()
    (marco / "helsinki" / "german_collection.tsv").write_text("0\tAndere Übersetzung.\n")
    with pytest.raises(CorpusError, match=r"two files for 'de', .*; give the folder of one version"):
        refused(marco, "mmarco")
    # Triples and qrels lie in the folder above those of the versions.
    assert len(records(marco / "google", "mmarco")) == 6
