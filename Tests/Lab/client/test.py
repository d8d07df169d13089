#!/usr/bin/python3
"""Tests of the client: the WebSocket alone, and pictures. The whole user is tried on a real hub by ../install."""

import base64
import hashlib
import http.server
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from hub import message_of, page_text  # noqa: E402 (the path comes first)
from websocket import WebSocket, WebSocketError  # noqa: E402



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
