import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding

from isogloss.errors import RecipeError
from isogloss.training.loss import InfoNCELoss
from isogloss.training.word_embeddings import prepare_word_embeddings, sparse_embeddings
from tests.conftest import tiny_tokenizer


@pytest.fixture
def model(tiny_bert):
    return SentenceTransformer(str(tiny_bert), device="cpu")


def words(model):
    return model.transformers_model.get_input_embeddings()


def test_dense_leaves_the_model_as_it_is(model):
    prepare_word_embeddings(model, "dense")
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert not sparse_embeddings(model)


def test_frozen_takes_them_out_of_training(model):
    prepare_word_embeddings(model, "frozen")
    frozen = [parameter for parameter in model.parameters() if not parameter.requires_grad]
    assert len(frozen) == 1
    assert frozen[0] is words(model).weight


@pytest.mark.parametrize("kind", ["tiny_bert", "tiny_xlm_roberta"])
@pytest.mark.parametrize("budget", [13, 10_000])
def test_sparse_gradients_over_micro_batches_are_the_dense_ones(kind, budget, request):
    gradients = {}
    for choice in ("dense", "sparse"):
        model = SentenceTransformer(str(request.getfixturevalue(kind)), device="cpu").eval()
        prepare_word_embeddings(model, choice)
        sides = [
            model.preprocess(["a", "wasser und feuer", "b c"]),
            model.preprocess(["水火", "das", "1 2 3 4"]),
        ]
        InfoNCELoss(model, 0.05, budget)(sides).backward()
        gradients[choice] = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    assert [name for name, gradient in gradients["sparse"].items() if gradient.is_sparse] == [
        name for name in gradients["dense"] if name.endswith("word_embeddings.weight")
    ]
    for name, gradient in gradients["dense"].items():
        torch.testing.assert_close(gradients["sparse"][name].to_dense(), gradient)


def test_shared_word_embeddings_cannot_be_sparse(model):
    model.head = torch.nn.Linear(32, len(words(model).weight), bias=False)
    model.head.weight = words(model).weight
    with pytest.raises(
        RecipeError, match=r"word_embeddings and head share their weights; use dense or frozen"
    ):
        prepare_word_embeddings(model, "sparse")
    assert not sparse_embeddings(model)


@pytest.mark.parametrize("choice", ["sparse", "frozen"])
def test_a_model_without_word_embeddings_is_refused(choice, model, monkeypatch):
    static = SentenceTransformer(
        modules=[StaticEmbedding(tiny_tokenizer().backend_tokenizer, embedding_dim=8)], device="cpu"
    )
    with pytest.raises(RecipeError, match=f"no word embeddings that could be {choice}; use dense"):
        prepare_word_embeddings(static, choice)

    def missing():
        raise NotImplementedError

    monkeypatch.setattr(model.transformers_model, "get_input_embeddings", missing)
    with pytest.raises(RecipeError, match="no word embeddings"):
        prepare_word_embeddings(model, choice)
