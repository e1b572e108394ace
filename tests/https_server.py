"""A real HTTPS server on loopback whose answer a test writes."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.certificates import Certificate


class HttpsServer:
    """Serves one answer to every GET, as a context manager. With `is_slow` it drips an octet each 0.1 s."""

    def __init__(self, certificate: Certificate) -> None:
        self.status = 200
        self.headers = {"Content-Type": "text/plain"}
        self.body = b""
        self.is_slow = False
        self.requests: list[tuple[str, str]] = []  # (Host, path)
        self._stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.cert_file, certificate.key_file)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.host, self.port = "127.0.0.1", self._server.server_address[1]

    def __enter__(self) -> "HttpsServer":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(owner) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                owner.requests.append((self.headers["Host"], self.path))
                self.send_response(owner.status)
                for name, value in owner.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    if not owner.is_slow:
                        self.wfile.write(owner.body)
                    while owner.is_slow and not owner._stopped.wait(0.1):
                        self.wfile.write(b"x")
                except OSError:
                    pass

            def log_message(self, *_: object) -> None:
                pass

        return Handler
