"""A small HTTP client for the hotel's day: what any client of the public interface could do."""

import json
import time
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any, Final, TypeVar
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from common.domain.dataclass import dataclass

ANSWER_SECONDS_MAX: Final = 30
WAIT_SECONDS_MAX: Final = 20
POLL_SECONDS: Final = 0.1
T = TypeVar("T")


class WentOtherwise(AssertionError):
    """The service answered something else than it should have; the message says what."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises WentOtherwise."""
        try:
            document = json.loads(self.body)
        except ValueError:
            raise WentOtherwise(f"{self.said} is no JSON") from None
        if not isinstance(document, dict):
            raise WentOtherwise(f"{self.said} is no JSON object")
        return document

    @property
    def said(self) -> str:
        """The answer in a line, for whoever wonders about it."""
        return (
            f"{self.method} {self.path}: {self.status} {self.body[:300].decode(errors='replace')}"
        )

    def expect(self, status: int, code: str = "") -> "Answer":
        """This answer, if it has the status, and the code of the problem. Raises WentOtherwise."""
        wanted = f"{status} {code}".strip()
        if self.status != status or (code and not self.json.get("code", "").endswith(f".{code}")):
            raise WentOtherwise(f"expected {wanted}, but {self.said}")
        return self


class Client:
    """Calls one service."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc

    def get(self, path: str, token: str = "", **query: object) -> Answer:
        """Ask for something."""
        full = f"{path}?{urlencode(query)}" if query else path
        return self.call("GET", full, token=token)

    def post(self, path: str, body: object = None, token: str = "", key: str = "") -> Answer:
        """Send something, under a fresh idempotency key unless one is given."""
        headers = {"Idempotency-Key": key or str(uuid4()), "Content-Type": "application/json"}
        return self.call("POST", path, json.dumps(body or {}).encode(), token, headers)

    def put(self, path: str, body: object, token: str = "") -> Answer:
        """Put something in the place of what is there, under a fresh idempotency key."""
        headers = {"Idempotency-Key": str(uuid4()), "Content-Type": "application/json"}
        return self.call("PUT", path, json.dumps(body).encode(), token, headers)

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        token: str = "",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send a request and read the answer to its end. Raises OSError."""
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        connection = HTTPConnection(self._address, timeout=ANSWER_SECONDS_MAX)
        try:
            connection.request(method, path, body, sent)
            came = connection.getresponse()
            return Answer(method, path, came.status, dict(came.getheaders()), came.read())
        finally:
            connection.close()


def wait_for(what: str, look: Callable[[], T | None]) -> T:
    """Look until there is something: an event needs a moment to arrive. Raises WentOtherwise."""
    give_up = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < give_up:
        found = look()
        if found is not None:
            return found
        time.sleep(POLL_SECONDS)
    raise WentOtherwise(f"{what} did not come within {WAIT_SECONDS_MAX} seconds")


def require(holds: bool, what: str) -> None:
    """Raises WentOtherwise when something does not hold."""
    if not holds:
        raise WentOtherwise(what)
