"""Training against the sentence-transformers trainer with MultipleNegativesRankingLoss.

Both sides train the same base on the same planned batches with the same optimiser settings, in float32 on the
processor. First one batch's loss and gradients are held against each other; then both train a few steps in turn. The
first step of each turn, in which memory is first touched, is not counted.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.losses import MultipleNegativesRankingLoss
from torch.utils.data import BatchSampler, SequentialSampler
from transformers import TrainerCallback

from benchmarks.harness import Ratio, Report
from isogloss import make_recipe, train
from isogloss.corpus import ParallelCorpus, read_corpus
from isogloss.encoding.loading import load_sentence_transformer, prompts_of
from isogloss.training.batch_loading import PairCollator
from isogloss.training.loss import InfoNCELoss
from isogloss.training.pair_texts import PairDataset, PairTexts
from isogloss.training.planning import make_planner
from isogloss.training.recipe import Recipe

PEER = "SentenceTransformerTrainer"
TEMPERATURE = 0.02
TARGETS = {"sparse": 2.5, "frozen": 1.5}
"""Times the peer's pairs a second that are wanted; the peer trains all weights where ours are sparse."""


@dataclass(frozen=True)
class Turn:
    """A few steps of one side.

    Attributes:
        seconds: of each counted step, fetching and tokenising its batch included.
        losses: of all steps.
    """

    seconds: list[float]
    losses: list[float]


@dataclass(frozen=True)
class Row:
    """What was measured with one batch size and one treatment of the word embeddings.

    Attributes:
        batch_size: pairs a batch.
        word_embeddings: ours; the peer's are frozen too where ours are, and dense otherwise.
        peer: pairs a second, by turn.
        ours: likewise.
        attainable: GFLOP/s of a large matrix product, by turn.
        useful: GFLOP of an average counted step on real tokens, padding left out.
    """

    batch_size: int
    word_embeddings: str
    peer: list[float]
    ours: list[float]
    attainable: list[float]
    useful: float

    @property
    def ratios(self) -> list[float]:
        """How many times the peer's rate ours is, by turn."""
        return [ours / peer for ours, peer in zip(self.ours, self.peer, strict=True)]

    @property
    def share(self) -> float:
        """Our useful FLOP/s as a share of the attainable."""
        rate = statistics.median(self.ours) / self.batch_size * self.useful
        return rate / statistics.median(self.attainable)


def report_of(base: str, data: str, difference: float, rows: list[Row], losses: dict[str, float]) -> Report:
    """Put the rows into a table."""
    return Report(
        name="training",
        title=f"{base} on {data}: times the pairs a second of {PEER}",
        columns=(
            "word embeddings",
            "batch",
            "peer, pairs/s",
            "isogloss, pairs/s",
            "times as fast (lowest to highest)",
            "wanted",
            "share of attainable FLOP/s",
        ),
        rows=tuple(
            (
                row.word_embeddings,
                row.batch_size,
                statistics.median(row.peer),
                statistics.median(row.ours),
                Ratio.over(row.ratios),
                TARGETS[row.word_embeddings],
                row.share,
            )
            for row in rows
        ),
        notes=(
            f"largest relative difference of a weight's gradient, without dropout: {difference:.1e}",
            *(
                f"mean loss of the last half of the steps, {case}: {loss:.4f}"
                for case, loss in losses.items()
            ),
        ),
        measured={"rows": [asdict(row) for row in rows], "losses": losses},
    )


