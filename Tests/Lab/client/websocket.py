"""A WebSocket client (RFC 6455) of the standard library alone: text both ways, which is what we need."""

import base64
import hashlib
import os
import socket
import ssl
import struct
import urllib.parse

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10


class WebSocketError(Exception):
    pass


class WebSocket:
    """An open connection. `url` is ws:// or wss://; `headers` go into the handshake."""

    def __init__(self, url, headers=None, tls=None, timeout=60):
        parts = urllib.parse.urlsplit(url)
        secure = parts.scheme == "wss"
        port = parts.port or (443 if secure else 80)
        self._socket = socket.create_connection((parts.hostname, port), timeout=timeout)
        try:
            if secure:
                tls = tls or ssl.create_default_context()
                self._socket = tls.wrap_socket(self._socket, server_hostname=parts.hostname)
            self._input = self._socket.makefile("rb")
            self._shake_hands(parts, headers or {})
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def timeout(self, seconds):
        self._socket.settimeout(seconds)

    def send(self, text):
        self._send_frame(_TEXT, text.encode())

    def receive(self):
        """The next message as text. Pings are answered on the way."""
        message, kind = b"", None
        while True:
            final, opcode, payload = self._read_frame()
            if opcode == _PING:
                self._send_frame(_PONG, payload)
            elif opcode == _CLOSE:
                code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
                why = payload[2:].decode(errors="replace")
                raise WebSocketError(f"the server closed the connection ({code} {why})")
            elif opcode in (_TEXT, _BINARY, _CONTINUATION):
                kind = kind or opcode
                message += payload
                if final:
                    return message.decode(errors="strict" if kind == _TEXT else "replace")

    def close(self):
        try:
            self._send_frame(_CLOSE, struct.pack("!H", 1000))
        except OSError:
            pass  # the other side was faster
        self._socket.close()

    def _shake_hands(self, parts, headers):
        key = base64.b64encode(os.urandom(16)).decode()
        path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        lines = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        status = self._input.readline().decode(errors="replace").strip()
        answer = {}
        while line := self._input.readline().decode(errors="replace").strip():
            name, _, value = line.partition(":")
            answer[name.lower()] = value.strip()
        if " 101" not in status:
            raise WebSocketError(f"no WebSocket at {parts.path}: {status or 'the connection was closed'}")
        wanted = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
        if answer.get("sec-websocket-accept") != wanted:
            raise WebSocketError(f"no WebSocket at {parts.path}: the handshake's answer does not match")

    def _send_frame(self, opcode, payload):
        # A client masks what it sends.
        mask = os.urandom(4)
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
        stretched = (mask * (size // 4 + 1))[:size]
        masked = int.from_bytes(payload, "big") ^ int.from_bytes(stretched, "big")
        self._socket.sendall(head + mask + masked.to_bytes(size, "big"))

    def _read_frame(self):
        first, second = self._read(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self._read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._read(8))
        if second & 0x80:
            raise WebSocketError("the server masked a frame, which only clients do")
        return bool(first & 0x80), first & 0x0F, self._read(size)

    def _read(self, size):
        data = self._input.read(size)
        if len(data) < size:
            raise WebSocketError("the connection was cut")
        return data
