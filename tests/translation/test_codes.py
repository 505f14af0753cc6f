"""Language codes as engines write them."""

import pytest

from isogloss.translation.codes import flores_codes, iso_639_3, opus_codes, same_language, short_codes


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("de", "deu_Latn"),
        ("ar", "arb_Arab"),
        ("zh", "zho_Hans"),
        ("zh-TW", "zho_Hant"),
        ("zh-Hant", "zho_Hant"),
        ("ja", "jpn_Jpan"),
        ("ko", "kor_Hang"),
        ("hi", "hin_Deva"),
        ("fa", "pes_Arab"),
        ("sr", "srp_Cyrl"),
        ("no", "nob_Latn"),
        ("th", "tha_Thai"),
        ("pt-BR", "por_Latn"),
        ("sw", "swh_Latn"),
    ],
)
def test_nllb_knows_the_first_code(language, code):
    from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES

    assert next(flores_codes(language)) == code
    assert code in FAIRSEQ_LANGUAGE_CODES


def test_other_codes():
    assert iso_639_3("es") == "spa"
    assert iso_639_3("en-GB") == "eng"
    assert list(short_codes("pt-BR"))[:2] == ["pt-BR", "pt"]
    assert "cmn_Hans" in list(opus_codes("zh"))
    assert list(opus_codes("de")) == ["deu", "deu_Latn", "de", "de"]


def test_a_models_own_code_is_compared():
    assert same_language("eng", "en-GB")
    assert same_language("zho_Hans", "zh")
    assert same_language("deu", "en") is False
    assert same_language("ROMANCE", "fr") is None
