"""Cached gradients are the plain ones: with and without dropout, scaled, accumulated, under autocast."""

from contextlib import contextmanager

import pytest
import torch
from sentence_transformers import SentenceTransformer

import isogloss.training.loss
from isogloss.encoding.micro_batches import micro_batches, split
from isogloss.training.activation_memory import GIGABYTE, activation_bytes, encoder_shape
from isogloss.training.callbacks import SilentProgress
from isogloss.training.grad_cache import embed_cached
from isogloss.training.loss import InfoNCELoss, info_nce
from isogloss.training.recipe import make_recipe
from isogloss.training.run import train
from tests.conftest import LANGUAGES

QUERIES = [
    "a",
    "wasser und feuer",
    "1 2 3 4 5 6 7 8 9",
    "水火",
    "was ist das denn nun wieder?",
    "b c",
    "gold",
]
# The positives, then two hard negatives.
PASSAGES = ["ein langer satz. " * 3, *QUERIES[::-1][1:], "noch eins", "z"]
SMALL = 1e-9
"""Gigabytes that nothing fits in."""


@pytest.fixture(params=["tiny_bert", "tiny_xlm_roberta"])
def model(request):
    return SentenceTransformer(str(request.getfixturevalue(request.param)), device="cpu")


def tokenised(model, queries=QUERIES, passages=PASSAGES):
    return [model.preprocess(queries, prompt="q: "), model.preprocess(passages)]


def copies(sides):
    return [dict(side) for side in sides]


def gradients(model, value):
    model.zero_grad()
    value.backward()
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


def assert_close(ours, theirs, relative=1e-5, absolute=1e-7):
    assert ours.keys() == theirs.keys()
    assert ours
    for name, gradient in theirs.items():
        assert (ours[name] - gradient).norm() <= relative * gradient.norm() + absolute, name


def padded(model, sides):
    """The plain padded step."""
    return info_nce(*(model(side)["sentence_embedding"] for side in copies(sides)), 0.05)


def in_one_graph(model, sides, token_budget):
    """The same micro-batches one after the other, in one graph: the slow twin that keeps every activation."""
    vectors = []
    for side in sides:
        lengths = side["attention_mask"].sum(dim=1).cpu().numpy()
        of_text = {}
        for positions in micro_batches(lengths, token_budget):
            longest = int(lengths[positions].max())
            part = {
                name: torch.stack([value[position, :longest] for position in positions.tolist()])
                if isinstance(value, torch.Tensor) and value.dim() == 2
                else value
                for name, value in side.items()
            }
            of_text.update(zip(positions.tolist(), model(part)["sentence_embedding"], strict=True))
        vectors.append(torch.stack([of_text[position] for position in range(len(lengths))]))
    return info_nce(*vectors, 0.05)


@pytest.mark.parametrize("token_budget", [1, 13, 40, 64, 10_000])
@pytest.mark.parametrize("frozen", [False, True])
def test_without_dropout_value_and_gradients_are_those_of_the_padded_step(model, token_budget, frozen):
    model.eval()
    model.transformers_model.get_input_embeddings().weight.requires_grad_(not frozen)
    sides = tokenised(model)
    plain = padded(model, sides)
    cached = info_nce(*embed_cached(model, sides, token_budget), 0.05)
    assert cached.item() == pytest.approx(plain.item(), rel=1e-5)
    assert_close(gradients(model, cached), gradients(model, plain))


@pytest.mark.parametrize("texts", [1, 2, 6])
def test_batches_of_other_sizes(model, texts):
    model.eval()
    sides = tokenised(model, QUERIES[:texts], PASSAGES[:texts])
    for token_budget in (8, 24):
        cached = info_nce(*embed_cached(model, sides, token_budget), 0.05)
        assert_close(gradients(model, cached), gradients(model, padded(model, sides)))


CUDA = pytest.param(
    "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
)


@pytest.mark.parametrize("token_budget", [1, 40, 10_000])
@pytest.mark.parametrize("device", ["cpu", CUDA])
def test_with_dropout_both_passes_draw_the_same_masks(model, token_budget, device):
    model.train().to(device)
    sides = [
        {name: value.to(device) if isinstance(value, torch.Tensor) else value for name, value in side.items()}
        for side in tokenised(model)
    ]
    torch.manual_seed(3)
    slow = in_one_graph(model, sides, token_budget)
    drawn_after_slow = torch.rand(4, device=device)
    slow_gradients = gradients(model, slow)
    torch.manual_seed(3)
    cached = info_nce(*embed_cached(model, sides, token_budget), 0.05)
    drawn_after_cached = torch.rand(4, device=device)
    before = torch.get_rng_state()
    cached_gradients = gradients(model, cached)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(drawn_after_cached, drawn_after_slow)
    assert cached.item() == pytest.approx(slow.item(), rel=1e-5)
    assert_close(cached_gradients, slow_gradients)
    torch.manual_seed(4)
    assert in_one_graph(model, sides, token_budget).item() != pytest.approx(slow.item(), rel=1e-3)


