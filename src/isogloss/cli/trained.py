"""What a model was trained on, from options or from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isogloss.errors import RecipeError

if TYPE_CHECKING:
    from isogloss.evaluation import TrainedPairs


def trained_from(model: str, languages: list[str] | None, pairs: list[str] | None) -> TrainedPairs | None:
    """Take the training languages and pairs from the options, else from a folder made by `isogloss train`.

    Args:
        model: the model as it was named.
        languages: language codes; alone they mean all pairs of them.
        pairs: ordered pairs, "query->passage".

    Raises:
        RecipeError: a code is no language, or a pair no pair.
    """
    from isogloss.evaluation import TrainedPairs

    if not languages and not pairs:
        from isogloss.encoding.debias.saved import BASE_CARD
        from isogloss.training.trained_on import trained_pairs

        folder = Path(model).expanduser()
        return trained_pairs(folder) or trained_pairs(folder / BASE_CARD)
    ordered = []
    for pair in pairs or []:
        query, arrow, passage = pair.partition("->")
        if not arrow:
            raise RecipeError(f"--train-pair {pair}: write query-language->passage-language, as in 'de->en'")
        ordered.append((_language("--train-pair", query), _language("--train-pair", passage)))
    codes = [_language("--train-language", code) for code in languages or []]
    return TrainedPairs.of(codes, ordered, "the options of the evaluation")


def _language(option: str, code: str) -> str:
    from isogloss.corpus import is_language, standard_language

    if not is_language(code.strip()):
        raise RecipeError(f"{option}: {code!r} is no language code; use BCP-47 codes such as en, pt-BR, zh")
    return standard_language(code.strip())
