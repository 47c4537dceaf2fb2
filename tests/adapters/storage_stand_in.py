"""Cloud Storage and IAM's signBlob on the loopback, as far as documents go.

Uploads and downloads are Google's JSON API with its preconditions and checksums, and need a bearer
token. Readers without one need a signed link (V4), whose signature and time are checked.
"""

import base64
import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import google_crc32c
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from google.auth.credentials import Credentials
from google.auth.transport.requests import Request
from google.cloud.storage import Client
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter

ACCOUNT = "billing-invoices@hotels.iam.gserviceaccount.com"
TOKEN = "ya29.token-of-the-account"
IAM = "https://iamcredentials.googleapis.com"


class Account(Credentials):
    """What the metadata server gives: the account has no name before the first token."""

    service_account_email = "default"

    def refresh(self, request: Any) -> None:
        self.token = TOKEN
        self.service_account_email = ACCOUNT


@dataclass(frozen=True)
class Stored:
    """An object: its bytes, what was said of it, and how it was uploaded."""

    content: bytes
    said: dict[str, Any]
    query: dict[str, str]


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class StorageStandIn:
    """Buckets of objects. `troubles` are (status, whether the work is done before it is told)."""

    def __init__(self) -> None:
        self.buckets: dict[str, dict[str, Stored]] = {}
        self.troubles: deque[tuple[int, bool]] = deque()
        self.asked: list[str] = []
        self.clients: list[str] = []
        self.late = timedelta()
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._one_at_a_time = threading.Lock()

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        parts = urlsplit(target)
        path, query = parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()}
        with self._one_at_a_time:
            self.asked.append(f"{method} {path}")
            if "X-Goog-Signature" in query:
                return self._read(method, parts.path, parts.query, headers["Host"])
            if headers["Authorization"] != f"Bearer {TOKEN}":
                return Answer(401)
            if "/storage/v1/" in path:
                self.clients.append(headers.get("X-Goog-API-Client", ""))
            status, done = self.troubles.popleft() if self.troubles else (0, True)
            if not done:
                return Answer(status)
            answer = self._do(method, path, query, headers, body)
            return Answer(status) if status else answer

    def _do(
        self, method: str, path: str, query: dict[str, str], headers: Any, body: bytes
    ) -> Answer:
        match method, path.strip("/").split("/"):
            case "POST", ["upload", "storage", "v1", "b", bucket, "o"]:
                return self._upload(bucket, query, headers["Content-Type"], body)
            case "GET", ["download", "storage", "v1", "b", bucket, "o", name]:
                return self._download(bucket, unquote(name))
            case "POST", ["v1", "projects", "-", "serviceAccounts", account]:
                return self._sign(account, body)
        return Answer(404)

    def _upload(self, bucket: str, query: dict[str, str], kind: str, body: bytes) -> Answer:
        described, uploaded = message_from_bytes(
            b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body
        ).get_payload()
        said, content = json.loads(described.get_payload()), uploaded.get_payload(decode=True)
        if bucket not in self.buckets:
            return Answer(404)
        if said["crc32c"] != _crc32c(content):
            return Answer(400)
        if query["ifGenerationMatch"] != "0" or said["name"] in self.buckets[bucket]:
            return Answer(412)
        said["contentType"] = uploaded["content-type"]
        self.buckets[bucket][said["name"]] = Stored(content, said, query)
        return Answer(200, json.dumps({"name": said["name"], "generation": "1"}).encode())

    def _download(self, bucket: str, name: str) -> Answer:
        stored = self.buckets.get(bucket, {}).get(name)
        if stored is None:
            return Answer(404)
        return Answer(200, stored.content, (("X-Goog-Hash", f"crc32c={_crc32c(stored.content)}"),))

    def _sign(self, account: str, body: bytes) -> Answer:
        if account != f"{ACCOUNT}:signBlob":
            return Answer(403)
        payload = base64.b64decode(json.loads(body)["payload"])
        signature = self._key.sign(payload, padding.PKCS1v15(), SHA256())
        return Answer(
            200, json.dumps({"signedBlob": base64.b64encode(signature).decode()}).encode()
        )

    def _read(self, method: str, path: str, query: str, host: str) -> Answer:
        """Serve a signed link, by the rules of V4 signing."""
        signed, _, signature = query.partition("&X-Goog-Signature=")
        values = {name: value[0] for name, value in parse_qs(signed).items()}
        try:
            told, lifetime = values["X-Goog-Date"], int(values["X-Goog-Expires"])
            account, _, scope = values["X-Goog-Credential"].partition("/")
            hosts = values["X-Goog-SignedHeaders"]
            signed_at = datetime.strptime(told, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            canonical = (
                f"{method}\n{path}\n{signed}\nhost:{host}\n\n{hosts}\nUNSIGNED-PAYLOAD".encode()
            )
            text = f"GOOG4-RSA-SHA256\n{told}\n{scope}\n{sha256(canonical).hexdigest()}"
            self._key.public_key().verify(
                bytes.fromhex(signature), text.encode(), padding.PKCS1v15(), SHA256()
            )
        except (InvalidSignature, KeyError, ValueError):
            return Answer(403)
        if account != ACCOUNT or hosts != "host":
            return Answer(403)
        if datetime.now(UTC) + self.late >= signed_at + timedelta(seconds=lifetime):
            return Answer(400)
        _, bucket, name = unquote(path).split("/", 2)
        return self._download(bucket, name)


def _crc32c(content: bytes) -> str:
    return base64.b64encode(google_crc32c.Checksum(content).digest()).decode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stand_in: StorageStandIn

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        answer = self.stand_in.answer(
            self.command, self.path, self.headers, self.rfile.read(length)
        )
        self.send_response(answer.status)
        for name, value in (*answer.headers, ("Content-Length", str(len(answer.body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _ToLoopback(HTTPAdapter):
    """Carries requests for a Google host to the stand-in, at the last step before the socket."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    def send(self, request: PreparedRequest, **options: Any) -> Response:
        request.url = self._address + (request.url or "").removeprefix(IAM)
        return super().send(request, **options)


@contextmanager
def storage_served(stand_in: StorageStandIn) -> Iterator[tuple[Client, Request, str]]:
    """Google's client of the stand-in, a way to IAM for its links, and its address.

    The stand-in's own log has to say at the end that Google's client spoke, in every call.
    """
    handler = type("Handler", (_Handler,), {"stand_in": stand_in})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    session = Session()
    session.mount(IAM, _ToLoopback(address))
    client = Client("hotels", Account(), client_options={"api_endpoint": address})
    try:
        yield client, Request(session), address
        strangers = [each for each in stand_in.clients if " gccl/" not in each]
        assert not strangers, f"another client than Google's has called: {strangers}"
    finally:
        client.close()
        session.close()
        server.shutdown()
        thread.join()
        server.server_close()


def object_path(bucket: str, name: str) -> str:
    """Where the JSON API has an object."""
    return f"/download/storage/v1/b/{bucket}/o/{quote(name, safe='')}"
