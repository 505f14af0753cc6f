"""Tiny translation models, made once."""

import pytest

from tests.translation.tiny_models import make_m2m100, make_marian, make_nllb


def _packages():
    pytest.importorskip("sentencepiece", reason="needs the extra translate")


@pytest.fixture(scope="session")
def marian(tmp_path_factory):
    """OPUS-MT, English to German and Spanish."""
    _packages()
    return make_marian(tmp_path_factory.mktemp("models") / "marian", ("de", "es"))


@pytest.fixture(scope="session")
def marian_german(tmp_path_factory):
    """OPUS-MT, English to German."""
    _packages()
    return make_marian(tmp_path_factory.mktemp("models") / "marian-de")


@pytest.fixture(scope="session")
def m2m100(tmp_path_factory):
    """M2M100."""
    _packages()
    return make_m2m100(tmp_path_factory.mktemp("models") / "m2m100")


@pytest.fixture(scope="session")
def nllb(tmp_path_factory):
    """NLLB."""
    _packages()
    return make_nllb(tmp_path_factory.mktemp("models") / "nllb")
