"""An engine by its name: `transformers:MODEL`, `ctranslate2:FOLDER`, `command:PROGRAM ...`, `openai:MODEL@URL`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from isogloss.errors import RecipeError
from isogloss.translation.engine import Engine

_TAKES = {
    "transformers": {"beam_size", "device", "batch_size", "codes"},
    "ctranslate2": {"beam_size", "device", "batch_size", "codes", "tokenizer"},
    "command": {"at_once", "batch_size", "timeout", "version", "codes", "blank_lines"},
    "openai": {"at_once", "batch_size", "timeout", "version", "codes", "base_url"},
}
_WRITTEN = {"at_once": "--jobs", "version": "--engine-version", "codes": "--code"}


@dataclass(frozen=True)
class EngineOptions:
    """What can be said of an engine; None and empty stand for what is usual.

    Attributes:
        beam_size: translations that a neural engine pursues side by side; 4.
        device: torch device, or CTranslate2's; a GPU where there is one.
        batch_size: sentences a batch; 32, and 500 for a program.
        tokenizer: folder or name of the tokenizer of a CTranslate2 model; its own folder.
        at_once: programs or requests at once; 1, and 4 requests.
        timeout: seconds for a batch; 600 for a program, 120 for a request.
        base_url: of the server, up to and including /v1; OpenAI's.
        version: of a program or a server's model, as far as it matters to its translations.
        codes: what the engine calls a language of the corpus.
        blank_lines: whether a program gets an empty line after each sentence; as Apertium does.
    """

    beam_size: int | None = None
    device: str | None = None
    batch_size: int | None = None
    tokenizer: str | None = None
    at_once: int | None = None
    timeout: float | None = None
    base_url: str | None = None
    version: str | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    blank_lines: bool | None = None


def open_engine(name: str, options: EngineOptions) -> Engine:
    """Open an engine.

    Args:
        name: `transformers:MODEL` (a folder or a hub name), `ctranslate2:FOLDER`, `command:PROGRAM ...` or
            `openai:MODEL@URL`.
        options: only those that the engine takes may be set.

    Raises:
        RecipeError: there is no such engine, or an option does not go with it.
        ModelError: its model, program or server cannot be used.
    """
    kind, _, rest = name.partition(":")
    if kind not in _TAKES or not rest.strip():
        raise RecipeError(
            f"--engine {name}: no such engine; give transformers:MODEL, ctranslate2:FOLDER, command:PROGRAM or"
            " openai:MODEL"
        )
    for option in fields(options):
        if getattr(options, option.name) not in (None, {}) and option.name not in _TAKES[kind]:
            written = _WRITTEN.get(option.name, f"--{option.name.replace('_', '-')}")
            takers = " and ".join(other for other, takes in _TAKES.items() if option.name in takes)
            raise RecipeError(f"{written} goes with {takers} engines, not with {kind}")
    if kind == "command":
        from isogloss.translation.engines.command import CommandEngine

        return CommandEngine(
            rest,
            codes=options.codes,
            version=options.version,
            batch_size=options.batch_size or 500,
            at_once=options.at_once or 1,
            timeout=options.timeout or 600.0,
            blank_lines=options.blank_lines,
        )
    if kind == "openai":
        from isogloss.endpoints.requests import Patience
        from isogloss.translation.engines.chat import ChatEngine

        if options.base_url and "@" in name:
            raise RecipeError(f"--base-url: {name} names a server already")
        return ChatEngine(
            f"{name}@{options.base_url}" if options.base_url else name,
            codes=options.codes,
            version=options.version,
            batch_size=options.batch_size or 32,
            at_once=options.at_once or 4,
            patience=Patience(answer=options.timeout or 120.0),
        )
    if kind == "ctranslate2":
        from isogloss.translation.engines.ctranslate2 import CTranslate2Engine

        return CTranslate2Engine(
            rest,
            tokenizer=options.tokenizer,
            codes=options.codes,
            beam_size=options.beam_size or 4,
            device=options.device,
            batch_size=options.batch_size or 32,
        )
    from isogloss.translation.engines.transformers import TransformersEngine

    return TransformersEngine(
        rest,
        codes=options.codes,
        beam_size=options.beam_size or 4,
        device=options.device,
        batch_size=options.batch_size or 32,
    )
