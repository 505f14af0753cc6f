"""What a server is asked to keep to: addresses, the key, limits, time."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from isogloss.errors import RecipeError

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class ServingSettings:
    """How to serve; what is not valid is said when the settings are made.

    Attributes:
        host: the address to listen on; other than loopback it needs a key.
        port: the port; 0 takes a free one.
        api_key: what clients have to send as ``Authorization: Bearer KEY``; None asks for nothing.
        allowed_hosts: names by which clients may call the server; empty: on loopback its names, elsewhere any.
        batch_texts: texts that the model is given at once, at most.
        batch_characters: their characters in all, at most; a longer text is alone.
        batch_wait: seconds that the first text of a batch waits for others, at most.
        requests: under way at a time, at most; more are refused with 503.
        waiting_texts: texts that wait for the model, at most; more are refused with 503.
        answering: searches that wait for the index, at most; more are refused with 503.
        threads: searches of the index at a time.
        timeout: seconds after which a request is given up with 504.
        text_characters: of a question or a text, at most.
        texts: of an embedding request, at most.
        body_bytes: of a request, at most.
        top_k: passages a question, at most.
        log_questions: whether the log may hold what was asked.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    api_key: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    batch_texts: int = 32
    batch_characters: int = 16_384
    batch_wait: float = 0.003
    requests: int = 512
    waiting_texts: int = 1024
    answering: int = 256
    threads: int = 4
    timeout: float = 30.0
    text_characters: int = 8_192
    texts: int = 256
    body_bytes: int = 1 << 20
    top_k: int = 100
    log_questions: bool = False

    def __post_init__(self) -> None:
        if self.api_key is not None and not (
            self.api_key.isascii()
            and self.api_key.isprintable()
            and self.api_key.strip() == self.api_key != ""
        ):
            raise RecipeError(
                "the API key must have printable ASCII characters, and no space at its ends; make one with"
                " `openssl rand -hex 24`"
            )
        if not is_loopback(self.host) and self.api_key is None:
            raise RecipeError(
                f"--host {self.host} can be reached from other machines, which needs a key: set ISOGLOSS_API_KEY, or"
                " give --api-key; or leave out --host to serve this machine alone"
            )
        whole = (
            "batch_texts",
            "batch_characters",
            "waiting_texts",
            "answering",
            "threads",
            "text_characters",
        )
        for name in (*whole, "requests", "texts", "body_bytes", "top_k"):
            if getattr(self, name) < 1:
                raise RecipeError(f"{name} {getattr(self, name)}: must be at least 1")
        if not 0 <= self.batch_wait <= 1:
            raise RecipeError(f"batch_wait {self.batch_wait}: must be from 0 to 1 second")
        if not 0 < self.timeout <= 3600:
            raise RecipeError(f"timeout {self.timeout}: must be more than 0 and at most 3600 seconds")
        if not 0 <= self.port <= 65_535:
            raise RecipeError(f"port {self.port}: must be from 0 to 65535")

    @property
    def host_names(self) -> frozenset[str] | None:
        """Names that a request may call the server by, in lower case; None for any.

        A page of another site can make a browser call this machine under that site's name; on loopback, where no key
        keeps it out, the name does.
        """
        if not is_loopback(self.host) and not self.allowed_hosts:
            return None
        own = LOOPBACK_NAMES if is_loopback(self.host) else ()
        return frozenset(name.lower().strip("[]") for name in (*own, self.host, *self.allowed_hosts))


def is_loopback(host: str) -> bool:
    """Tell whether an address can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]").split("%")[0]).is_loopback
    except ValueError:
        return False
