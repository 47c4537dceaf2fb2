"""Pushing events to consumers, as Pub/Sub does: with a token, in an envelope, and again.

    post = Post(hotel)
    assert post.push(event(hotel)).status_code == 204
    assert post.effects() == 1

The consumer that tests push to writes one entry into an audit trail for every time it is run: it
would count a second delivery if the edge let it.
"""

import base64
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from uuid import uuid4

from werkzeug.test import Client, TestResponse

from common.contracts.shapes import Incoming
from common.domain.refusal import Unmet
from common.local.gateway import Gateway
from common.ports.transaction import Transaction
from common.runtime.declaration import EventDeclaration
from tests.hotel import Hotel

TYPE = "melmastoon.test.guest.praised.v1"
SOURCE = "/reviews"
Consumer = Callable[[Any, Transaction], Any]


class Praised(Incoming):
    guest: str
    stars: int = 5


class GuestUnknown(Unmet):
    code = "GUEST_UNKNOWN"
    title = "The guest is not known"


def on_guest_praised(praised: Praised, tx: Transaction) -> None:
    """Write it down, every time."""
    record = tx.incidents.take(praised.guest)
    tx.tell(record.refused("PRAISED"))


def event(hotel: Hotel, **changed: Any) -> dict[str, Any]:
    """A CloudEvent of the hotel's own; MISSING leaves a member out."""
    document = {
        "specversion": "1.0",
        "id": f"evt_{uuid4().hex}",
        "source": SOURCE,
        "type": TYPE,
        "tenantid": str(hotel.tenant_id),
        "data": {"guest": "layla"},
        **changed,
    }
    return {name: value for name, value in document.items() if value is not None}


def wrapped(event: dict[str, Any], **message: Any) -> bytes:
    """Pub/Sub's push: attributes of its binding for CloudEvents, data in base64."""
    attributes = {f"ce-{name}": str(value) for name, value in event.items() if name != "data"}
    data = base64.b64encode(json.dumps(event.get("data", {})).encode()).decode()
    envelope = {
        "messageId": str(uuid4().int)[:16],
        "publishTime": "2026-03-01T12:00:00Z",
        "attributes": attributes,
        "data": data,
        **message,
    }
    return json.dumps({"message": envelope, "subscription": "projects/p/subscriptions/s"}).encode()


@dataclass
class Post:
    """Delivers to one consumer of one hotel."""

    hotel: Hotel
    use_case: Consumer = on_guest_praised
    options: dict[str, Any] = field(default_factory=dict)
    counted: ClassVar[str] = "layla"

    @property
    def consumer(self) -> EventDeclaration:
        options: dict[str, Any] = {"event_type": TYPE, **self.options}
        return EventDeclaration(use_case=self.use_case, **options)

    def token(self, **changed: Any) -> str:
        settings = self.hotel.house.wiring.settings
        claims = {"email": settings.oidc_account, "audience": settings.oidc_audience, **changed}
        return self.hotel.house.identity.issue_oidc_token(**claims)

    def push(self, event: dict[str, Any]) -> TestResponse:
        return self.send(wrapped(event))

    def send(
        self,
        body: bytes,
        headers: dict[str, str] | None = None,
        token: str | None = "",
        method: str = "POST",
    ) -> TestResponse:
        """Send bytes as they are. `token=""` is a good one, None is none."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if token is not None:
            sent["Authorization"] = f"Bearer {token or self.token()}"
        gateway = Gateway(self.hotel.house.wiring, [self.consumer])
        path = f"/events/{self.consumer.name}"
        return Client(gateway).open(path, method=method, data=body, headers=sent)

    def send_at_once(self, bodies: list[bytes]) -> list[int]:
        """Send all of them at the same moment, and answer their statuses."""
        start = threading.Barrier(len(bodies))
        statuses: list[int] = []

        def deliver(body: bytes) -> None:
            start.wait(30)
            statuses.append(self.send(body).status_code)

        threads = [threading.Thread(target=deliver, args=(body,)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return statuses

    def effects(self) -> int:
        """How often the consumer had an effect."""
        return int(
            self.hotel.rows(
                "SELECT count(*) FROM {s}.audit_entries WHERE aggregate_id = :who",
                who=self.counted,
            )[0][0]
        )

    def letters(self) -> list[tuple[str, dict[str, Any]]]:
        """Reasons and messages of the dead letters that this hotel's pushes became."""
        rows = self.hotel.house.sql(
            "SELECT reason, message FROM billing_central.dead_letters"
            " WHERE consumer = :consumer ORDER BY id",
            consumer=self.consumer.name,
        )
        return [(row[0], json.loads(row[1])) for row in rows]

    def forget_answers(self) -> None:
        """Retention takes the stored answers after 30 days; the inbox stays."""
        self.hotel.rows("DELETE FROM {s}.idempotency_keys")

    def named(self) -> "Post":
        """The same consumer under a name that no other test uses."""
        name = f"on_{uuid4().hex}"
        use_case = self.use_case

        def consume(praised: Praised, tx: Transaction) -> Any:
            return use_case(praised, tx)

        consume.__name__ = name
        return replace(self, use_case=consume)
