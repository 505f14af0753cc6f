"""Two real processes train what one trains: the same batches, the same weights, and resuming changes nothing."""

import json
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zlib
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer

from isogloss.corpus import read_corpus
from isogloss.encoding.prompts import Prompts
from isogloss.errors import IsoglossError, RecipeError
from isogloss.training import loss
from isogloss.training.batch_loading import PairCollator, PlannedBatchSampler
from isogloss.training.callbacks import InterruptCallback, SilentProgress
from isogloss.training.pair_texts import PairDataset, PairTexts
from isogloss.training.planning import make_planner
from isogloss.training.processes import Share, leave
from isogloss.training.recipe import make_recipe
from isogloss.training.run import train
from tests.conftest import records, write_records

PROCESSES = 2
PATIENCE = 120
"""Seconds after which processes are taken to wait for one another in vain."""

# A server that has imported everything once; processes are forked from it, before any training.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["isogloss.training.run", "transformers.models.bert.modeling_bert", "pytest"])


def joined(parts):
    return list(chain.from_iterable(parts))


@given(st.lists(st.integers(), max_size=20), st.integers(1, 6))
def test_the_parts_make_up_the_whole(whole, processes):
    parts = [Share(rank, processes).part(whole) for rank in range(processes)]
    assert joined(parts) == whole
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def collated(pairs, share):
    seen = []

    def preprocess(texts, prompt):
        seen.append(list(texts))
        return {}

    PairCollator(preprocess, Prompts("", ""))(pairs, share)
    return seen


@pytest.mark.parametrize("processes", [1, 2, 3, 6])
def test_parts_hold_the_texts_that_the_whole_batch_holds(processes):
    # C answers a query of another part, N is there twice, c-fr answers the third query in another language.
    pairs = [
        PairTexts("a?", "A", ("C", "N", "M")),
        PairTexts("b?", "B", ("N", "c-fr")),
        PairTexts("c?", "C", ("O",), frozenset({"c", "c-fr"})),
        *(PairTexts(f"{letter}?", letter.upper()) for letter in "def"),
    ]
    queries, candidates = collated(pairs, Share())
    assert candidates[6:] == ["N", "M", "O"]
    parts = [collated(pairs, Share(rank, processes)) for rank in range(processes)]
    assert joined(part[0] for part in parts) == queries
    own = 6 // processes
    assert joined(part[1][:own] for part in parts) == candidates[:6]
    assert joined(part[1][own:] for part in parts) == candidates[6:]


class Recorder(SilentProgress):
    def __init__(self):
        self.steps, self.messages = 0, []

    def step(self, done, steps, pairs_per_second, loss):
        self.steps += 1

    def message(self, text):
        self.messages.append(text)


def live(rank, processes, port, values, output, resume, stop_at, kill_at):
    """The life of one process: what it looked up, was told and came to, as JSON."""
    os.environ.update(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE=str(processes),
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(port),
        OMP_NUM_THREADS="1",
    )
    torch.set_num_threads(1)
    pairs, progress = [], Recorder()
    look_up, step_ended = PairDataset.__getitem__, InterruptCallback.on_step_end

    def recording(self, pair):
        pairs.append(pair)
        return look_up(self, pair)

    def signalled(self, args, state, control, **rest):
        # To the last process alone: the others must hear of it.
        if rank == processes - 1 and state.global_step == stop_at:
            os.kill(os.getpid(), signal.SIGINT)
        if state.global_step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        step_ended(self, args, state, control, **rest)

    def caching(*given, **how):
        cached.append(None)
        return embed_cached(*given, **how)

    cached, embed_cached = [], loss.embed_cached
    loss.embed_cached = caching
    PairDataset.__getitem__ = recording
    InterruptCallback.on_step_end = signalled
    came_to = {"error": None}
    try:
        train(make_recipe(values), output, resume=resume, progress=progress)
    except IsoglossError as error:
        came_to["error"] = f"{type(error).__name__}: {error}"
    came_to |= {"cached": len(cached), "pairs": pairs, "steps": progress.steps, "messages": progress.messages}
    output.with_name(f"{output.name}.{rank}.json").write_text(json.dumps(came_to), encoding="utf-8")
    leave()


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def start(values, output, resume=False, stop_at=None, kill_at=None, number=PROCESSES):
    port = free_port()
    processes = [
        CONTEXT.Process(target=live, args=(rank, number, port, values, output, resume, stop_at, kill_at))
        for rank in range(number)
    ]
    for process in processes:
        process.start()
    return processes


