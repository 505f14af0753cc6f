"""NLLB, M2M100 and OPUS-MT (Marian) models by the transformers library."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from isogloss.endpoints.hub import only_here
from isogloss.errors import ModelError
from isogloss.translation.engine import Failure
from isogloss.translation.engines.tokenizing import TranslationTokenizer

_KNOWN = ("m2m_100", "marian")


class TransformersEngine:
    """A translation model on this machine.

    Args:
        model: folder or hub name.
        codes: the model's codes for languages of the corpus, where they cannot be found.
        beam_size: translations pursued side by side.
        device: torch device; None takes a GPU where there is one.
        batch_size: sentences a batch.

    Raises:
        ModelError: there is no such model, or it is of no known kind.
        RecipeError: a package that its tokenizer needs is not installed.
    """

    at_once = 1
    tokens: tuple[int, int] | None = None

    def __init__(
        self, model: str, *, codes: Mapping[str, str], beam_size: int, device: str | None, batch_size: int
    ) -> None:
        import torch
        from transformers import AutoConfig, AutoModelForSeq2SeqLM

        self.name = f"transformers:{model}"
        self.batch_size = batch_size
        self.batch_characters = 512 * batch_size
        self._beam_size = beam_size
        alone = only_here(model)
        try:
            config = AutoConfig.from_pretrained(model, local_files_only=alone)
            if config.model_type not in _KNOWN:
                raise ModelError(
                    f"{self.name}: a model of kind {config.model_type}; NLLB, M2M100 and OPUS-MT (Marian) translate"
                )
            self._model = AutoModelForSeq2SeqLM.from_pretrained(model, local_files_only=alone)
        except (OSError, ValueError) as error:
            raise ModelError(
                f"{self.name}: cannot be loaded: {' '.join(str(error).split())[:300]}"
            ) from error
        self._tokenizer = TranslationTokenizer(model, name=self.name, codes=codes)
        try:
            self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
            self._model = self._model.eval().to(self._device)
        except (RuntimeError, AssertionError) as error:
            raise ModelError(f"--device {device}: {' '.join(str(error).split())[:200]}") from error
        self._positions = int(config.max_position_embeddings)
        # Each call says how long a translation may be.
        self._model.generation_config.max_length = None
        self._codes = dict(codes)
        self._identity: dict[str, Any] | None = None

    def identity(self) -> dict[str, Any]:
        """Checksums of weights and vocabulary, how the model searches, beams and other codes."""
        if self._identity is None:
            settings = self._model.generation_config.to_diff_dict()
            settings.pop("transformers_version", None)
            self._identity = {
                "engine": "transformers",
                "weights": _digest(self._model.state_dict()),
                "vocabulary": self._tokenizer.digest,
                "generation": {key: repr(value) for key, value in sorted(settings.items())},
                "beam_size": self._beam_size,
                "codes": self._codes,
            }
        return self._identity

    def refusal(self, source: str, target: str) -> str | None:
        """Say which language the model has not; None where it has both."""
        return self._tokenizer.refusal(source, target)

    def translate(self, sentences: Sequence[str], source: str, target: str) -> list[str | Failure]:
        """Translate a batch; sentences longer than the model takes, and translations that do not end, are failures."""
        import torch

        batch = self._tokenizer.prepared(sentences, source, target, self._positions)
        if not batch.fitting:
            return batch.results
        ids = torch.full((len(batch.ids), batch.longest), self._model.config.pad_token_id, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, tokens in enumerate(batch.ids):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            mask[row, : len(tokens)] = 1
        try:
            with torch.inference_mode():
                made = self._model.generate(
                    input_ids=ids.to(self._device),
                    attention_mask=mask.to(self._device),
                    forced_bos_token_id=batch.first,
                    num_beams=self._beam_size,
                    do_sample=False,
                    max_new_tokens=batch.limit,
                ).tolist()
        except torch.OutOfMemoryError as error:
            if batch.no_memory():
                return batch.results
            raise ModelError(
                f"{self.name}: the device has no memory for {len(batch.ids)} sentences of {batch.longest} tokens; give"
                " a smaller --batch-size"
            ) from error
        for number, row in enumerate(made):
            # The first token only starts the decoder; the second one, where it was forced, says the language.
            start = 1 if batch.first is None else 2
            end = row.index(self._tokenizer.eos, start) if self._tokenizer.eos in row[start:] else len(row)
            text = self._tokenizer.decode(row[start:end])
            # A model that is made to end at the limit has not come to an end either.
            batch.set(number, text, ended=end < batch.limit)
        return batch.results

    def stop(self) -> None:
        """Nothing is under way in other threads."""


def _digest(weights: Mapping[str, Any]) -> str:
    """SHA-256 over tensors, their names and types."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
