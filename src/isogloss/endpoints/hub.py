"""Whether the model hub can be asked: told in seconds, where its client would try again for minutes."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

SECONDS = 5.0
"""Waited for the hub's machine, at most."""


def only_here(model: str | Path) -> bool:
    """Tell whether a model has to be loaded from this machine alone: a folder has, and any other while no hub is there.

    What the hub's client has in its cache is found in either case.
    """
    return Path(model).is_dir() or not hub_is_reachable()


def hub_is_reachable() -> bool:
    """Tell whether the hub, or the proxy before it, takes connections; no, where ``HF_HUB_OFFLINE`` says not to ask."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    asked = urlsplit(constants.ENDPOINT)
    proxies = {} if proxy_bypass(asked.hostname or "") else getproxies()
    if proxy := proxies.get(asked.scheme) or proxies.get("all"):
        asked = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    place = (asked.hostname or "", asked.port or (443 if asked.scheme == "https" else 80))
    found = threading.Event()
    done = threading.Event()

    def connect() -> None:
        try:
            socket.create_connection(place, timeout=SECONDS).close()
            found.set()
        except OSError:
            pass
        finally:
            done.set()

    # Looking up an address has no time limit, and cannot be stopped: the thread is left behind.
    threading.Thread(target=connect, daemon=True).start()
    done.wait(SECONDS)
    return found.is_set()


def hub_address() -> str:
    """The hub's address: ``HF_ENDPOINT``, else https://huggingface.co."""
    from huggingface_hub import constants

    return str(constants.ENDPOINT)
