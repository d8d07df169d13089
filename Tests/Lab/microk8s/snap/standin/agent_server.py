"""The join API: HTTPS on port 25000 with the API server's certificate."""

import json
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import agent_calls
import agent_join
import arguments
import paths
from agent_refusal import Refusal


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 240

    def do_GET(self) -> None:
        if self.path == "/health":
            self.answer(200, {"status": "OK"})
        elif self.path == "/":
            self.answer(200, {"status": "OK"})
        else:
            self.answer(404, {"error": "not found"})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        call = agent_calls.ROUTES.get(self.path)
        if self.path == "/cluster/api/v2.0/join":
            def call(request, caller):
                return agent_join.join(request, caller, self.connection.getsockname()[0])
        if call is None:
            self.rfile.read(length)
            return self.answer(404, {"error": "not found"})
        if self.path.endswith("/image/import"):
            body = self.rfile.read(length)  # the whole archive in memory, as the real agent holds it
            try:
                return self.answer(200, call(self.headers, body))
            except Refusal as refusal:
                return self.answer(refusal.status, {"error": str(refusal)})
        try:
            request = json.loads(self.rfile.read(length))
        except ValueError as error:
            return self.answer(400, {"error": f"failed to unmarshal JSON request: {error}"})
        try:
            self.answer(200, call(request, self.client_address[0]))
        except Refusal as refusal:
            self.answer(refusal.status, {"error": str(refusal)})
        except Exception as error:
            self.answer(500, {"error": str(error)})

    def answer(self, status: int, body: dict) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def serve() -> None:
    host, _, port = (arguments.get("cluster-agent", "--bind") or "0.0.0.0:25000").rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paths.CERTS / "server.crt", paths.CERTS / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()
