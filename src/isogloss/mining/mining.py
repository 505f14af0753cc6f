"""Mine hard negatives: encode each distinct text once, rank, sift and choose, a block of items at a time.

In memory are some 300 bytes a language version, and a block's lists and vectors: about half a gigabyte. Texts stay in
the corpus, vectors on disk.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.corpus import ParallelCorpus
from isogloss.corpus.grouping import text_keys
from isogloss.corpus.passages import Passage
from isogloss.encoding.encoder import Encoder, Side, uses_languages
from isogloss.encoding.shards import ShardFolder
from isogloss.errors import CorpusError, Interrupted
from isogloss.mining.block import Block
from isogloss.mining.candidates import Candidates, Versions, candidate_texts, query_texts, survey
from isogloss.mining.choosing import choose
from isogloss.mining.rules import sift
from isogloss.mining.searching import search
from isogloss.mining.settings import MiningSettings
from isogloss.mining.vectors import DiskVectors
from isogloss.mining.work import PASSAGES, QUERIES, BlockFolder, MinedBlock

StageProgress = Callable[[str, int, int], None]
"""Called with a stage, how much of it is done, and how much there is."""

_MOST_QUERIES = 4096
_MOST_PLACES = 1 << 21
_SHARD_TEXTS = 8192


@dataclass(frozen=True)
class Mined:
    """Negatives of every version of a corpus.

    Attributes:
        corpus: the corpus.
        settings: how they were mined.
        versions: its versions, V.
        candidates: what was looked among.
        blocks: the folder that the blocks lie in.
        slices: the versions of each block.
    """

    corpus: ParallelCorpus
    settings: MiningSettings
    versions: Versions
    candidates: Candidates
    blocks: BlockFolder
    slices: list[slice]

    def read(self) -> Iterator[tuple[slice, MinedBlock]]:
        """Yield each block with its slice of the versions.

        Raises:
            CorpusError: a block has gone since it was mined.
        """
        for number, some in enumerate(self.slices):
            block = self.blocks.read(number, some.stop - some.start)
            if block is None:
                raise CorpusError(
                    f"{self.blocks.folder}: block {number} has gone; start the same command again"
                )
            yield some, block


def mine_negatives(
    corpus: ParallelCorpus,
    encoder: Encoder,
    settings: MiningSettings,
    work: Path,
    *,
    identity: Mapping[str, Any],
    progress: StageProgress | None = None,
    shard_texts: int = _SHARD_TEXTS,
    most_queries: int = _MOST_QUERIES,
) -> Mined:
    """Mine negatives for every version of a corpus.

    Args:
        corpus: the corpus.
        encoder: gives the vectors; by dot product.
        settings: what is looked for.
        work: keeps vectors and mined blocks, for a resume or for other settings.
        identity: what the vectors depend on besides the texts (`passage_identity`); the query prompt is added.
        progress: told of each stage.
        shard_texts: texts encoded between two files, in new folders.
        most_queries: queries ranked at once, about; an item's are never parted.

    Raises:
        RecipeError: vectors in `work` were made with another model or of another corpus.
        Interrupted: by Ctrl-C; what is done is kept.
        ModelError: the model fails.
        EvaluationError: its vectors cannot be ranked.
        DataError: a file in `work` is damaged.
        OutputError: `work` cannot be written.
    """
    try:
        return _mine(corpus, encoder, settings, work, identity, progress, shard_texts, most_queries)
    except KeyboardInterrupt:
        raise Interrupted(f"stopped: what is done is kept in {work}; the same command goes on") from None


def _order_digest(corpus: ParallelCorpus) -> str:
    """SHA-256 over the ids and languages of all versions in their order, by which texts are numbered."""
    digest = hashlib.sha256()
    for batch in corpus.batches():
        for column in ("id", "language"):
            digest.update(json.dumps(batch[column].to_pylist()).encode())
    return digest.hexdigest()


def _mine(
    corpus: ParallelCorpus,
    encoder: Encoder,
    settings: MiningSettings,
    work: Path,
    identity: Mapping[str, Any],
    progress: StageProgress | None,
    shard_texts: int,
    most_queries: int,
) -> Mined:
    versions, candidates = survey(
        corpus, with_negatives=settings.existing == "pool", by_language=uses_languages(encoder)
    )
    base = {
        "model": {**identity, "query_prompt": encoder.describe()["query_prompt"]},
        "corpus": corpus.checksum,
        "order": _order_digest(corpus),
        "pool": "passages and negatives" if settings.existing == "pool" else "passages",
    }
    sources: dict[Side, tuple[int, Callable[[], Iterator[Passage]]]] = {
        "passage": (len(candidates.first), lambda: candidate_texts(corpus, candidates)),
        "query": (len(versions.first), lambda: query_texts(corpus, versions)),
    }
    vectors = {}
    for side, (count, texts) in sources.items():
        name = PASSAGES if side == "passage" else QUERIES
        shards = ShardFolder.open(
            work / name, passages=count, settings={**base, "side": side}, shard_passages=shard_texts
        )
        shards.encode(encoder, texts, _stage(progress, f"encoding {name}"), side=side)
        vectors[side] = DiskVectors(shards)
    slices = _slices(versions, len(corpus.languages), settings, most_queries)
    blocks = BlockFolder(work, {**base, **settings.as_dict(), "most_queries": most_queries})
    mined = Mined(corpus, settings, versions, candidates, blocks, slices)
    missing = [
        number for number, some in enumerate(slices) if blocks.read(number, some.stop - some.start) is None
    ]
    total, done = sum(slices[number].stop - slices[number].start for number in missing), 0
    report = _stage(progress, "mining (queries)")
    for number in missing:
        some = slices[number]
        block = Block.of(some, versions, candidates, vectors["query"], vectors["passage"], settings)
        blocks.write(number, _mined_block(corpus, versions, block, some))
        done += len(block)
        if report is not None:
            report(done, total)
    return mined


def _mined_block(corpus: ParallelCorpus, versions: Versions, block: Block, some: slice) -> MinedBlock:
    settings = block.settings
    listed = search(block.queries, block.language, block.candidates, block.passages, settings)
    places = len(listed.query)
    listed, removed = sift(block, listed)
    keys = np.zeros(len(block), np.uint64)
    if settings.pick == "random":
        keys = _draw_keys(corpus, versions, some, settings.seed)
    existing = None
    if settings.existing == "keep":
        rows = versions.row[some].tolist()
        existing = [text_keys(corpus.stored.value("negatives", row)) for row in rows]
    chosen, refused = choose(block, listed, keys, existing)
    return MinedBlock(chosen, {"places": places, **removed, "left": len(listed.query), **refused})


def _draw_keys(corpus: ParallelCorpus, versions: Versions, some: slice, seed: int) -> NDArray[np.uint64]:
    names = [
        f"{seed}\n{corpus.languages[column]}\n{corpus.ids[item]}"
        for item, column in zip(versions.item[some].tolist(), versions.language[some].tolist(), strict=True)
    ]
    digests = b"".join(blake2b(name.encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def _slices(versions: Versions, languages: int, settings: MiningSettings, most_queries: int) -> list[slice]:
    """Part the versions into blocks of whole items."""
    searched = languages if settings.search == "all" else 1
    wanted = max(1, min(most_queries, _MOST_PLACES // (searched * settings.rank_to)))
    starts = np.flatnonzero(np.diff(versions.item, prepend=-1)).tolist()
    slices, begin = [], 0
    for start, stop in zip(starts, [*starts[1:], len(versions)], strict=True):
        if stop - begin > wanted and start > begin:
            slices.append(slice(begin, start))
            begin = start
    return [*slices, slice(begin, len(versions))]


def _stage(progress: StageProgress | None, stage: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(stage, done, total)