def train_together(values, output, **how):
    """Train in two processes; return what each came to."""
    processes = start(values, output, **how)
    ended(processes)
    assert [process.exitcode for process in processes] == [0] * len(processes)
    return [
        json.loads(output.with_name(f"{output.name}.{rank}.json").read_text(encoding="utf-8"))
        for rank in range(len(processes))
    ]


def ended(processes):
    """Wait for processes, but not for ever."""
    deadline = time.monotonic() + PATIENCE
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
    late = [process for process in processes if process.is_alive()]
    for process in late:
        process.kill()
        process.join()
    assert not late, "the processes wait for one another"


def weights(folder):
    return SentenceTransformer(str(folder), device="cpu").state_dict()


def assert_equal_weights(one, other, tolerance=0.0):
    one, other = weights(one), weights(other)
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(
            one[name], other[name], rtol=0, atol=tolerance, msg=lambda m, n=name: f"{n}: {m}"
        )


def make_values(base, folder):
    """A recipe over a corpus whose negatives answer other items now and then, and differ in number."""
    rows = list(records(negatives=True))
    for place, row in enumerate(rows):
        item = place // 4
        # Four rows an item: the passages of the items after this one, the second in another language.
        others = [rows[(place + 4) % len(rows)]["passage"], rows[(place + 9) % len(rows)]["passage"]]
        row["negatives"] = [*row["negatives"], *others][: item % 4]
    path = folder / "corpus.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", encoding="utf-8")
    return {
        "base": str(base),
        "train": [str(path)],
        "steps": 12,
        "batch_size": 8,
        "warmup_steps": 2,
        "learning_rate": 1e-3,
        "device": "cpu",
    }


@pytest.fixture
def values(tiny_bert, tmp_path):
    return make_values(tiny_bert, tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tiny_bert, tmp_path_factory):
    """A recipe, and the model that two processes made by it without a disturbance."""
    folder = tmp_path_factory.mktemp("undisturbed")
    values = make_values(tiny_bert, folder) | {"hard_negatives": 3, "save_every": 3}
    train_together(values, folder / "whole")
    return values, folder / "whole"


@pytest.fixture
def without_dropout(tiny_bert, tmp_path):
    folder = tmp_path / "tiny-bert-without-dropout"
    shutil.copytree(tiny_bert, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("hard_negatives", "accumulation", "word_embeddings", "memory_budget"),
    [
        (0, 2, "dense", 4),
        (3, 1, "dense", 4),
        (3, 2, "sparse", 4),
        (0, 1, "sparse", 1e-5),
        (3, 2, "dense", 1e-5),
        (3, 1, "sparse", 1e-5),
    ],
)
def test_two_processes_train_as_one_does(
    values, without_dropout, tmp_path, hard_negatives, accumulation, word_embeddings, memory_budget
):
    values |= {
        "word_embeddings": word_embeddings,
        "memory_budget": memory_budget,
        "base": str(without_dropout),
        "steps": 20,
        "hard_negatives": hard_negatives,
        # The last case has several positives a query, and aligned queries.
        **(
            {
                "parallel_positives": 1,
                "negative_language": "both",
                "query_alignment": 0.5,
                "passage_alignment": 0.5,
            }
            if (hard_negatives, accumulation) == (3, 1)
            else {}
        ),
        # Some gradients, those of the keys' biases, are zero but for rounding; Adam would make steps out of it.
        "trainer": {"adam_epsilon": 1e-6, "gradient_accumulation_steps": accumulation},
    }
    recipe = make_recipe(values)
    train(recipe, tmp_path / "alone")
    first, second = train_together(values, tmp_path / "together")
    assert (first["error"], second["error"]) == (None, None)
    planner = make_planner(recipe, [read_corpus(values["train"][0])])
    planned = np.array([planner.batch(step).pairs for step in range(recipe.batches)])
    if hard_negatives:
        assert first["pairs"] == second["pairs"] == planned.ravel().tolist()
    else:
        assert first["pairs"] == planned[:, :4].ravel().tolist()
        assert second["pairs"] == planned[:, 4:].ravel().tolist()
    assert (first["steps"], second["steps"]) == (20, 0)
    times = 20 * accumulation if memory_budget < 1 else 0
    assert (first["cached"], second["cached"]) == (times, times)
    assert_equal_weights(tmp_path / "alone", tmp_path / "together", tolerance=1e-5)
    assert not (tmp_path / "together.unfinished").exists()


