"""A user's browser as far as JupyterHub can tell: cookies, forms, the hub's API, the Jupyter server's API."""

import base64
import hashlib
import html
import http.client
import http.cookiejar
import json
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

from websocket import WebSocket, WebSocketError


class UserError(Exception):
    """What went wrong, in one line."""

    def __str__(self):
        line = " ".join(super().__str__().split())
        return line if len(line) <= 600 else line[:600] + "…"


class Browser:
    """Requests with cookies. An answer of any status is an answer; no answer at all is a UserError."""

    def __init__(self, base, insecure=False, cacert=None, timeout=60):
        self.base = base.rstrip("/")
        self.timeout = timeout
        self.tls = ssl.create_default_context(cafile=cacert)
        if insecure:
            self.tls.check_hostname = False
            self.tls.verify_mode = ssl.CERT_NONE
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.tls),
            urllib.request.HTTPCookieProcessor(self.cookies))

    def open(self, method, path, form=None, data=None, timeout=None):
        """The open answer. `form` goes as a form, `data` as JSON. Redirects are followed, as browsers do."""
        headers, body = {"User-Agent": "jhub-lab-user"}, None
        if form is not None:
            body = urllib.parse.urlencode(dict(form, _xsrf=self.xsrf(path))).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif data is not None:
            body, headers["Content-Type"] = json.dumps(data).encode(), "application/json"
        # What a browser says of itself: the hub checks requests harder that claim to come from a page's script.
        script = form is None and (method != "GET" or "/api/" in path)
        headers.update({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors" if script else "navigate",
                        "Sec-Fetch-Dest": "empty" if script else "document"})
        if script:
            headers["X-XSRFToken"] = self.xsrf(path)
        request = urllib.request.Request(self.url(path), data=body, headers=headers, method=method)
        try:
            return self._opener.open(request, timeout=timeout or self.timeout)
        except urllib.error.HTTPError as error:
            return error
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "reason", error) or type(error).__name__
            raise UserError(f"no answer from {self.url(path)}: {why}") from None

    def request(self, method, path, **options):
        """(status, text, the address where we ended up)."""
        with self.open(method, path, **options) as answer:
            try:
                return answer.status, answer.read().decode(errors="replace"), answer.geturl()
            except (OSError, http.client.HTTPException) as error:
                raise UserError(f"the answer from {self.url(path)} broke off: {error}") from None

    def json(self, method, path, expect, what, **options):
        """The answer's JSON; a UserError with the server's own words where the status is not one of `expect`."""
        status, text, _ = self.request(method, path, **options)
        if status not in expect:
            raise UserError(f"{what}: {status} {message_of(text)}")
        return json.loads(text) if text.strip() else None

    def url(self, path):
        return self.base + path

    def xsrf(self, path):
        """The _xsrf cookie that belongs to this path: the hub has one and every user's server has its own."""
        request = urllib.request.Request(self.url(path))
        self.cookies.add_cookie_header(request)
        found = re.findall(r"_xsrf=([^;]*)", request.get_header("Cookie", ""))
        return found[0].strip('"') if found else ""  # the longest path comes first

    def websocket(self, path):
        url = self.url(path)
        request = urllib.request.Request(url)
        self.cookies.add_cookie_header(request)
        headers = {"Cookie": request.get_header("Cookie", ""), "Origin": self.base, "X-XSRFToken": self.xsrf(path)}
        try:
            return WebSocket("ws" + url.removeprefix("http"), headers, self.tls, self.timeout)
        except (OSError, WebSocketError) as error:
            raise UserError(str(error)) from None


def message_of(text):
    """The server's own words out of a JSON answer or a page."""
    try:
        return json.loads(text).get("message", "")
    except (ValueError, AttributeError):
        return " ".join(page_text(text).split())[:300]


def page_text(page):
    page = re.sub(r"(?s)<(script|style|head)\b.*?</\1>", " ", page)
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


