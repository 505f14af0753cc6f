"""How the word embeddings are trained: all of them, the rows that a step touched, or not at all."""

from __future__ import annotations

from sentence_transformers import SentenceTransformer
from torch import nn

from isogloss.errors import RecipeError
from isogloss.training.recipe import WordEmbeddings


def prepare_word_embeddings(model: SentenceTransformer, choice: WordEmbeddings) -> None:
    """Make a model's word embeddings be trained as a recipe chooses.

    ``dense`` leaves the model as it is. ``frozen`` takes the word embeddings out of training. ``sparse`` makes their
    gradient hold the rows that were looked up and no others; it needs `RowSparseAdamW`.

    Raises:
        RecipeError: there are no word embeddings to be told apart; or they are to be sparse and something other than
            the lookup of words uses them too, so that every row has a gradient.
    """
    if choice == "dense":
        return
    embeddings = _word_embeddings(model, choice)
    if choice == "frozen":
        embeddings.weight.requires_grad_(False)
        return
    users = [
        name or type(module).__name__
        for name, module in model.named_modules()
        if any(weight is embeddings.weight for weight in module.parameters(recurse=False))
    ]
    if len(users) > 1:
        raise RecipeError(
            f"word_embeddings: they cannot be sparse in this model, whose {' and '.join(users)} share their weights; "
            "use dense or frozen"
        )
    embeddings.sparse = True


def sparse_embeddings(model: nn.Module) -> list[nn.Embedding]:
    """Return the embeddings of a model that have sparse gradients."""
    return [module for module in model.modules() if isinstance(module, nn.Embedding) and module.sparse]


def _word_embeddings(model: SentenceTransformer, choice: WordEmbeddings) -> nn.Embedding:
    transformer = model.transformers_model
    try:
        embeddings = None if transformer is None else transformer.get_input_embeddings()
    except (AttributeError, NotImplementedError):
        embeddings = None
    if not isinstance(embeddings, nn.Embedding):
        raise RecipeError(
            f"word_embeddings: this model has no word embeddings that could be {choice}; use dense, which trains all "
            "that it has"
        )
    return embeddings
