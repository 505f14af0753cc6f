"""A real HTTP server that answers as an OpenAI-compatible ``/v1/chat/completions`` does, or as it is told to."""

from __future__ import annotations

import json
import re
import threading

from tests import loopback


def translation_of(text: str, target: str) -> str:
    """A text as the server translates it."""
    return f"{target}:{text[::-1]}"


class ChatServer:
    """What was asked, and how to answer.

    `answer` takes the request's number from 0 and its texts; it returns the content of the message, (status, body) or
    (status, body, headers), or None for what is right.
    """

    def __init__(self):
        self.requests: list[dict] = []
        self.keys: list[str | None] = []
        self.paths: list[str] = []
        self.answer = lambda number, texts: None
        self.finish_reason = "stop"
        self._lock = threading.Lock()

    @property
    def texts(self) -> list[str]:
        return [text for request in self.requests for text in json.loads(request["messages"][1]["content"])]

    def handle(self, path, body, key):
        request = json.loads(body)
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
            self.keys.append(key)
            self.paths.append(path)
        texts = json.loads(request["messages"][1]["content"])
        answer = self.answer(number, texts)
        if isinstance(answer, tuple):
            return (*answer, {})[:3]
        if answer is None:
            target = re.search(r"to (\S+) ", request["messages"][0]["content"])[1]
            answer = json.dumps([translation_of(text, target) for text in texts], ensure_ascii=False)
        return 200, self.completion(answer), {}

    def completion(self, content):
        return {
            "object": "chat.completion",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": content},
                    "finish_reason": self.finish_reason,
                }
            ],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10},
        }


def serving():
    """Serve on a free port of this machine; yields the server with its `url`."""
    return loopback.serving(ChatServer())
