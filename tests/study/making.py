"""Small studies on tiny models."""

from tests.conftest import write_records

STUDY = """
name = "a small study"
bases = ["{base}"]
seeds = [0, 1]
dev = "dev.jsonl"
cures = ["centre", "project"]

[recipe]
steps = 4
batch_size = 4
learning_rate = 1e-3
max_length = 16
device = "cpu"
eval_every = 2
select_by = "last"

[arms.x-x-mono]
plan = "x-x-mono"

[arms.x-y]
plan = "x-y"

[arms.hybrid]
plan = "hybrid"

[arms."hybrid 0.8"]
plan = "hybrid"
alpha = 0.8
seeds = [0]

[conditions.first]
train = ["train.jsonl"]
test = ["test.jsonl"]

[conditions.held-out]
train = ["train.jsonl"]
test = ["test.jsonl"]
held_out_pairs = ["de->en"]
arms = ["x-y", "hybrid"]
seeds = [0]
"""


def write_study(folder, base, text=STUDY):
    """Write `study.toml` with its three corpora into a folder."""
    write_records(folder / "train.jsonl", items=24, languages=("de", "en", "hi"))
    write_records(folder / "dev.jsonl", items=8, languages=("de", "en", "hi"), first=100)
    write_records(
        folder / "test.jsonl", items=10, languages=("de", "en", "hi", "zh"), first=200, negatives=True
    )
    path = folder / "study.toml"
    path.write_text(text.replace("{base}", str(base)), encoding="utf-8")
    return path
