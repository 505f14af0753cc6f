"""Bring an index up to date with passages: what is new is encoded, what is unchanged costs nothing."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from isogloss.encoding.encoder import Encoder, encode_distinct, uses_languages
from isogloss.encoding.identity import passage_identity
from isogloss.encoding.language_detection import detect_languages
from isogloss.errors import CorpusError, DataError, ModelError, OutputError, RecipeError
from isogloss.files import finished_folder, refuse_existing
from isogloss.search.backend import WritableBackend
from isogloss.search.copying import give_staged, put_back
from isogloss.search.folder import (
    LOCK,
    STORE,
    IndexSettings,
    is_index,
    open_milvus,
    read_settings,
    vector_file,
)
from isogloss.search.milvus import is_server
from isogloss.search.passage import Passage
from isogloss.search.sources import NamedFiles
from isogloss.search.store import PassageStore, Published
from isogloss.search.vector_file import VectorFile
from isogloss.search.words import words_of

_AT_ONCE = 512
"""Passages encoded between two commits: what a kill can lose."""
KEPT_FOR = 10
"""Updates through which the vectors are kept that a stopped update encoded and no passage has yet."""
Progress = Callable[[str, int], None]
"""Told a stage and how many passages are done in it."""


@dataclass(frozen=True)
class Updated:
    """What an update did.

    Attributes:
        added: passages that are new.
        changed: passages whose text, title, language or metadata are others now.
        removed: passages that are gone.
        unchanged: passages that were there as they are.
        encoded: texts that the model was given.
        passages: live passages by language, after it.
    """

    added: int
    changed: int
    removed: int
    unchanged: int
    encoded: int
    passages: dict[str, int]


class IndexWriter:
    """The one writer of an index.

    Args:
        folder: the index.
        token: of a Milvus server.

    Raises:
        OutputError: another process is changing the index, or the folder cannot be written in.
        DataError: it is no index.
    """

    def __init__(self, folder: str | Path, *, token: str | None = None) -> None:
        self.folder = Path(folder)
        self.token = token
        if not is_index(self.folder):
            raise DataError(
                f"{self.folder}: no index; make one with `isogloss index MODEL PASSAGES --output INDEX`"
            )
        self._lock = FileLock(self.folder / LOCK)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise OutputError(
                f"{self.folder}: another process is changing the index; wait until it is done"
            ) from error
        except OSError as error:
            raise OutputError(f"{self.folder}: cannot write: {error.strerror or error}") from error
        with ExitStack() as undo:
            undo.callback(self._lock.release)
            self.store = PassageStore(self.folder / STORE, writable=True)
            undo.callback(self.store.close)
            self.settings = read_settings(self.store)
            self._remove_old_vectors()
            undo.pop_all()
        self._made_with: Encoder | None = None

    @classmethod
    def create(
        cls,
        folder: str | Path,
        encoder: Encoder,
        settings: IndexSettings,
        *,
        token: str | None = None,
    ) -> IndexWriter:
        """Make an empty index and open it.

        Args:
            folder: a new folder, or an empty one.
            encoder: gives the dimension, if the settings have none.
            settings: what to make it with; `identity` and `collection` are filled in here.
            token: of a Milvus server.

        Raises:
            OutputError: the folder exists, or cannot be made.
        """
        folder = Path(folder)
        refuse_existing(folder)
        if settings.backend not in ("exact", "milvus"):
            raise RecipeError(
                f"backend {settings.backend!r}: there is none of that name; choose exact or milvus"
            )
        if settings.uri and (settings.backend != "milvus" or not is_server(settings.uri)):
            raise RecipeError(
                f"--uri {settings.uri}: goes with --backend milvus, and is a server's, http://..."
            )
        dimension = settings.dimension or encoder.encode(["a"], "passage").shape[1]
        filled = replace(
            settings,
            identity=passage_identity(encoder),
            dimension=int(dimension),
            collection=settings.collection or f"isogloss_{secrets.token_hex(6)}",
        )
        with finished_folder(folder) as made:
            store = PassageStore(made / STORE, writable=True)
            with store.transaction():
                store.write_about({**filled.as_record(), "generation": 0, "next_position": 0, "vectors": 0})
            store.close()
        writer = cls(folder, token=token)
        writer._made_with = encoder
        try:
            if filled.backend == "milvus":
                with writer._milvus():
                    pass
        except BaseException:
            writer.close()
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return writer

    def _remove_old_vectors(self) -> None:
        """Remove files of vectors that a kill left behind."""
        for path in self.folder.glob("vectors-*.f32"):
            if path != self._file().path:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let another process write."""
        self.store.close()
        self._lock.release()

    def __enter__(self) -> IndexWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def known_files(self) -> dict[str, str]:
        """The files that were read into the index: absolute paths by name."""
        return self.store.known_files()

    def update(
        self,
        passages: Iterable[tuple[str, Passage]],
        encoder: Encoder,
        *,
        files: NamedFiles | None = None,
        prune: bool = False,
        progress: Progress | None = None,
    ) -> Updated:
        """Add passages, and change those whose id and said language are there.

        Readers see the index before the update until the update is done. A killed update is begun anew by the next,
        which encodes only what the killed one had not; where others come between, that is kept through ten of them.

        Args:
            passages: each with words for its place.
            encoder: the model that the index was made with.
            files: which the passages are of, if they are of files. Passages of the index that are called after one of
                them and do not come again are removed, and those that are called after one that vanished.
            prune: whether passages that are not among these are removed.
            progress: told what is done.

        Raises:
            CorpusError: an id comes twice.
            DataError: the model is another one.
            OutputError: the index cannot be written.
        """
        self._check(encoder)
        report = progress or (lambda stage, done: None)
        self._clear_up()
        spare = self.store.unused_positions()
        unchanged = encoded = done = 0
        source = iter(passages)
        while part := list(islice(source, _AT_ONCE)):
            staged, texts = self._take(part, encoder)
            unchanged += len(part) - staged
            encoded += texts
            done += len(part)
            report("passages", done)
        if not done:
            raise CorpusError(f"{self.folder}: no passage was given; nothing is changed")
        if self.settings.backend == "milvus":
            with self._milvus() as backend:
                give_staged(self.store, self._file(), backend, report)
        with self.store.transaction():
            count_words = words_of if self.settings.words else None
            named = files or NamedFiles({})
            published = self.store.publish(
                prune=prune, count_words=count_words, files=named.paths, vanished=named.vanished
            )
        self._clear_up()
        self._forget_vectors(spare)
        return self._updated(published, unchanged, encoded)

    def remove(self, ids: Sequence[str]) -> Updated:
        """Remove the passages of ids, in all their languages.

        Raises:
            CorpusError: no passage has one of the ids; nothing is changed then.
        """
        self._clear_up()
        spare = self.store.unused_positions()
        before = sum(self.store.counts().values())
        with self.store.transaction():
            if unknown := self.store.kill(ids):
                raise CorpusError(
                    f"{self.folder}: no passage has the id {', '.join(map(repr, unknown[:5]))}; nothing is changed"
                )
        self._clear_up()
        self._forget_vectors(spare)
        removed = before - sum(self.store.counts().values())
        return self._updated(Published(0, 0, removed), before - removed, 0)

    def _updated(self, published: Published, unchanged: int, encoded: int) -> Updated:
        return Updated(*published, unchanged, encoded, self.store.counts())

    def _check(self, encoder: Encoder) -> None:
        made_with, self._made_with = self._made_with, None
        if encoder is made_with:
            return  # Its weights were hashed a moment ago, which takes a while for a large model.
        identity = passage_identity(encoder)
        if identity != self.settings.identity:
            other = sorted(
                key
                for key in {*identity, *self.settings.identity}
                if identity.get(key) != self.settings.identity.get(key)
            )
            raise DataError(
                f"{self.folder}: made with {self.settings.model}, and {encoder.name} differs in {', '.join(other)};"
                " give that model, or make another index"
            )

    def _take(self, part: Sequence[tuple[str, Passage]], encoder: Encoder) -> tuple[int, int]:
        """Stage what is new or changed of some passages.

        Returns:
            How many were staged, and how many texts were encoded.
        """
        with self.store.transaction():
            if (twice := self.store.see(passage for _, passage in part)) is not None:
                where = [place for place, passage in part if _key(passage) == _key(twice)][-1]
                said = f" in {twice.said_language}" if twice.said_language else ""
                raise CorpusError(
                    f"{where}: the id {twice.id!r}{said} came before; every passage needs an id of its own"
                )
        known = self.store.digests([passage for _, passage in part])
        new = [
            passage for (_, passage), digest in zip(part, known, strict=True) if digest != passage.digest()
        ]
        if not new:
            return 0, 0
        new = _with_languages(new)
        keys = [_text_key(passage, encoder) for passage in new]
        positions = self.store.known_vectors(sorted(set(keys)))
        missing = [at for at, key in enumerate(keys) if key not in positions]
        first_of = {keys[at]: new[at] for at in reversed(missing)}
        if first_of:
            vectors, rows = encode_distinct(
                encoder,
                [passage.encoded_text for passage in first_of.values()],
                "passage",
                languages=[passage.language for passage in first_of.values()],
            )
            start = int(self.store.about()["next_position"])
            self._file().write(start, vectors[rows])
            added = {key: start + number for number, key in enumerate(first_of)}
            positions |= added
        with self.store.transaction():
            if first_of:
                self.store.add_vectors(added)
            self.store.stage(new, [positions[key] for key in keys])
        return len(new), len(first_of)

    def _clear_up(self) -> None:
        """Remove the passages that a killed update left, and those that the last one replaced.

        What a killed update encoded is kept for the next.
        """
        staged = self.store.forget_staged()
        if len(staged):
            with self.store.transaction():
                self.store.write_about({"spare_for": 0})
        gone = np.concatenate([staged, self.store.dead_rows()])
        if self.settings.backend == "milvus":
            with self._milvus() as backend:
                if len(gone):
                    backend.remove(gone)
                    backend.settle()
                put_back(self.store, self._file(), backend)
        if len(gone):
            with self.store.transaction():
                self.store.bury()

    def _forget_vectors(self, spare: NDArray[np.int64]) -> None:
        """Forget vectors of no passage; where they are more than half of the file, write it anew without them.

        Args:
            spare: positions of those that stopped updates encoded, int64; they are kept for a while.
        """
        about = self.store.about()
        kept_for = about.get("spare_for", 0) + 1 if len(spare) else 0
        with self.store.transaction():
            unused = self.store.unused_positions()
            self.store.forget_vectors(unused if kept_for > KEPT_FOR else np.setdiff1d(unused, spare))
            self.store.write_about({"spare_for": kept_for})
        used = self.store.used_positions()
        if 2 * len(used) >= about["next_position"]:
            return
        old = self._file()
        number = int(about["vectors"]) + 1
        new = VectorFile(self.folder / f"vectors-{number}.f32", self.settings.dimension)
        new.path.unlink(missing_ok=True)
        old.copy_to(new, used)
        with self.store.transaction():
            self.store.move_vectors(used)
            self.store.write_about({"vectors": number})
        old.path.unlink(missing_ok=True)

    def _file(self) -> VectorFile:
        return vector_file(self.folder, self.store, self.settings)

    @contextmanager
    def _milvus(self) -> Iterator[WritableBackend]:
        backend = open_milvus(self.folder, self.settings, self.token, create=True)
        try:
            yield backend
        finally:
            backend.close()


def _with_languages(passages: Sequence[Passage]) -> list[Passage]:
    unknown = [at for at, passage in enumerate(passages) if passage.language is None]
    found = list(passages)
    if unknown:
        missing = ModelError(
            "texts whose language nobody says need a detector: pip install 'isogloss[search]', or name the language"
            " with --language"
        )
        detected = detect_languages([passages[at].text for at in unknown], missing=missing)
        for at, language in zip(unknown, detected, strict=True):
            found[at] = replace(passages[at], language=language, detected=True)
    return found


def _key(passage: Passage) -> tuple[str, str]:
    return passage.id, passage.said_language


def _text_key(passage: Passage, encoder: Encoder) -> bytes:
    language = passage.language if uses_languages(encoder) else ""
    return hashlib.sha256(f"{language}\n{passage.encoded_text}".encode()).digest()
