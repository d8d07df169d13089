#!/usr/bin/python3
"""Tests of the client: the WebSocket alone; the whole user and the pictures where a hub and Chromium can be had.

A hub is started from the virtual environment in $JHUB_LAB_HUB_VENV (jupyterhub, jupyterhub-nativeauthenticator,
jupyterlab), with Debian's configurable-http-proxy.
"""

import base64
import hashlib
import http.server
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from hub import Browser, User, UserError, message_of, page_text  # noqa: E402 (the path comes first)
from websocket import WebSocket, WebSocketError  # noqa: E402

PASSWORD = "a long password"


def frame(opcode, payload, final=True):
    size = len(payload)
    head = struct.pack("!BB", 0x80 * final | opcode, min(size, 126) if size < 1 << 16 else 127)
    return head + (b"" if size < 126 else struct.pack("!H" if size < 1 << 16 else "!Q", size)) + payload


class Echo(threading.Thread):
    """A WebSocket server for one connection: sends `greeting` as it is, then everything back that it gets."""

    def __init__(self, greeting=b"", accept=True):
        super().__init__(daemon=True)
        self.greeting, self.accept, self.received = greeting, accept, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self.listener.getsockname()[1]}/path?x=1"
        self.start()

    def run(self):
        connection, _ = self.listener.accept()
        self.listener.close()
        with connection, connection.makefile("rb") as lines:
            self.request = lines.readline().decode()
            headers = {}
            while line := lines.readline().decode().strip():
                name, _, value = line.partition(": ")
                headers[name.lower()] = value
            if not self.accept:
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
                return
            key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            answer = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
            connection.sendall(f"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {answer}\r\n\r\n".encode()
                               + self.greeting)
            while head := lines.read(2):
                size = head[1] & 0x7F
                if size >= 126:
                    size = int.from_bytes(lines.read(2 if size == 126 else 8), "big")
                mask = lines.read(4)
                payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(lines.read(size)))
                self.received.append((head[0] & 0x0F, payload))
                if head[0] & 0x0F == 1:
                    connection.sendall(frame(1, payload))


class WebSockets(unittest.TestCase):
    def test_short_and_long_messages(self):
        echo = Echo()
        with WebSocket(echo.url) as channel:
            for text in ("", "ü", "x" * 125, "x" * 126, "y" * 70000):
                channel.send(text)
                self.assertEqual(channel.receive(), text)
        self.assertTrue(echo.request.startswith("GET /path?x=1 HTTP/1.1"))

    def test_pings_and_pieces(self):
        echo = Echo(frame(9, b"hello?") + frame(1, b"one ", final=False) + frame(9, b"") + frame(0, b"two"))
        with WebSocket(echo.url) as channel:
            self.assertEqual(channel.receive(), "one two")
            channel.send("end")
            self.assertEqual(channel.receive(), "end")
        self.assertEqual(echo.received[:2], [(10, b"hello?"), (10, b"")])

    def test_a_closed_door(self):
        with self.assertRaisesRegex(WebSocketError, "no WebSocket at /path: HTTP/1.1 403 Forbidden"):
            WebSocket(Echo(accept=False).url)

    def test_the_end(self):
        with WebSocket(Echo(frame(8, struct.pack("!H", 1011) + b"no kernel")).url) as channel:
            with self.assertRaisesRegex(WebSocketError, r"1011 no kernel"):
                channel.receive()