class User:
    def __init__(self, browser, name, password):
        self.browser, self.name, self.password = browser, name, password

    # --- getting in --------------------------------------------------------------------------------------------------

    def login(self):
        """Logs in through the form; returns the hub's words on who we are."""
        status, page, _ = self.browser.request("GET", "/hub/login")
        if status != 200 or 'name="username"' not in page:
            raise UserError(f"no login form at {self.browser.url('/hub/login')}: {status} {message_of(page)}")
        # To the home page: a plain login would go on to start the server.
        status, page, _ = self.browser.request(
            "POST", "/hub/login?next=%2Fhub%2Fhome", form={"username": self.name, "password": self.password})
        if not self._is_in():
            raise UserError(f"{self.name} could not log in: {_login_error(page) or f'status {status}'}")
        return self.browser.json("GET", "/hub/api/user", (200,), "the hub does not know us")

    def authorize(self, name):
        """As an admin who is in: lets somebody in who signed up."""
        status, page, _ = self.browser.request("GET", f"/hub/authorize/{name}")
        if status != 200:
            raise UserError(f"{self.name} could not let {name} in: {status} {message_of(page)}")

    def _is_in(self):
        status, _, where = self.browser.request("GET", "/hub/home")
        return status == 200 and urllib.parse.urlsplit(where).path.endswith("/hub/home")

    def signup(self):
        """Asks for an account through the form; returns what the page says then."""
        status, page, _ = self.browser.request("GET", "/hub/signup")
        if status != 200 or "signup_password" not in page:
            raise UserError(f"no sign-up form at {self.browser.url('/hub/signup')}: {status} {message_of(page)}")
        status, page, _ = self.browser.request("POST", "/hub/signup", form={
            "username": self.name, "signup_password": self.password, "signup_password_confirmation": self.password})
        found = re.search(r'(?s)class="(alert[^"]*)"[^>]*>(.*?)</div>', page)
        said = " ".join(page_text(found[2]).split()) if found else ""
        if status != 200 or not found or "alert-danger" in found[1] or "alert-warning" in found[1]:
            raise UserError(f"{self.name} could not sign up: {said or status}")
        return said

    # --- the server --------------------------------------------------------------------------------------------------

    def spawn(self, profile=None, options=None, server="", timeout=300, tell=lambda line: None):
        """Starts the server, waits until it is ready, visits it once; returns its path."""
        wish = dict(options or {}, **({"profile": profile} if profile else {}))
        deadline = time.monotonic() + timeout
        while True:
            status, text, _ = self.browser.request("POST", self._server_api(server), data=wish, timeout=timeout)
            # A hub that has just started looks first which servers still run, and takes no orders for them meanwhile.
            if status != 400 or "is pending" not in text or time.monotonic() > deadline:
                break
            time.sleep(1)
        if status not in (201, 202) and "already running" not in text:
            raise UserError(f"the server of {self.name} did not start: {status} {message_of(text)}")
        while not self._model(server).get("ready"):
            self._follow_progress(server, deadline, tell)
            if time.monotonic() > deadline:
                raise UserError(f"the server of {self.name} was not ready after {timeout} s")
            time.sleep(0.3)
        return self.visit(server)

    def _follow_progress(self, server, deadline, tell):
        """Reads the hub's own account of the start, line by line, to its end."""
        left = max(1, deadline - time.monotonic())
        with self.browser.open("GET", self._server_api(server) + "/progress", timeout=left) as answer:
            if answer.status != 200:
                return
            try:
                for line in answer:
                    if not line.startswith(b"data: "):
                        continue
                    event = json.loads(line[6:])
                    tell(f"{event.get('progress', '')}% {event.get('message', '')}")
                    if event.get("failed"):
                        raise UserError(f"the server of {self.name} failed: {_reason(event.get('message', ''))}")
                    if event.get("ready"):
                        return
            except (OSError, http.client.HTTPException):
                return  # the caller looks at the server again, and at the clock

    def visit(self, server=""):
        """The OAuth round that gives us the cookies of the user's own server."""
        path = self.path(server)
        deadline = time.monotonic() + 30
        while True:
            status, text, where = self.browser.request("GET", path + "lab")
            arrived = urllib.parse.urlsplit(where).path.startswith(path)
            if status == 200 and arrived:
                return path
            # Between "ready" and the proxy's new route there may be a moment.
            if status not in (200, 424, 502, 503) or time.monotonic() > deadline:
                raise UserError(f"{self.browser.url(path)}lab: {status} {message_of(text)}")
            time.sleep(0.5)

    def path(self, server=""):
        model = self._model(server)
        if not model.get("url"):
            raise UserError(f"{self.name} has no running server{' ' + server if server else ''}")
        return model["url"]

    def stop(self, server="", timeout=120):
        status, text, _ = self.browser.request("DELETE", self._server_api(server))
        if status not in (202, 204):
            raise UserError(f"the server of {self.name} did not stop: {status} {message_of(text)}")
        deadline = time.monotonic() + timeout
        while self._model(server):
            if time.monotonic() > deadline:
                raise UserError(f"the server of {self.name} was still there after {timeout} s")
            time.sleep(0.3)

    def _server_api(self, server):
        user = f"/hub/api/users/{urllib.parse.quote(self.name)}"
        return f"{user}/servers/{urllib.parse.quote(server)}" if server else f"{user}/server"

    def _model(self, server):
        user = self.browser.json("GET", f"/hub/api/users/{urllib.parse.quote(self.name)}", (200,),
                                 f"the hub says nothing about {self.name}")
        model = (user.get("servers") or {}).get(server, {})
        # A stopped named server stays in the list.
        return model if model.get("ready") or model.get("pending") else {}

    # --- work in it --------------------------------------------------------------------------------------------------

    def run_cell(self, code, server="", timeout=120):
        """Runs the code in a new kernel; returns what it printed and its last value."""
        path = self.visit(server)
        kernel = self.browser.json("POST", path + "api/kernels", (201,), "no kernel", data={})["id"]
        try:
            session = uuid.uuid4().hex
            with self.browser.websocket(f"{path}api/kernels/{kernel}/channels?session_id={session}") as channel:
                return _execute(channel, session, code, timeout)
        finally:
            self.browser.request("DELETE", f"{path}api/kernels/{kernel}")

    def upload(self, data, name, server=""):
        """Sends a file in one request, reads it back, deletes it; the two must be the same."""
        path = self.visit(server)
        content = f"{path}api/contents/{urllib.parse.quote(name)}"
        self.browser.json("PUT", content, (200, 201), f"{name} was not taken",
                          data={"type": "file", "format": "base64", "content": base64.b64encode(data).decode()})
        with self.browser.open("GET", f"{path}files/{urllib.parse.quote(name)}") as answer:
            back = answer.read()
            status = answer.status
        self.browser.request("DELETE", content)
        if status != 200 or hashlib.sha256(back).digest() != hashlib.sha256(data).digest():
            raise UserError(f"{name} came back different: status {status}, {len(back)} of {len(data)} bytes")


