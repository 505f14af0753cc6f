import doctest
import importlib
import pkgutil

import pytest

from isogloss.evaluation import BIAS_DEFINITIONS, DEFINITIONS, MEASURES, SETTINGS, measures

MODULES = [module.name for module in pkgutil.iter_modules(measures.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(f"isogloss.evaluation.measures.{name}")
    failed, _ = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert not failed


def test_every_function_has_an_example():
    from isogloss.evaluation import average_precision

    assert ">>>" in average_precision.__doc__
    for name in measures.__all__:
        if name[0].islower() and name != "order_matters":
            assert ">>>" in getattr(measures, name).__doc__, name


def test_the_registry_is_whole():
    assert (*MEASURES, *(one.key for one in BIAS_DEFINITIONS)) == tuple(DEFINITIONS)
    assert len({one.label for one in DEFINITIONS.values()}) == len(DEFINITIONS)
    for one in DEFINITIONS.values():
        assert set(one.settings) <= set(SETTINGS)
        assert one.source
        assert one.formula
        assert not one.description.endswith(".")
    assert all(one.even for one in BIAS_DEFINITIONS)
    assert [DEFINITIONS[key].range for key in ("map", "rank_distance", "score_gap")] == [
        "0 to 1",
        "0 up",
        "-2 to 2",
    ]