def test_an_interrupted_run_of_two_processes_resumes_at_the_next_batch(undisturbed, tmp_path):
    values, whole = undisturbed
    for came_to in train_together(values, tmp_path / "cut", stop_at=5):
        assert came_to["error"].startswith("Interrupted: stopped at step 5 of 12")
    assert not (tmp_path / "cut").exists()
    first, second = train_together(values, tmp_path / "cut", resume=True)
    assert "going on from step 5" in first["messages"]
    assert second["messages"] == []
    assert (len(first["pairs"]), len(second["pairs"])) == (7 * 8, 7 * 8)
    assert_equal_weights(whole, tmp_path / "cut")


def test_one_process_goes_on_where_two_were_interrupted(values, without_dropout, tmp_path):
    values |= {"base": str(without_dropout), "trainer": {"adam_epsilon": 1e-6}}
    recipe = make_recipe(values)
    train(recipe, tmp_path / "alone")
    train_together(values, tmp_path / "cut", stop_at=5)
    train(recipe, tmp_path / "cut", resume=True)
    assert_equal_weights(tmp_path / "alone", tmp_path / "cut", tolerance=1e-5)


def test_a_killed_run_of_two_processes_resumes_from_its_last_whole_checkpoint(undisturbed, tmp_path):
    values, whole = undisturbed
    processes = start(values, tmp_path / "cut")
    checkpoints = tmp_path / "cut.unfinished" / "checkpoints"
    deadline = time.monotonic() + PATIENCE
    while not list(checkpoints.glob("checkpoint-*/trainer_state.json")) and time.monotonic() < deadline:
        time.sleep(0.005)
    for process in processes:
        process.kill()
        process.join()
    assert not (tmp_path / "cut").exists()
    assert {came_to["error"] for came_to in train_together(values, tmp_path / "cut", resume=True)} == {None}
    assert_equal_weights(whole, tmp_path / "cut")


def kill_and_resume(values, whole, output, number, step):
    """Killed at a step, resumed: the weights of the undisturbed run, bit for bit."""
    processes = start(values, output, kill_at=step, number=number)
    ended(processes)
    assert {process.exitcode for process in processes} == {-signal.SIGKILL}
    assert not output.exists()
    resume = any((output.with_name("cut.unfinished") / "checkpoints").glob("checkpoint-*/trainer_state.json"))
    if not resume:
        # Killed before the first checkpoint: nothing to go on from.
        shutil.rmtree(output.with_name("cut.unfinished"))
    for came_to in train_together(values, output, resume=resume, number=number):
        assert came_to["error"] is None
    assert_equal_weights(whole, output)


@pytest.fixture(scope="module")
def alone(tiny_bert, tmp_path_factory):
    """As `undisturbed`, in one process, with sparse word embeddings."""
    folder = tmp_path_factory.mktemp("alone")
    values = make_values(tiny_bert, folder) | {"save_every": 3, "word_embeddings": "sparse"}
    train_together(values, folder / "whole", number=1)
    return values, folder / "whole"


# Processes that share out the tests have to agree on their names.
_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
RANDOM_STEPS = (
    np.random.default_rng(zlib.crc32(_RUN.encode())).choice(np.arange(1, 12), 4, replace=False).tolist()
)
"""Other ones in every run of the tests; the name of a failing test says which."""


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    "step", [*RANDOM_STEPS[:1], *(pytest.param(step, marks=pytest.mark.slow) for step in RANDOM_STEPS[1:])]
)
def test_killed_at_a_random_step_and_resumed(alone, undisturbed, tmp_path, number, step):
    values, whole = alone if number == 1 else undisturbed
    kill_and_resume(values, whole, tmp_path / "cut", number, step)


def test_sparse_word_embeddings_of_two_processes_resume_bit_for_bit(values, tmp_path):
    values |= {"word_embeddings": "sparse", "save_every": 3}
    train_together(values, tmp_path / "whole")
    kill_and_resume(values, tmp_path / "whole", tmp_path / "cut", 2, 7)


def test_the_first_process_measures_and_all_keep_the_best_checkpoint(values, tmp_path):
    dev = write_records(tmp_path / "dev.jsonl", items=9, first=100)
    values |= {"dev": str(dev), "eval_every": 4, "select_by": "loss"}
    first, second = train_together(values, tmp_path / "model")
    assert (first["error"], second["error"]) == (None, None)
    assert len([message for message in first["messages"] if "development loss" in message]) == 3
    assert second["messages"] == []
    assert "was chosen by loss" in (tmp_path / "model" / "README.md").read_text(encoding="utf-8")


