"""A hotel to test with: a tenant of its own, and its staff's calls over HTTP.

    folio = hotel.open_folio()
    answer = hotel.post(f"/folios/{folio}/charges", charge("room", 100_00))

Calls go through the gateway and the edge, as from the load balancer; only the socket is left out.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pg8000.native
from ulid import ULID
from werkzeug.test import Client, TestResponse

from common.local.database import LocalDatabase
from common.local.functions import declarations, event_declarations
from common.local.gateway import Gateway
from common.local.identity import LocalIdentity
from common.ports.identity import VERIFIED_ACCOUNT
from common.postgres.address import open_session
from common.postgres.migrations import Migrator
from common.runtime.declaration import Declaration
from common.runtime.settings import ProcessSettings
from common.wiring import Wiring
from tests.scopes import EVERY_SCOPE
from tests.together import at_once, meanwhile, until

ISSUER = "https://identity.test"
T = TypeVar("T")


def usd(minor: int) -> dict[str, Any]:
    """An amount of cents as it is written on the wire."""
    return {"amountMicro": minor * 10_000, "currency": "USD"}


def charge(kind: str = "room", cents: int = 10_000, **more: Any) -> dict[str, Any]:
    """A charge of so many cents."""
    return {"kind": kind, "description": "Night", "unitAmount": usd(cents), **more}


@dataclass
class House:
    """The service under test."""

    server: LocalDatabase
    wiring: Wiring
    identity: LocalIdentity
    client: Client
    _admin: pg8000.native.Connection | None = None
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def build(cls, server: LocalDatabase, folder: Path, **settings: Any) -> "House":
        if not server.exists("billing"):  # it may have begun with a copy that was migrated
            server.create("billing")
        Migrator(lambda: open_session(server.dsn(database="billing"))).up()
        wiring = Wiring(
            ProcessSettings(
                stack="local",
                databases={"main": server.dsn("billing_function", "billing")},
                token_issuer=ISSUER,
                oidc_audience="billing-events",
                oidc_account="push@billing.test",
                local_folder=str(folder),
                pool_size=32,
                **settings,
            )
        )
        identity = LocalIdentity(folder / "identity", issuer=ISSUER, clock=wiring.clock.now)
        wiring.__dict__["issuer_keys"] = keys_of(identity)
        return cls(server, wiring, identity, Client(Gateway(wiring, declarations())))

    def beside(
        self,
        *,
        powers: Mapping[str, Any] | None = None,
        identity: LocalIdentity | None = None,
        functions: Iterable[Declaration] = (),
        **changes: Any,
    ) -> "House":
        """Another instance of the service on the same database, with other settings.

        `powers` stand in for what the wiring would make; `functions` are called besides our own.
        """
        wiring = Wiring(replace(self.wiring.settings, **changes))
        identity = identity or self.identity
        wiring.__dict__["issuer_keys"] = keys_of(identity)
        wiring.__dict__.update(powers or {})
        gateway = Gateway(wiring, [*declarations(), *functions])
        return House(self.server, wiring, identity, Client(gateway))

    def close(self) -> None:
        self.wiring.close()
        if self._admin is not None:
            self._admin.close()

    def new_hotel(self, **settings: Any) -> "Hotel":
        """A tenant with its first settings, which stays until the tests of the file are over."""
        from tests.lending import let

        hotel = let(self)
        hotel.write_settings(**settings)
        return hotel

    @contextmanager
    def session(self) -> Iterator[pg8000.native.Connection]:
        """A session of its own as the administrator, to hold locks with."""
        session = open_session(self.server.dsn(database="billing"))
        try:
            yield session
        finally:
            session.close()

    def sql(self, sql: str, **parameters: Any) -> list[list[Any]]:
        """Look at the database as its administrator, behind the service's back."""
        with self._one_at_a_time:
            if self._admin is None:
                self._admin = open_session(self.server.dsn(database="billing"))
            return self._admin.run(sql, **parameters) or []

    def until_waiting(self, holder: pg8000.native.Connection, waiting: int = 1) -> None:
        """Go on once so many others stand in line for what `holder` has locked."""
        pid = holder.run("SELECT pg_backend_pid()")[0][0]
        in_line = (
            "SELECT count(*) FROM pg_stat_activity WHERE :pid = ANY (pg_blocking_pids(pid))"
            " OR EXISTS (SELECT FROM unnest(pg_blocking_pids(pid)) AS blocker"
            " WHERE :pid = ANY (pg_blocking_pids(blocker)))"
        )
        until(lambda: self.sql(in_line, pid=pid)[0][0] >= waiting)

    def at_once_before_they_write(self, table: str, calls: Sequence[Callable[[], T]]) -> list[T]:
        """Make calls at the same moment. Whoever is let by the others has read all that he decides
        by before anybody writes into `table`, and has heard of nobody else."""
        with self.session() as holder:
            holder.run("BEGIN")
            holder.run(f"LOCK TABLE {table} IN SHARE MODE")  # read, do not write
            with meanwhile(lambda: at_once(calls)) as answers:
                self.until_waiting(holder, len(calls))
                holder.run("ROLLBACK")
        return answers()

    def turn_clock(self, instant: str) -> None:
        """Let the service's clock show an instant (ISO 8601), and go on from there."""
        clock = self.wiring.clock
        wanted = datetime.fromisoformat(instant)
        clock.move(round((wanted - clock.now()).total_seconds()))  # type: ignore[attr-defined]

    def reset_clock(self) -> None:
        """Let the service's clock show the time as it is. What was put aside long ago by the clock
        before is of nobody any more, and would be overdue to be forgotten."""
        (Path(self.wiring.settings.local_folder) / "clock" / "offset_seconds").unlink(
            missing_ok=True
        )
        self.sql(
            "DELETE FROM billing_central.dead_letters"
            " WHERE received_at < now() - interval '90 days'"
        )


