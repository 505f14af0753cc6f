"""What others' tools read and write: BEIR folders, MTEB's results, tasks and data sets, an evaluator for trainers."""