class Words(unittest.TestCase):
    def test_pages(self):
        self.assertEqual(page_text("<style>x</style><b>a&amp;b</b>").strip(), "a&b")
        self.assertEqual(message_of('{"status": 403, "message": "no"}'), "no")
        self.assertEqual(message_of("<h1>404</h1>\n<p>Not found</p>"), "404 Not found")

    def test_nobody_there(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        done = subprocess.run(
            [os.path.join(HERE, "user.py"), "--url", f"http://127.0.0.1:{port}", "--user", "a", "login"],
            env={"JHUB_PASSWORD": "x", "PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^user\.py: no answer from http://127\.0\.0\.1:\d+/hub/login: .*refused\n$")


VENV = os.environ.get("JHUB_LAB_HUB_VENV", "")


@unittest.skipUnless(os.path.exists(os.path.join(VENV, "bin", "jupyterhub")), "no JupyterHub in $JHUB_LAB_HUB_VENV")
class RealHub(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="jhub-client-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        cls.base = f"http://127.0.0.1:{port}"
        # Debian's proxy needs Debian's modules, also where another Node.js is installed.
        environment = dict(os.environ, HUB_PORT=str(port), PATH=f"{VENV}/bin:{os.environ['PATH']}", HOME=cls.folder,
                           NODE_PATH="/usr/share/nodejs:/usr/lib/nodejs")
        with open(os.path.join(cls.folder, "log"), "wb") as log:
            process = subprocess.Popen(["jupyterhub", "--config", os.path.join(HERE, "hub_for_tests.py")], stdout=log,
                                       stderr=log, cwd=cls.folder, env=environment, start_new_session=True)
        cls.addClassCleanup(cls.end, process)
        deadline = time.monotonic() + 60
        while True:
            try:
                if Browser(cls.base).request("GET", "/hub/health")[0] == 200:
                    return  # the proxy answers before it knows the hub
            except UserError:
                pass
            if process.poll() is not None or time.monotonic() > deadline:
                with open(os.path.join(cls.folder, "log"), errors="replace") as log:
                    raise RuntimeError("the hub did not start:\n" + log.read()[-3000:])
            time.sleep(0.2)

    @staticmethod
    def end(process):
        process.terminate()  # it stops its proxy and its users' servers
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def user(self, name, password=PASSWORD):
        return User(Browser(self.base), name, password)

    def test_1_sign_up_and_log_in(self):
        self.assertIn("successful", self.user("ana").signup())
        with self.assertRaisesRegex(UserError, "already in use"):
            self.user("ana").signup()
        self.assertTrue(self.user("ana").login()["admin"])
        with self.assertRaisesRegex(UserError, "ana could not log in: Invalid username or password"):
            self.user("ana", "wrong").login()
        self.user("bob").signup()
        with self.assertRaisesRegex(UserError, "bob could not log in"):  # not let in by an administrator yet
            self.user("bob").login()

    def test_2_spawn_cell_upload_stop(self):
        ana = self.user("ana")
        ana.login()
        with self.assertRaisesRegex(UserError, "ana has no running server"):
            ana.run_cell("1")
        told = []
        self.assertEqual(ana.spawn("small", tell=told.append), "/user/ana/")
        self.assertTrue(told)
        self.assertEqual(ana.run_cell("import os\nprint(os.environ['PROFILE'])\n6 * 7"), "small\n42\n")
        with self.assertRaisesRegex(UserError, "the cell failed: ZeroDivisionError: division by zero"):
            ana.run_cell("1/0")
        with self.assertRaisesRegex(UserError, "the cell was not done after 1 s"):
            ana.run_cell("import time; time.sleep(30)", timeout=1)
        ana.upload(os.urandom(3 << 20), "file with space.bin")
        if shutil.which("chromium"):
            self.picture_of_jupyterlab()
        ana.stop()
        ana.stop()
        with self.assertRaisesRegex(UserError, "the server of ana failed: .*no such profile"):
            ana.spawn("broken")

    def picture_of_jupyterlab(self):
        password, picture = os.path.join(self.folder, "password"), os.path.join(self.folder, "lab.png")
        with open(password, "w") as file:
            file.write(PASSWORD + "\n")
        subprocess.run([os.path.join(HERE, "screenshot.py"), self.base + "/user/ana/lab", picture, "--login", "ana",
                        "--password-file", password, "--wait-for", ".jp-Launcher"], check=True)
        self.assertEqual(png_size(picture), (1366, 900))


def png_size(path):
    with open(path, "rb") as file:
        head = file.read(24)
    return struct.unpack("!II", head[16:24]) if head.startswith(b"\x89PNG") else None


@unittest.skipUnless(shutil.which("chromium"), "chromium is not installed")
class Pictures(unittest.TestCase):
    def test_a_page(self):
        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b"<h1 id=here>hello</h1>")

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        url = f"http://127.0.0.1:{server.server_port}/"
        with tempfile.TemporaryDirectory() as folder:
            picture = os.path.join(folder, "a.png")
            program = os.path.join(HERE, "screenshot.py")
            subprocess.run([program, url, picture, "--size", "400x300", "--settle", "0", "--wait-for", "#here"],
                           check=True)
            self.assertEqual(png_size(picture), (400, 300))
            done = subprocess.run([program, url, picture, "--wait-for", "#nowhere", "--timeout", "1"],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"^screenshot\.py: waited 1 s for #nowhere; .*\n$")


if __name__ == "__main__":
    unittest.main()