def recipe_of(base: str, data: str, batch_size: int, word_embeddings: str, steps: int) -> Recipe:
    """The recipe of both sides."""
    return make_recipe(
        {
            "base": base,
            "train": [data],
            "plan": "hybrid",
            "batch_size": batch_size,
            "steps": steps,
            "warmup_steps": max(steps // 10, 1),
            "max_length": 128,
            "temperature": TEMPERATURE,
            "word_embeddings": word_embeddings,
            "memory_budget": 0,
            "log_every": 1,
            "device": "cpu",
        }
    )


class Stamps(TrainerCallback):  # type: ignore[misc]
    """Notes when each step ended, and its loss."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.losses: list[float] = []

    def step(self, done: int, steps: int, pairs_per_second: float, loss: float | None) -> None:
        """As a progress of isogloss."""
        self.times.append(time.perf_counter())
        if loss is not None:
            self.losses.append(loss)

    def message(self, text: str) -> None:
        """As a progress of isogloss."""

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """As a callback of the peer."""
        self.times.append(time.perf_counter())

    def on_log(self, *_: Any, logs: dict[str, float] | None = None, **__: Any) -> None:
        """As a callback of the peer."""
        if logs and "loss" in logs:
            self.losses.append(logs["loss"])

    def turn(self) -> Turn:
        """What was noted; the first step has no beginning."""
        return Turn(
            [after - before for before, after in zip(self.times[:-1], self.times[1:], strict=True)],
            self.losses,
        )


def train_ours(recipe: Recipe) -> Turn:
    """Train with `isogloss.train`."""
    stamps = Stamps()
    with tempfile.TemporaryDirectory() as folder:
        train(recipe, Path(folder) / "model", progress=stamps)
    return stamps.turn()


def train_peer(recipe: Recipe, corpus: ParallelCorpus) -> Turn:
    """Train with the peer, on the same pairs in the same order."""
    torch.manual_seed(recipe.seed)
    model = load_sentence_transformer(recipe.base, device="cpu", max_length=recipe.max_length)
    prompts = prompts_of(model, recipe.base)
    if recipe.word_embeddings == "frozen":
        model.transformers_model.get_input_embeddings().weight.requires_grad_(False)
    model.max_seq_length = recipe.max_length
    texts = [pair for batch in planned_texts(recipe, corpus) for pair in batch]
    stamps = Stamps()
    with tempfile.TemporaryDirectory() as folder:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=folder,
            max_steps=recipe.steps,
            per_device_train_batch_size=recipe.batch_size,
            learning_rate=recipe.learning_rate,
            warmup_steps=recipe.warmup_steps,
            weight_decay=recipe.weight_decay,
            max_grad_norm=recipe.max_grad_norm,
            seed=recipe.seed,
            prompts={"query": prompts.query, "passage": prompts.passage},
            batch_sampler=in_order,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
            dataloader_pin_memory=False,
        )
        SentenceTransformerTrainer(
            model=model,
            args=arguments,
            train_dataset=Dataset.from_dict(
                {"query": [pair.query for pair in texts], "passage": [pair.passage for pair in texts]}
            ),
            loss=MultipleNegativesRankingLoss(model, scale=1 / TEMPERATURE),
            callbacks=[stamps],
        ).train()
    return stamps.turn()


def planned_texts(recipe: Recipe, corpus: ParallelCorpus) -> Iterator[list[PairTexts]]:
    """Yield the texts of each planned batch."""
    planner, pairs = make_planner(recipe, [corpus]), PairDataset([corpus], 0)
    for step in range(recipe.steps):
        yield [pairs[pair] for pair in planner.batch(step).pairs.tolist()]


def tokenised(
    model: SentenceTransformer, recipe: Recipe, batch: Sequence[PairTexts]
) -> list[dict[str, torch.Tensor]]:
    """Tokenise the two sides of a batch as training does."""
    collated = PairCollator(model.preprocess, prompts_of(model, recipe.base), recipe.max_length)(batch)
    return [
        {name.removeprefix(side): value for name, value in collated.items() if name.startswith(side)}
        for side in ("query_", "passage_")
    ]


def in_order(dataset: Dataset, batch_size: int, drop_last: bool, **_: Any) -> BatchSampler:
    """The planned batches, one after the other."""
    return BatchSampler(SequentialSampler(dataset), batch_size, drop_last)


def largest_difference(recipe: Recipe, corpus: ParallelCorpus) -> float:
    """Hold loss and gradients of a batch against the peer's, without dropout.

    Returns:
        The largest difference of a weight's gradient, relative to its norm.
    """
    model: SentenceTransformer = load_sentence_transformer(
        recipe.base, device="cpu", max_length=recipe.max_length
    ).eval()
    sides = tokenised(model, recipe, next(planned_texts(recipe, corpus)))
    found: list[tuple[float, dict[str, torch.Tensor]]] = []
    losses: list[Callable[..., torch.Tensor]] = [
        InfoNCELoss(model, TEMPERATURE),
        MultipleNegativesRankingLoss(model, scale=1 / TEMPERATURE),
    ]
    for loss in losses:
        model.zero_grad()
        value = loss([dict(side) for side in sides], None)
        value.backward()
        gradients = {
            name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None
        }
        found.append((value.item(), gradients))
    (ours, our_gradients), (theirs, their_gradients) = found
    if not math.isclose(ours, theirs, rel_tol=1e-4) or our_gradients.keys() != their_gradients.keys():
        raise SystemExit(f"the losses differ: {ours} and {theirs}")
    return max(
        float((our_gradients[name] - gradient).norm() / gradient.norm())
        for name, gradient in their_gradients.items()
        # Biases of keys have no gradient but rounding: softmax does not see them.
        if gradient.norm() > 1e-5
    )


def attainable() -> float:
    """GFLOP/s of a large matrix product."""
    size = 2048
    left, right = torch.randn(size, size), torch.randn(size, size)
    left @ right
    began = time.perf_counter()
    for _ in range(5):
        left @ right
    return 5 * 2 * size**3 / (time.perf_counter() - began) / 1e9


def useful_gflop(recipe: Recipe, corpus: ParallelCorpus) -> float:
    """GFLOP of an average counted step: products of the layers and of attention, forward and twice backward."""
    model = load_sentence_transformer(recipe.base, device="cpu", max_length=recipe.max_length)
    config = model.transformers_model.config
    hidden, inner = config.hidden_size, config.intermediate_size
    total = 0.0
    for batch in islice(planned_texts(recipe, corpus), 1, None):
        for side in tokenised(model, recipe, batch):
            tokens = side["attention_mask"].sum(dim=1).double()
            a_token = 2 * (4 * hidden**2 + 2 * hidden * inner) + 4 * hidden * tokens
            total += 3 * config.num_hidden_layers * float((tokens * a_token).sum())
    return total / (recipe.steps - 1) / 1e9


def run(
    quick: bool,
    base: str = "multilingual-e5-small",
    data: str = "sample:train",
    repeats: int = 3,
    loss_steps: int = 0,
    batch_sizes: Sequence[int] = (32, 128),
) -> Report:
    """Check, then train in turn.

    Args:
        quick: small batches, few steps, once.
        base: as `isogloss train` takes it.
        data: a corpus.
        repeats: turns of each side.
        loss_steps: if not 0, both sides also train so many steps with batches of 32, for their losses.
        batch_sizes: pairs a batch.
    """
    corpus = read_corpus(data)
    if quick:
        repeats = 1
    steps = 2 if quick else 4
    rows = []
    check = recipe_of(base, data, 8 if quick else 32, "dense", steps)
    difference = largest_difference(check, corpus)
    for batch_size in (4,) if quick else batch_sizes:
        for word_embeddings in ("sparse", "frozen"):
            recipe = recipe_of(base, data, batch_size, word_embeddings, steps)
            peers, ours, products = [], [], []
            for _ in range(repeats):
                products.append(attainable())
                peers.append(batch_size / statistics.median(train_peer(recipe, corpus).seconds))
                ours.append(batch_size / statistics.median(train_ours(recipe).seconds))
            row = Row(batch_size, word_embeddings, peers, ours, products, useful_gflop(recipe, corpus))
            rows.append(row)
            print(
                f"batch {batch_size}, {word_embeddings}: {Ratio.over(row.ratios)}, {row.share:.0%}",
                flush=True,
            )
    losses = {}
    if loss_steps:
        recipe = recipe_of(base, data, 32, "sparse", loss_steps)
        for case, turn in ((PEER, train_peer(recipe, corpus)), ("isogloss", train_ours(recipe))):
            losses[case] = statistics.mean(turn.losses[-loss_steps // 2 :])
    return report_of(base, data, difference, rows, losses)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--base", default="multilingual-e5-small")
    parser.add_argument("--data", default="sample:train")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--loss-steps", type=int, default=0)
    parser.add_argument("--batch-sizes", type=int, nargs="*", default=(32, 128))
    parser.add_argument("--output", type=Path, help="folder for table and figures; default: none is written")
    options = parser.parse_args()
    report = run(
        options.quick, options.base, options.data, options.repeats, options.loss_steps, options.batch_sizes
    )
    if options.output is not None:
        report.write(options.output)
    print(report.as_markdown())


if __name__ == "__main__":
    main()
