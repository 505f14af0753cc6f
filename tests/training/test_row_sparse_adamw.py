import io
import math
from copy import deepcopy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.training.row_sparse_adamw import RowSparseAdamW

ROWS, DIMENSIONS = 7, 3
SETTINGS = {"lr": 1e-2, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.1}

WORDS = st.lists(st.lists(st.integers(0, ROWS - 1), max_size=9), min_size=1, max_size=12)


def embedding(seed=0, sparse=True, padding=None):
    torch.manual_seed(seed)
    return torch.nn.Embedding(ROWS, DIMENSIONS, sparse=sparse, padding_idx=padding)


def loss(module, words, seed):
    """A loss whose gradient differs by word, place and step."""
    generator = torch.Generator().manual_seed(seed)
    found = module(torch.tensor(words, dtype=torch.int64))
    return (found * torch.randn(len(words), DIMENSIONS, generator=generator)).sum()


def rate(step):
    return 1e-2 * (1 + step % 4) / 4


def train(module, optimizer, steps):
    for step, words in steps:
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        loss(module, words, step).backward()
        optimizer.step()
        optimizer.zero_grad()
    return module.weight.detach().clone()


class SlowTwin:
    """Every row a parameter of its own; torch's AdamW passes by those that have no gradient."""

    def __init__(self, weight, **arguments):
        self.rows = [row.clone().requires_grad_() for row in weight.detach()]
        self.optimizer = torch.optim.AdamW(self.rows, **arguments)

    def train(self, steps):
        for step, words in steps:
            self.optimizer.param_groups[0]["lr"] = rate(step)
            module = torch.nn.Embedding.from_pretrained(torch.stack(self.rows).detach(), freeze=False)
            loss(module, words, step).backward()
            for number, row in enumerate(self.rows):
                row.grad = module.weight.grad[number].clone() if number in words else None
            self.optimizer.step()
        return torch.stack(self.rows).detach()


@settings(deadline=None)
@given(WORDS, st.sampled_from([(0.9, 0.999), (0.0, 0.9), (0.5, 0.0)]), st.sampled_from([0.0, 0.1]))
def test_every_row_moves_as_a_parameter_of_its_own(steps, betas, weight_decay):
    arguments = {**SETTINGS, "betas": betas, "weight_decay": weight_decay}
    module = embedding()
    twin = SlowTwin(module.weight, **arguments)
    optimizer = RowSparseAdamW(module.parameters(), **arguments)
    ours = train(module, optimizer, enumerate(steps))
    torch.testing.assert_close(ours, twin.train(enumerate(steps)), atol=1e-6, rtol=1e-5)


def test_equals_dense_adamw_where_every_row_is_touched_at_every_step():
    steps = [(step, [*range(ROWS), step % ROWS, step % 3]) for step in range(60)]
    sparse, dense = embedding(), embedding(sparse=False)
    ours = train(sparse, RowSparseAdamW(sparse.parameters(), **SETTINGS), steps)
    theirs = train(dense, torch.optim.AdamW(dense.parameters(), **SETTINGS), steps)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)


def test_rows_touched_once_move_by_the_learning_rate_and_rest_before_and_after():
    module = embedding()
    before = module.weight.detach().clone()
    optimizer = RowSparseAdamW(module.parameters(), **SETTINGS)
    train(module, optimizer, [(step, [0, 1]) for step in range(20)])
    assert torch.equal(module.weight[2:], before[2:])
    late = 20
    found = embedding()
    loss(found, [4], late).backward()
    sign = found.weight.grad.to_dense()[4].sign()
    train(module, optimizer, [(late, [4])])
    expected = before[4] * (1 - rate(late) * 0.1) - rate(late) * sign
    torch.testing.assert_close(module.weight[4].detach(), expected, atol=1e-5, rtol=0)
    after = module.weight[4].detach().clone()
    train(module, optimizer, [(step, [0, 2]) for step in range(21, 40)])
    assert torch.equal(module.weight[4], after)


def test_the_padding_row_is_never_touched():
    module = embedding(padding=1)
    optimizer = RowSparseAdamW(module.parameters(), **SETTINGS)
    train(module, optimizer, [(step, [0, 1, 1, 2]) for step in range(3)])
    assert torch.equal(module.weight[1], torch.zeros(DIMENSIONS))
    assert optimizer.state_dict()["state"][0]["rows"].tolist() == [0, 2]