def test_under_autocast(model):
    model.train()
    sides = tokenised(model)
    # The cache of rounded weights would add up gradients in bfloat16, over all micro-batches of one graph.
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        torch.manual_seed(3)
        slow = in_one_graph(model, sides, 40)
    slow_gradients = gradients(model, slow)
    with torch.autocast("cpu", torch.bfloat16):
        torch.manual_seed(3)
        cached = info_nce(*embed_cached(model, sides, 40), 0.05)
    assert cached.item() == pytest.approx(slow.item(), rel=1e-5)
    # The trainer passes back outside of autocast; inside, the backward pass of the loss itself is rounded too.
    assert_close(gradients(model, cached), slow_gradients)
    with torch.autocast("cpu", torch.bfloat16):
        torch.manual_seed(3)
        cached = info_nce(*embed_cached(model, sides, 40), 0.05)
        # The bias of keys has no gradient but rounding.
        assert_close(gradients(model, cached), slow_gradients, relative=5e-2, absolute=1e-4)
        torch.manual_seed(3)
        plain = in_one_graph(model, sides, 40)
        # Weights rounded in the pass without a graph must not serve a graph.
        assert gradients(model, plain).keys() == slow_gradients.keys()


def test_scaled_and_accumulated_over_batches(model):
    model.eval()
    batches = [tokenised(model), tokenised(model, QUERIES[::-1], PASSAGES)]
    accumulated = []
    for memory_budget in (None, SMALL):
        loss = InfoNCELoss(model, 0.05, 40, memory_budget)
        model.zero_grad()
        for batch in batches:
            (loss(copies(batch)) * 1024 / len(batches)).backward()
        accumulated.append(
            {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
        )
        accumulated[-1] = {name: gradient.clone() for name, gradient in accumulated[-1].items()}
    assert_close(accumulated[1], accumulated[0])


def test_two_losses_may_be_open_at_once(model):
    model.eval()
    one, other = tokenised(model), tokenised(model, QUERIES[::-1], PASSAGES)
    cached = [info_nce(*embed_cached(model, sides, 40), 0.05) for sides in (one, other)]
    plain = [padded(model, sides) for sides in (one, other)]
    assert_close(gradients(model, cached[0] + 3 * cached[1]), gradients(model, plain[0] + 3 * plain[1]))


class Weighed(torch.nn.Module):
    """Notes the bytes that autograd keeps of every forward pass."""

    def __init__(self, model):
        super().__init__()
        self.model, self.passes = model, []
        self.transformers_model = model.transformers_model

    def forward(self, features):
        weights = {weight.untyped_storage().data_ptr() for weight in self.model.parameters()}
        kept = {}

        def pack(tensor):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in weights:
                kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            result = self.model(features)
        self.passes.append(sum(kept.values()))
        return result


def test_caching_switches_on_at_the_budget_and_keeps_to_it(model):
    weighed = Weighed(model.train())
    sides = tokenised(model)
    shape = encoder_shape(weighed)
    parts = [part for side in sides for part in split(side["attention_mask"], 100)]
    whole = sum(activation_bytes(shape, part.texts, part.width) for part in parts)
    InfoNCELoss(weighed, 0.05, 100, whole / GIGABYTE)(copies(sides)).backward()
    assert len(weighed.passes) == len(parts)
    plainly_kept = sum(weighed.passes)
    weighed.passes.clear()
    budget = whole / 3
    InfoNCELoss(weighed, 0.05, 100, budget / GIGABYTE)(copies(sides)).backward()
    half = len(weighed.passes) // 2
    assert weighed.passes[:half] == [0] * half
    # A little is kept beside the layers' own; a deep encoder's layers outweigh it.
    assert 0 < max(weighed.passes[half:]) < 1.3 * budget
    assert max(weighed.passes) < plainly_kept / 2


def test_an_evaluation_embeds_once_and_gives_the_plain_value(model):
    weighed = Weighed(model.eval())
    sides = tokenised(model)
    plain = padded(model, sides).item()
    with torch.no_grad():
        value = InfoNCELoss(weighed, 0.05, 10_000, SMALL)(copies(sides))
    assert len(weighed.passes) == 2
    assert not value.requires_grad
    assert value.item() == pytest.approx(plain, rel=1e-5)


def test_without_a_budget_or_a_known_shape_nothing_is_cached(model, monkeypatch):
    monkeypatch.setattr(isogloss.training.loss, "embed_cached", None)
    sides = tokenised(model)
    for memory_budget in (None, 0, 0.0, 4.0):
        InfoNCELoss(model, 0.05, 40, memory_budget)(copies(sides)).backward()

    class Lookup(torch.nn.Module):
        def forward(self, features):
            return {"sentence_embedding": features["vectors"]}

    vectors = torch.randn(3, 4, requires_grad=True)
    InfoNCELoss(Lookup(), 0.05, 40, SMALL)([{"vectors": vectors}, {"vectors": vectors}]).backward()


def test_what_a_module_does_to_its_features_does_not_reach_the_second_pass(model):
    class Careless(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model, self.sums = model, []

        def forward(self, features):
            self.sums.append(int(features["attention_mask"].sum()))
            result = self.model(dict(features))
            features["attention_mask"].zero_()
            return result

    careless = Careless()
    info_nce(*embed_cached(careless, tokenised(model), 10_000), 0.05).backward()
    assert careless.sums[:2] == careless.sums[2:]


def test_processes_exchange_gradients_after_the_last_micro_batch_alone(model):
    class Wrapped(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model, self.alone, self.log = model, False, []

        @contextmanager
        def no_sync(self):
            self.alone = True
            yield
            self.alone = False

        def forward(self, features):
            if torch.is_grad_enabled():
                self.log.append(self.alone)
            return self.model(features)

    wrapped = Wrapped()
    info_nce(*embed_cached(wrapped, tokenised(model), 40), 0.05).backward()
    assert len(wrapped.log) > 2
    assert wrapped.log == [True] * (len(wrapped.log) - 1) + [False]


@pytest.fixture
def process_group():
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


def test_in_torch_s_own_wrapper_for_several_processes(model, process_group):
    model.eval()
    exchanged = []

    def exchange(state, bucket):
        exchanged.append(bucket.index())
        done = torch.futures.Future()
        done.set_result(bucket.buffer())
        return done

    wrapped = torch.nn.parallel.DistributedDataParallel(model, find_unused_parameters=True)
    wrapped.register_comm_hook(None, exchange)
    sides = tokenised(model)
    for _ in range(3):
        plain = gradients(model, padded(model, sides))
        assert not exchanged
        assert_close(gradients(model, info_nce(*embed_cached(wrapped, sides, 40), 0.05)), plain)
        assert sorted(set(exchanged)) == sorted(exchanged) != []
        exchanged.clear()


def test_a_model_without_trainable_weights_gives_vectors_without_a_graph(model):
    model.requires_grad_(False)
    queries, passages = embed_cached(model, tokenised(model), 40)
    assert not queries.requires_grad
    assert not passages.requires_grad


class Losses(SilentProgress):
    def __init__(self):
        self.losses = []

    def step(self, done, steps, pairs_per_second, loss):
        self.losses.append(loss)


@pytest.mark.parametrize(
    ("trainer", "relative"),
    [({}, 1e-4), ({"gradient_accumulation_steps": 2}, 1e-4), ({"bf16": True}, 3e-2)],
)
def test_a_run_learns_the_same(tiny_bert, corpus_file, tmp_path, monkeypatch, trainer, relative):
    base = SentenceTransformer(str(tiny_bert), device="cpu")
    for module in base.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    base.transformers_model.config.hidden_dropout_prob = 0.0
    base.transformers_model.config.attention_probs_dropout_prob = 0.0
    base.save_pretrained(str(tmp_path / "base"))
    calls = []
    monkeypatch.setattr(
        isogloss.training.loss,
        "embed_cached",
        lambda *given, **how: calls.append(given) or embed_cached(*given, **how),
    )
    values = {
        "base": str(tmp_path / "base"),
        "train": [str(corpus_file)],
        "steps": 6,
        "batch_size": 2 * len(LANGUAGES),
        "learning_rate": 1e-4,
        "log_every": 1,
        "device": "cpu",
        "trainer": trainer,
    }
    plain, cached = Losses(), Losses()
    train(make_recipe(values), tmp_path / "plain", progress=plain)
    assert not calls
    train(make_recipe({**values, "memory_budget": 1e-5}), tmp_path / "cached", progress=cached)
    assert len(calls) == 6 * trainer.get("gradient_accumulation_steps", 1)
    assert cached.losses[1:] == pytest.approx(plain.losses[1:], rel=relative)