def _reason(message):
    """KubeSpawner passes whole answers of the API server on; the sentence in them is enough."""
    found = re.search(r'"message":("(?:[^"\\]|\\.)+")', message)
    return json.loads(found[1]) if found else message


def _login_error(page):
    found = re.search(r'(?s)class="[^"]*login_error[^"]*"[^>]*>(.*?)</', page) or re.search(
        r'(?s)class="alert[^"]*"[^>]*>(.*?)</', page)
    return " ".join(page_text(found[1]).split()) if found else ""


def _execute(channel, session, code, timeout):
    """One execute_request, and its output until the kernel has answered and is idle again."""
    header = {"msg_id": uuid.uuid4().hex, "username": "user", "session": session, "msg_type": "execute_request",
              "version": "5.3"}
    channel.send(json.dumps({
        "header": header, "parent_header": {}, "metadata": {}, "channel": "shell", "buffers": [],
        "content": {"code": code, "silent": False, "store_history": False, "user_expressions": {},
                    "allow_stdin": False, "stop_on_error": True}}))
    output, idle, replied = [], False, False
    deadline = time.monotonic() + timeout
    while not (idle and replied):
        channel.timeout(max(0.1, deadline - time.monotonic()))
        try:
            message = json.loads(channel.receive())
        except TimeoutError:
            raise UserError(f"the cell was not done after {timeout} s") from None
        except (OSError, WebSocketError) as error:
            raise UserError(f"the kernel's connection broke: {error}") from None
        if message.get("parent_header", {}).get("msg_id") != header["msg_id"]:
            continue
        kind, content = message["header"]["msg_type"], message["content"]
        if kind == "stream":
            output.append(content["text"])
        elif kind in ("execute_result", "display_data"):
            output.append(content["data"].get("text/plain", "") + "\n")
        elif kind == "error":
            raise UserError(f"the cell failed: {content['ename']}: {content['evalue']}")
        elif kind == "execute_reply":
            replied = True
        elif kind == "status":
            idle = content["execution_state"] == "idle"
    return "".join(output)
