"""Who takes events in the tests: Pub/Sub's topic over gRPC, and subscribers over HTTP."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from google import pubsub_v1
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from tests.adapters.grpc_stand_in import Refused, StandIn, served

TOPIC = "projects/hotels/topics/billing-events"
MESSAGES_MAX, BYTES_MAX = 1_000, 10_000_000  # of one request, by the quotas of Pub/Sub


class TopicStandIn(StandIn):
    """A topic: takes a request as a whole, and keeps what it took. Some events it does not like."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Any] = []
        self.disliked: set[str] = set()
        self.requests: list[int] = []
        self._one_at_a_time = threading.Lock()

    def Publish(self, asked: Any) -> Any:
        if asked.topic != TOPIC:
            raise Refused(grpc.StatusCode.NOT_FOUND, f"Resource not found: {asked.topic}")
        messages = list(asked.messages)
        ids = {message.attributes["ce-id"] for message in messages}
        size = type(asked).pb(asked).ByteSize()
        if (
            not 1 <= len(messages) <= MESSAGES_MAX
            or size > BYTES_MAX
            or len({message.ordering_key for message in messages}) != 1
            or ids & self.disliked
        ):
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT, "The request is not to our liking.")
        with self._one_at_a_time:
            self.requests.append(len(messages))
            self.taken.extend(messages)
            last = len(self.taken)
        return pubsub_v1.PublishResponse(
            message_ids=[str(last - len(messages) + n) for n in range(len(messages))]
        )


@contextmanager
def topic_served(stand_in: TopicStandIn) -> Iterator[pubsub_v1.PublisherClient]:
    """Google's client, talking to the stand-in."""
    methods = {"Publish": (pubsub_v1.PublishRequest, pubsub_v1.PublishResponse)}
    with served(stand_in, "google.pubsub.v1.Publisher", methods) as channel:
        yield pubsub_v1.PublisherClient(transport=PublisherGrpcTransport(channel=channel))


class Subscribers:
    """All subscribers of the laptop, at one address and by path. Some events they do not take."""

    def __init__(self) -> None:
        self.pushes: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.taken: dict[str, list[dict[str, Any]]] = {}
        self.disliked: set[str] = set()
        self.answers: dict[str, int] = {}
        self.connections = 0

    def take(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> int:
        """Take a push, and answer its status; what was acknowledged stands in `taken`."""
        self.pushes.append((path, headers, body))
        message = body["message"]
        disliked = message["attributes"]["ce-id"] in self.disliked
        status = 422 if disliked else self.answers.get(path, 204)
        if status < 300:
            self.taken.setdefault(path, []).append(message)
        return status


class _Push(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    subscribers: Subscribers

    def setup(self) -> None:
        super().setup()
        self.subscribers.connections += 1

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.subscribers.take(self.path, dict(self.headers), body))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def subscribers_served(subscribers: Subscribers) -> Iterator[str]:
    """The address of the subscribers."""
    handler = type("Push", (_Push,), {"subscribers": subscribers})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True  # a connection that is kept open does not keep the test
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def data_of(message: dict[str, Any]) -> bytes:
    """What a pushed message carries."""
    return base64.b64decode(message["data"])
