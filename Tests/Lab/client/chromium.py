"""A headless Chromium that talks to one address and to nothing else, driven by the DevTools protocol."""

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

from websocket import WebSocket, WebSocketError


class BrowserError(Exception):
    pass


# Everything that Chromium would say to the world of its own accord.
QUIET = [
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
    "--disable-extensions", "--disable-domain-reliability", "--disable-client-side-phishing-detection",
    "--disable-breakpad", "--metrics-recording-only", "--no-first-run", "--no-default-browser-check", "--no-pings",
    "--no-proxy-server", "--disable-search-engine-choice-screen",
    "--disable-features=OptimizationHints,MediaRouter,DialMediaRouteProvider,Translate,InterestFeedContentSuggestions,"
    "AutofillServerCommunication,CertificateTransparencyComponentUpdater,AsyncDns,NetworkTimeServiceQuerying",
]


class Chromium:
    """`with Chromium(url) as page`: one window, which can load pages of that url's host."""

    def __init__(self, url, size=(1366, 900), insecure=False):
        self.host = urllib.parse.urlsplit(url).hostname
        self.size = size
        self.insecure = insecure

    def __enter__(self):
        program = shutil.which("chromium")
        if not program:
            raise BrowserError("chromium is not installed; Tests/Lab/client/install-packages installs it")
        self.folder = tempfile.mkdtemp(prefix="jhub-chromium-")
        argv = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--hide-scrollbars", "--force-color-profile=srgb", "--lang=en-US", *QUIET,
                f"--window-size={self.size[0]},{self.size[1]}", f"--user-data-dir={self.folder}/profile",
                "--remote-debugging-port=0",
                # No other name is ever looked up.
                f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {self.host}, EXCLUDE 127.0.0.1"]
        if self.insecure:
            argv.append("--ignore-certificate-errors")
        # Its own home: as root it would leave folders in /root. Its own session: its children end with it.
        environment = dict(os.environ, HOME=self.folder, XDG_CONFIG_HOME=self.folder, XDG_CACHE_HOME=self.folder)
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen([*argv, "about:blank"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=environment, start_new_session=True)
        try:
            self._connect()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        # Its last children may still write for a moment.
        for _ in range(20):
            shutil.rmtree(self.folder, ignore_errors=True)
            if not os.path.exists(self.folder):
                break
            time.sleep(0.1)

    def _connect(self):
        marker = os.path.join(self.folder, "profile", "DevToolsActivePort")
        deadline = time.monotonic() + 60
        while not os.path.exists(marker) or not open(marker).read().strip():
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(os.path.join(self.folder, "log"), errors="replace") as log:
                    raise BrowserError("chromium did not start: " + " ".join(log.read().split())[-400:])
            time.sleep(0.1)
        with open(marker) as file:
            port = int(file.readline())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while True:
            targets = json.load(opener.open(f"http://127.0.0.1:{port}/json/list", timeout=30))
            pages = [target for target in targets if target["type"] == "page"]
            if pages:
                break
            time.sleep(0.1)
        self._socket = WebSocket(pages[0]["webSocketDebuggerUrl"], timeout=60)
        self._number = 0
        self._loaded = False
        self.call("Page.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=self.size[0], height=self.size[1], deviceScaleFactor=1,
                  mobile=False)

    def call(self, method, **parameters):
        """One command and its answer; events that come in between are looked at on the way."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            try:
                message = json.loads(self._socket.receive())
            except (OSError, WebSocketError) as error:
                raise BrowserError(f"chromium went away during {method}: {error}") from None
            if message.get("id") == self._number:
                if "error" in message:
                    raise BrowserError(f"{method}: {message['error'].get('message')}")
                return message["result"]

    def load(self, url, timeout=60):
        error = self.call("Page.navigate", url=url).get("errorText")
        if error:
            raise BrowserError(f"{url}: {error}")
        self.wait("document.readyState === 'complete'", timeout, f"{url} to load")

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            thrown = answer["exceptionDetails"].get("exception", {})
            raise BrowserError("in the page: " + thrown.get("description", "?"))
        return answer["result"].get("value")

    def wait(self, expression, timeout, what):
        deadline = time.monotonic() + timeout
        while not self.evaluate(expression):
            if time.monotonic() > deadline:
                raise BrowserError(f"waited {timeout} s for {what}; the page is {self.evaluate('location.href')}, "
                                   f"titled {self.evaluate('document.title')!r}")
            time.sleep(0.2)

    def wait_for(self, selector, timeout):
        self.wait(f"!!document.querySelector({json.dumps(selector)})", timeout, selector)

    def fill_and_submit(self, fields, timeout=60):
        """Fills the form that holds the fields (name: value), submits it, waits for the next page."""
        self.evaluate("window.__before = true")
        self.evaluate(f"""(() => {{
            const fields = {json.dumps(fields)};
            for (const name in fields) document.getElementsByName(name)[0].value = fields[name];
            document.getElementsByName(Object.keys(fields)[0])[0].form.submit();
        }})()""")
        self.wait("!window.__before && document.readyState === 'complete'", timeout, "the page after the form")

    def picture(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