@pytest.mark.parametrize("kernel", [{}, {"foreach": True}, {"fused": True}])
def test_dense_parameters_are_left_to_torch(kernel):
    def model(sparse):
        return torch.nn.ModuleDict(
            {"words": embedding(sparse=sparse), "layer": torch.nn.Linear(DIMENSIONS, 2)}
        )

    def run(model, optimizer):
        for step in range(5):
            generator = torch.Generator().manual_seed(step)
            words = torch.randint(0, ROWS, (6,), generator=generator)
            # The words are detached on the way to the layer, so that it meets the same ones in both models.
            model["layer"](torch.randn(6, DIMENSIONS, generator=generator)).square().sum().backward()
            model["words"](words).sum().backward()
            optimizer.step()
            optimizer.zero_grad()
        return model["layer"].state_dict()

    sparse, dense = model(True), model(False)
    ours = run(sparse, RowSparseAdamW(sparse.parameters(), **SETTINGS, **kernel))
    theirs = run(dense, torch.optim.AdamW(dense.parameters(), **SETTINGS, **kernel))
    for name in theirs:
        assert torch.equal(ours[name], theirs[name])


@given(WORDS, WORDS)
@settings(deadline=None)
def test_a_saved_state_goes_on_bit_for_bit(first, second):
    steps = list(enumerate([*first, *second]))
    undisturbed = embedding()
    whole = train(undisturbed, RowSparseAdamW(undisturbed.parameters(), **SETTINGS), steps)

    module = embedding()
    optimizer = RowSparseAdamW(module.parameters(), **SETTINGS)
    train(module, optimizer, steps[: len(first)])
    file = io.BytesIO()
    torch.save({"weights": module.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)

    other = embedding(seed=1)
    other.load_state_dict(saved["weights"])
    resumed = RowSparseAdamW(other.parameters(), **SETTINGS)
    resumed.load_state_dict(saved["optimizer"])
    assert torch.equal(train(other, resumed, steps[len(first) :]), whole)


@pytest.mark.parametrize("kernel", [{}, {"fused": True}])
def test_the_state_holds_touched_rows_alone_and_can_be_loaded_beside_dense_parameters(kernel):
    def made():
        words, layer = embedding(), torch.nn.Linear(DIMENSIONS, 2)
        groups = [
            {"params": list(layer.parameters())},
            {"params": list(words.parameters()), "weight_decay": 0.0},
        ]
        return words, layer, RowSparseAdamW(groups, **SETTINGS, **kernel)

    def step(words, layer, optimizer):
        layer(words(torch.tensor([5, 2, 5]))).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        return [value.detach().clone() for value in (words.weight, *layer.parameters())]

    words, layer, optimizer = made()
    step(words, layer, optimizer)
    state = deepcopy(optimizer.state_dict())  # torch would share the dense moments
    assert {name: tuple(value.shape) for name, value in state["state"][2].items()} == {
        "rows": (2,),
        "step": (2,),
        "exp_avg": (2, DIMENSIONS),
        "exp_avg_sq": (2, DIMENSIONS),
    }
    words_2, layer_2, optimizer_2 = made()
    words_2.load_state_dict(words.state_dict())
    layer_2.load_state_dict(layer.state_dict())
    optimizer_2.load_state_dict(state)
    for ours, theirs in zip(step(words_2, layer_2, optimizer_2), step(words, layer, optimizer), strict=True):
        assert torch.equal(ours, theirs)


def test_gradients_of_several_passes_add_up():
    whole, parts = embedding(), embedding()
    words = [0, 3, 3, 5, 0, 1]
    weights = torch.randn(len(words), DIMENSIONS)
    optimizers = [RowSparseAdamW(module.parameters(), **SETTINGS) for module in (whole, parts)]
    for _ in range(3):
        (whole(torch.tensor(words)) * weights).sum().backward()
        for part in (slice(0, 2), slice(2, 3), slice(3, 6)):
            (parts(torch.tensor(words[part])) * weights[part]).sum().backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    torch.testing.assert_close(parts.weight, whole.weight, atol=1e-6, rtol=1e-6)


def test_many_rows_found_late_are_given_room():
    torch.manual_seed(0)
    module = torch.nn.Embedding(5000, 2, sparse=True)
    optimizer = RowSparseAdamW(module.parameters(), lr=0.1, weight_decay=0.0)
    before = module.weight.detach().clone()
    for words in (torch.arange(3), torch.arange(2000, 4000), torch.arange(0, 5000, 2)):
        module(words).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    touches = torch.zeros(5000)
    touches[:3] += 1
    touches[2000:4000] += 1
    touches[::2] += 1
    torch.testing.assert_close(
        before - module.weight, 0.1 * touches[:, None].expand(-1, 2), atol=1e-5, rtol=0
    )


def test_a_closure_is_called_with_gradients_on():
    module = embedding()
    optimizer = RowSparseAdamW(module.parameters(), **SETTINGS)

    def closure():
        value = module(torch.tensor([1])).sum()
        value.backward()
        return value.item()

    before = module.weight[1].sum().item()
    assert math.isclose(optimizer.step(closure), before, rel_tol=1e-6)
    assert module.weight[1].sum().item() < before