def test_a_batch_that_cannot_be_shared_evenly_is_refused(values, tmp_path):
    values |= {"batch_size": 7}
    for came_to in train_together(values, tmp_path / "model"):
        assert "a batch of 7 pairs cannot be shared evenly among 2 processes" in came_to["error"]
    assert not (tmp_path / "model.unfinished").exists()


@pytest.mark.parametrize("how", ["argument", "launcher"])
def test_weights_in_pieces_are_refused_before_anything_is_made(values, tmp_path, monkeypatch, how):
    if how == "argument":
        values |= {"trainer": {"fsdp": True}}
    else:
        monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(RecipeError, match="would lie in pieces"):
        train(make_recipe(values), tmp_path / "model")
    assert not list(tmp_path.glob("model*"))


@pytest.mark.parametrize("processes", [2, 3])
def test_the_batches_of_samplers_in_all_processes_make_up_the_planned_ones(values, processes):
    recipe = make_recipe({**values, "batch_size": 6})
    planner = make_planner(recipe, [read_corpus(values["train"][0])])
    parts = [list(PlannedBatchSampler(planner, 5, Share(rank, processes))) for rank in range(processes)]
    whole = list(PlannedBatchSampler(planner, 5))
    assert [joined(batch) for batch in zip(*parts, strict=True)] == whole


def test_a_process_that_finds_no_other_is_refused(values, tmp_path, monkeypatch):
    # As where WORLD_SIZE is set for something else, or the processes were not started by a launcher of torch.
    monkeypatch.setattr("isogloss.training.arguments.announced", lambda: Share(0, 2))
    with pytest.raises(RecipeError, match="announces 2 processes, and 1 found one another"):
        train(make_recipe(values), tmp_path / "model")
    assert not list(tmp_path.glob("model*"))


def launch(*arguments, **how):
    """Start isogloss in two processes by torchrun."""
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.Popen(
        [sys.executable, "-m", *launcher, "-m", "isogloss", *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **how,
    )


def training_of(values, output, *more):
    return [
        *("train", "--base", values["base"], "--train", values["train"][0], "--batch-size", "8"),
        *("--output", str(output), *map(str, more)),
    ]


@pytest.mark.slow
def test_an_error_is_said_once_under_a_launcher(values, tmp_path):
    process = launch(*training_of(values, tmp_path / "model", "--plan", "x-z"))
    _, err = process.communicate(timeout=120)
    assert process.returncode != 0
    assert err.count("error: ") == 1, err
    assert "x-z" in err
    assert "exitcode  : 2" in err
    assert not list(tmp_path.glob("model*"))


@pytest.mark.slow
def test_ctrl_c_under_a_launcher_saves_and_resumes(values, tmp_path):
    more = ["--steps", "4000", "--log-every", "1"]
    # As a terminal does, the signal goes to all processes of the group; torchrun then sends it to its own once more.
    process = launch(*training_of(values, tmp_path / "model", *more), start_new_session=True)
    deadline = time.monotonic() + PATIENCE
    while not (tmp_path / "model.unfinished" / "recipe.toml").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(3)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert err.count("stopped at step") == 1, err
    checkpoints = list(
        (tmp_path / "model.unfinished" / "checkpoints").glob("checkpoint-*/trainer_state.json")
    )
    assert len(checkpoints) == 1, err


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["torchrun", "accelerate"])
def test_the_command_line_under_a_launcher(values, tmp_path, launcher):
    launch = {
        "torchrun": ["torch.distributed.run", "--standalone", "--nproc-per-node", "2"],
        "accelerate": [
            *("accelerate.commands.launch", "--cpu", "--num_machines", "1", "--num_processes", "2"),
            *("--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", str(free_port())),
        ],
    }[launcher]
    output = tmp_path / "model"
    done = subprocess.run(
        [
            *(sys.executable, "-m", *launch, "-m", "isogloss", "train"),
            *("--base", values["base"], "--train", values["train"][0], "--steps", "3", "--batch-size", "8"),
            *("--output", str(output)),
        ],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("3 steps at") == 1
    assert done.stderr.count("training: 3/3") == 1
    assert Path(output, "model.safetensors").is_file()
