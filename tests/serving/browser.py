"""A real browser without a window, driven over its debugging pipe; needs nothing but Chromium."""

import base64
import json
import os
import select
import shutil
import signal
import time
from contextlib import contextmanager, suppress
from pathlib import Path

SECONDS = 30


def chromium():
    """Where Chromium is, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """One page of a browser; `console` holds what it complained about."""

    def __init__(self, into, out):
        self._into, self._out = into, out
        self._unread = b""
        self._number = 0
        self._session = None
        self.console = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.call(f"{domain}.enable")
        self.requests = []

    def call(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._into, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + SECONDS
        while True:
            answer = self._read(until)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _read(self, until):
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._out], [], [], max(until - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            self._unread += os.read(self._out, 1 << 16)
        line, _, self._unread = self._unread.partition(b"\0")
        message = json.loads(line)
        self._note(message)
        return message

    def _note(self, message):
        parameters = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.console.append(parameters["exceptionDetails"].get("exception", {}).get("description"))
            case "Log.entryAdded":
                self.console.append(parameters["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])

    def run(self, code):
        """Run JavaScript in the page, wait for what it promises, and return its value."""
        result = self.call(
            "Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, code):
        """Wait until an expression is true."""
        until = time.monotonic() + SECONDS
        while not self.run(code):
            assert time.monotonic() < until, f"{code}\n{self.run('document.body.innerText')}\n{self.console}"
            time.sleep(0.02)

    def open(self, url):
        self.call("Page.navigate", url="about:blank")
        self.console.clear()
        self.requests.clear()
        self.call("Page.navigate", url=url)
        self.wait(f"location.href.startsWith({json.dumps(url[:20])}) && document.readyState === 'complete'")

    def text(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    def texts(self, selector):
        return self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map((one) => one.innerText)")

    def type(self, text):
        self.call("Input.insertText", text=text)

    def press(self, key, code=None):
        codes = {"Enter": 13, "Tab": 9, "Escape": 27, " ": 32}
        event = {"key": key, "code": code or key, "windowsVirtualKeyCode": codes.get(key, 0)}
        if key in ("Enter", " "):
            event["text"] = "\r" if key == "Enter" else " "
        self.call("Input.dispatchKeyEvent", type="keyDown", **event)
        self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def look(self, width=1000, height=900, dark=False):
        """Take a size and a colour scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path):
        shown = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        Path(path).write_bytes(base64.b64decode(shown["data"]))


@contextmanager
def browser(folder):
    """Start Chromium with its files in a folder."""
    r_into, into = os.pipe()
    out, w_out = os.pipe()
    words = [
        chromium(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
        "--lang=en", f"--user-data-dir={folder}", "--remote-debugging-pipe", "about:blank",
    ]  # fmt: skip
    process = os.posix_spawn(
        words[0],
        words,
        {**os.environ, "no_proxy": "*"},
        file_actions=[
            # Via high numbers: one of the four may be 3 or 4 itself.
            (os.POSIX_SPAWN_DUP2, r_into, 100),
            (os.POSIX_SPAWN_DUP2, w_out, 101),
            (os.POSIX_SPAWN_DUP2, 100, 3),
            (os.POSIX_SPAWN_DUP2, 101, 4),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ],
        setpgroup=0,
    )
    os.close(r_into)
    os.close(w_out)
    try:
        yield Browser(into, out)
    finally:
        os.close(into)
        os.close(out)
        with suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)
        os.waitpid(process, 0)
