"""A schema registry with TLS and a login: a proxy before the real one."""

import base64
import http.client
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

USER_INFO = "alice:alice-secret"

# Only a proxy that hangs takes so long.
SECONDS = 30


class SecureRegistry:
    """Takes requests with TLS and a login, and passes them on without."""

    def __init__(self, registry: str, certificates: Path) -> None:
        target = urlsplit(registry)
        self.requests: list[str] = []
        self.ca = certificates / "ca.pem"
        login = "Basic " + base64.b64encode(USER_INFO.encode()).decode()
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                if self.headers.get("Authorization") != login:
                    self.answer(401, b'{"error_code": 401, "message": "no"}')
                    return
                requests.append(f"{self.command} {self.path}")
                kept = ("Accept", "Content-Type")
                headers = {
                    name: value for name in kept if (value := self.headers.get(name))
                }
                assert target.hostname
                upstream = http.client.HTTPConnection(
                    target.hostname, target.port, timeout=SECONDS
                )
                upstream.request(self.command, self.path, body, headers)
                answer = upstream.getresponse()
                self.answer(answer.status, answer.read())
                upstream.close()

            do_GET = do_POST = do_PUT = do_DELETE = pass_on

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                content_type = "application/vnd.schemaregistry.v1+json"
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """Ignores clients that refuse the certificate."""

        self.server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(
            certificates / "broker.pem", certificates / "broker.key"
        )
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        port = self.server.server_address[1]
        # The certificate has this name.
        self.url = f"https://localhost:{port}{target.path}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
