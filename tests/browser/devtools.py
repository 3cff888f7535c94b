"""A headless Chromium that tests drive through its DevTools protocol, over a pipe.

Nothing but the standard library and the system's browser is needed: messages are JSON
that ends with a zero byte, in on descriptor 3 and out on descriptor 4.
"""

import base64
import json
import os
import select
import subprocess
import sys
import time

LONGEST = 30.0  # [s] that an answer may take
# The child has the two ends of the pipes as 3 and 4, whatever their numbers were here.
_LAUNCH = """
import os, sys
ends = [os.dup(os.dup(int(end))) for end in sys.argv[1:3]]
os.dup2(ends[0], 3)
os.dup2(ends[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_OPTIONS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",  # tests may be root's, for whom it refuses to start with one
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # no network
)


class Browser:
    """One tab of a browser.

    Arguments:
        program: The browser's path.
        profile: An empty folder for what it keeps.
    """

    def __init__(self, program, profile):
        here_read, self._to = os.pipe()
        self._from, here_write = os.pipe()
        words = [program, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCH, str(here_read), str(here_write), *words],
            pass_fds=(here_read, here_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(here_read)
        os.close(here_write)
        self._kept = b""
        self._count = 0
        self._session = None
        self.events = []
        tabs = self.ask("Target.getTargets")["targetInfos"]
        (tab,) = (one["targetId"] for one in tabs if one["type"] == "page")
        found = self.ask("Target.attachToTarget", targetId=tab, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.ask(f"{domain}.enable")

    def close(self):
        """Ends the browser."""
        os.close(self._to)
        os.close(self._from)
        self._process.kill()
        self._process.wait()

    def ask(self, method, **parameters):
        """Returns the answer to one command."""
        number = self._send(method, **parameters)
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _send(self, method, **parameters):
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        return self._count

    def _read(self):
        until = time.monotonic() + LONGEST
        while b"\0" not in self._kept:
            ready, _, _ = select.select([self._from], [], [], until - time.monotonic())
            piece = os.read(self._from, 1 << 20) if ready else b""
            assert piece, "the browser does not answer"
            self._kept += piece
        message, _, self._kept = self._kept.partition(b"\0")
        found = json.loads(message)
        if found.get("method") == "Page.javascriptDialogOpening":
            self._send("Page.handleJavaScriptDialog", accept=False)  # it stops the page
        return found

    def open(self, address):
        """Opens an address and waits until it is loaded."""
        # an address that differs in its fragment alone would not be loaded again
        for page in ("about:blank", address):
            self.events.clear()
            self.ask("Page.navigate", url=page)
            while not self.seen("Page.loadEventFired"):
                self.events.append(self._read())

    def seen(self, method):
        """Returns the parameters of all events of a kind since the address was opened."""
        return [
            event["params"] for event in self.events if event.get("method") == method
        ]

    def run(self, code):
        """Returns the value of an expression in the page."""
        answer = self.ask(
            "Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key, modifiers=0):
        """Presses a key, such as `Tab` or `Enter`."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "End": 35, "Home": 36}
        arrows = ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown")
        codes |= {arrow: 37 + i for i, arrow in enumerate(arrows)}
        text = {"Enter": "\r", " ": " "}.get(key, "")
        about = {
            "key": key,
            "windowsVirtualKeyCode": codes[key],
            "modifiers": modifiers,
        }
        self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **about)

    def type(self, text):
        """Types text into what has the focus."""
        self.ask("Input.insertText", text=text)

    def look(self, width, height, scheme="light"):
        """Sets the size of the window [CSS pixels] and the colour scheme."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        self.ask("Emulation.setDeviceMetricsOverride", mobile=width < 600, **size)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.ask("Emulation.setEmulatedMedia", features=[feature])
        # what the page does about it, it does before it is painted again
        self.run(
            "new Promise(done => requestAnimationFrame(() => "
            "requestAnimationFrame(() => setTimeout(done, 50))))"
        )

    def picture(self):
        """Returns the whole page as PNG."""
        answer = self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(answer["data"])