@dataclass
class Hotel:
    """One tenant."""

    house: House
    tenant_id: UUID = field(default_factory=uuid4)
    property_id: UUID = field(default_factory=uuid4)

    @property
    def schema(self) -> str:
        return f"tenant_{self.tenant_id.hex}_billing"

    def settings(self, **changes: Any) -> dict[str, Any]:
        """The settings document: 10 % VAT on everything, exclusive; euros at 1.10."""
        document: dict[str, Any] = {
            "issuer": {
                "name": "Hotel Kabul",
                "addressLines": ["Street 1", "Kabul"],
                "taxId": "AF-1",
                "country": "AF",
            },
            "properties": [
                {
                    "id": str(self.property_id),
                    "name": "Kabul",
                    "code": "KBL",
                    "timeZone": "Asia/Kabul",
                    "dayClose": "03:00:00",
                    "currency": "USD",
                    "jurisdiction": "AF-KBL",
                }
            ],
            "fxRates": [
                {
                    "base": "EUR",
                    "quote": "USD",
                    "rate": "1.10",
                    "source": "test",
                    "takenAt": "2026-01-01T00:00:00Z",
                }
            ],
            "taxRules": [vat()],
        }
        document.update(changes)
        return document

    def write_settings(self, **changes: Any) -> None:
        """Write a settings version behind the service's back."""
        self.house.sql(
            f"INSERT INTO {self.schema}.settings_versions"
            " (tenant_id, version, document, recorded_at)"
            " SELECT :tenant, coalesce(max(version), 0) + 1, :document, now()"
            f" FROM {self.schema}.settings_versions",
            tenant=self.tenant_id,
            document=json.dumps(self.settings(**changes)),
        )

    def token(self, *scopes: str, sub: str = "clerk", **claims: Any) -> str:
        claims.setdefault("property_ids", [self.property_id])
        claims.setdefault("tenant_id", self.tenant_id)
        scopes = scopes or tuple(EVERY_SCOPE)
        if VERIFIED_ACCOUNT in scopes:  # nobody is given it: it is the address that is vouched for
            address = f"{sha256(sub.encode()).hexdigest()[:32]}@hotel.example"
            claims.setdefault("email", address)
        return self.house.identity.issue_access_token(sub=sub, scopes=scopes, **claims)

    def confirmation(self, sub: str, scope: str, context: str, **changed: Any) -> str:
        """Somebody's fresh confirmation of a deed with a second factor."""
        asked = {"sub": sub, "tenant_id": self.tenant_id, "scope": scope, "context": context}
        return self.house.identity.issue_step_up_token(**{**asked, **changed})

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = "",
        token: str | None = "",
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> TestResponse:
        """Call a function. `key=""` makes a fresh idempotency key, None sends none."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token or self.token()}"
        if method != "GET" and key is not None:
            sent["Idempotency-Key"] = key or str(uuid4())
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        data = json.dumps(body) if not isinstance(body, bytes | None) else body
        full = path if path.startswith("/health") else f"/api/v1{path}"
        return self.house.client.open(
            full, method=method, data=data, headers=sent, query_string=query or None
        )

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        return self.call("POST", path, {} if body is None else body, **more)

    def open_folio(self, **more: Any) -> str:
        """Open a folio for a guest and answer its id."""
        body = {"propertyId": str(self.property_id), "guest": {"name": "A. Guest"}, **more}
        answer = self.post("/folios", body)
        assert answer.status_code == 201, answer.text
        folio_id: str = answer.json["folioId"]
        return folio_id

    def charged(self, folio: str, kind: str = "room", cents: int = 10_000, **more: Any) -> str:
        """Post a charge and answer its id."""
        answer = self.post(f"/folios/{folio}/charges", charge(kind, cents, **more))
        assert answer.status_code == 201, answer.text
        charge_id: str = answer.json["lines"][0]["lineId"]
        return charge_id

    def paid(self, folio: str, amount: dict[str, Any], **more: Any) -> str:
        """Record a bank transfer, each by another clerk, and answer its id."""
        body = {"method": "bank_transfer", "amount": amount, **more}
        token = self.token(sub=f"cashier-{uuid4()}")
        answer = self.post(f"/folios/{folio}/payments", body, token=token)
        assert answer.status_code == 201, answer.text
        payment_id: str = answer.json["lines"][0]["lineId"]
        return payment_id

    def closed_folio(self, cents: int = 10_000, **opened: Any) -> tuple[str, str]:
        """A folio of one charge and its 10 %, paid and closed; its id and its invoice's."""
        folio = self.open_folio(**opened)
        self.charged(folio, cents=cents)
        self.paid(folio, self.get(f"/folios/{folio}").json["balance"])
        answer = self.post(f"/folios/{folio}/close")
        assert answer.status_code == 200, answer.text
        return folio, answer.json["invoiceId"]

    def plan(self, sql: str) -> str:
        """The generic plan of a statement, with sequential scans made unattractive."""
        with self.house.session() as session:
            session.run("SET enable_seqscan = off")
            session.run(f"SET search_path = {self.schema}")
            return "\n".join(row[0] for row in session.run(f"EXPLAIN (GENERIC_PLAN) {sql}") or [])

    def rows(self, sql: str, **parameters: Any) -> list[list[Any]]:
        """Query the tenant's schema behind the service's back; `{s}` is the schema."""
        return self.house.sql(sql.replace("{s}", self.schema), **parameters)

    def deliver(
        self, consumer: str, data: dict[str, Any], *, event_id: str = "", **attributes: Any
    ) -> TestResponse:
        """Push an event of another service to a consumer, as Pub/Sub does."""
        event = {
            "specversion": "1.0",
            "id": event_id or new_id("evt"),
            "source": "/another-service",
            "type": consumers()[consumer],
            "tenantid": str(self.tenant_id),
            "data": data,
            **attributes,
        }
        return self.push(consumer, event)

    def push(self, consumer: str, event: dict[str, Any]) -> TestResponse:
        """Push a whole event, in the structured mode of CloudEvents."""
        settings = self.house.wiring.settings
        token = self.house.identity.issue_oidc_token(
            email=settings.oidc_account, audience=settings.oidc_audience
        )
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/cloudevents+json",
        }
        return self.house.client.post(
            f"/events/{consumer}", data=json.dumps(event), headers=headers
        )

    def render(self, invoice_id: str) -> TestResponse:
        """Deliver the event of an invoice that was issued, as the outbox does."""
        told = self.events("invoice.generated")
        event = next(each for each in told if each["subject"] == invoice_id)
        return self.push("on_invoice_generated", event)

    def letters(self) -> list[str]:
        """Why messages for this tenant were refused for good."""
        rows = self.house.sql(
            "SELECT reason FROM billing_central.dead_letters"
            " WHERE strpos(message, :tenant) > 0 ORDER BY id",
            tenant=str(self.tenant_id),
        )
        return [row[0] for row in rows]

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The tenant's outbox in its order."""
        rows = self.house.sql(
            "SELECT event FROM billing_central.outbox WHERE tenant_id = :t ORDER BY id",
            t=self.tenant_id,
        )
        found = [json.loads(row[0]) for row in rows]
        return [event for event in found if kind is None or event["type"].endswith(f"{kind}.v1")]


def vat(ppm: int = 100_000, **more: Any) -> dict[str, Any]:
    """A tax on everything that a guest can consume."""
    kinds = ["room", "food_beverage", "spa", "laundry", "minibar", "transport", "fee", "other"]
    rule = {
        "code": "VAT",
        "name": "VAT",
        "jurisdiction": "AF-KBL",
        "chargeKinds": kinds,
        "ratePpm": ppm,
        "validFrom": date(2020, 1, 1).isoformat(),
    }
    return {**rule, **more}


def consumers() -> dict[str, str]:
    """The type of event that each consumer takes."""
    return {each.name: each.event_type for each in event_declarations()}


def new_id(prefix: str) -> str:
    """A fresh id, as a desktop that is offline would mint it."""
    return f"{prefix}_{ULID()}"


def keys_of(identity: LocalIdentity) -> Any:
    """The service's view of the identity service's keys, without a socket between."""
    from common.runtime.oidc import Jwks

    return Jwks(lambda: json.dumps(identity.jwks()).encode())
