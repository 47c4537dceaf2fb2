"""Cloud SQL on the loopback: the Admin API that gives out certificates, and the TLS in front.

Google's own connector speaks to both. A session gets through with a certificate that was made for
its key and its token a moment ago, by an authority that nobody else knows; behind it stands a real
PostgreSQL. The port is Cloud SQL's own, which the connector does not let anybody choose; the
address is one of the loopback's many.
"""

import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from google.auth.credentials import Credentials

INSTANCE = "hotels:europe-west1:billing-main"
ACCOUNT = "billing-folios@hotels.iam"
PORT = 3307
PIECE = 64 * 1024


class LoginAccount(Credentials):
    """The account's credentials; a token for logging in is another one than that for the API."""

    def __init__(self) -> None:
        super().__init__()
        self._scopes: list[str] = []

    def refresh(self, request: Any) -> None:
        login = any(scope.endswith("sqlservice.login") for scope in self._scopes)
        self.token = "ya29.login" if login else "ya29.api"
        self.expiry = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1)


class CloudSqlStandIn:
    """`database` is PostgreSQL's socket; `holds_back` keeps its answers back once it is set."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.address = f"127.77.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
        self.log: list[tuple[str, str, str]] = []
        self.logins: list[str] = []
        self.holds_back = threading.Event()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._authority = self._certified("The instance's authority", self._key.public_key(), True)

    def answer(self, path: str, headers: Any, asked: Any) -> tuple[int, Any]:
        agent, token = headers.get("User-Agent", ""), headers.get("Authorization", "")
        self.log.append((path.rpartition("/")[2], agent, token))
        project, region, instance = INSTANCE.split(":")
        if token != "Bearer ya29.api" or f"/projects/{project}/instances/{instance}" not in path:
            return 403, {"error": {"message": "The account may not do that."}}
        if path.endswith("/connectSettings"):
            return 200, {
                "region": region,
                "databaseVersion": "POSTGRES_18",
                "ipAddresses": [{"type": "PRIVATE", "ipAddress": self.address}],
                "serverCaCert": {"cert": _pem(self._authority)},
            }
        self.logins.append(asked["access_token"])
        key: Any = serialization.load_pem_public_key(asked["public_key"].encode())
        return 200, {"ephemeralCert": {"cert": _pem(self._certified(ACCOUNT, key))}}

    def context(self, folder: Path) -> ssl.SSLContext:
        """What a TLS server of the instance demands: a certificate of the same authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        chain = folder / "server.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        chain.write_bytes(private + _pem(self._certified("hotels:main", key.public_key())).encode())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(chain)
        context.load_verify_locations(cadata=_pem(self._authority))
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def forward(self, session: ssl.SSLSocket) -> None:
        """Carry bytes between a session and PostgreSQL, until one of them ends."""
        with socket.socket(socket.AF_UNIX) as server, session, suppress(OSError):
            server.connect(str(self.database))
            back = threading.Thread(target=self._carry, args=(server, session))
            back.start()
            while piece := session.recv(PIECE):
                server.sendall(piece)
            server.shutdown(socket.SHUT_RDWR)
            back.join()

    def _carry(self, server: socket.socket, session: ssl.SSLSocket) -> None:
        with suppress(OSError):
            while piece := server.recv(PIECE):
                if not self.holds_back.is_set():
                    session.sendall(piece)

    def _certified(self, name: str, key: Any, is_authority: bool = False) -> x509.Certificate:
        now = datetime.now(UTC)
        named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return (
            x509.CertificateBuilder()
            .subject_name(named)
            .issuer_name(named if is_authority else self._authority.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@contextmanager
def cloud_sql_served(stand_in: CloudSqlStandIn, folder: Path) -> Iterator[str]:
    """The address of the Admin API; the instance listens while the context lasts."""

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            asked = json.loads(self.rfile.read(length) or "{}")
            status, answer = stand_in.answer(self.path, self.headers, asked)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    api = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=api.serve_forever, args=(0.01,), daemon=True).start()
    listener = socket.create_server((stand_in.address, PORT))
    context = stand_in.context(folder)

    def listen() -> None:
        with suppress(OSError):
            while True:
                raw, _ = listener.accept()
                with suppress(ssl.SSLError):
                    session = context.wrap_socket(raw, server_side=True)
                    threading.Thread(target=stand_in.forward, args=(session,), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{api.server_port}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        api.shutdown()
        api.server_close()
