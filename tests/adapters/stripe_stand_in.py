"""A stand-in for Stripe's API at the socket, in the shapes of its public OpenAPI description.

Idempotency keys are kept with what they were used for. The payment's id says how a refund goes, as
the sandbox's does: `..._declined_`, `..._lost_` (done, and the line is cut), `..._unreachable_`
(the first request is cut off before anything is done), `..._faulty_` (500), `..._slow_down_` (429).
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlparse

KEY: Final = "sk_test_stand_in"


@dataclass
class StripeStandIn:
    """What it holds; `seen` are the method, path and idempotency key of each request."""

    address: str = ""
    now: int = 0
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    disputes: list[dict[str, Any]] = field(default_factory=list)
    payouts: list[dict[str, Any]] = field(default_factory=list)
    invoice_payments: list[dict[str, Any]] = field(default_factory=list)
    disconnected: set[str] = field(default_factory=set)
    page: int = 100
    keys: dict[str, tuple[dict[str, str], dict[str, Any]]] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)
    seen: list[tuple[str, str, str | None]] = field(default_factory=list)

    def capture(self, payment: str, cents: int, tenant: str, house: str) -> None:
        """A payment intent that succeeded."""
        self.payments[payment] = {
            "id": payment,
            "object": "payment_intent",
            "amount": cents,
            "amount_received": cents,
            "created": self.now,
            "currency": "usd",
            "metadata": {"tenantId": tenant, "propertyId": house},
            "status": "succeeded",
        }

    def collect(self, invoice: str, payment: str, status: str = "paid") -> None:
        """An invoice of Stripe's own was paid by a payment intent, or was to be."""
        part = {"type": "payment_intent", "payment_intent": payment}
        about = self._about(f"inpay_{len(self.invoice_payments)}", "", 1_000)
        about |= {"object": "invoice_payment", "invoice": invoice, "payment": part}
        self.invoice_payments.append({**about, "status": status})

    def refund_there(self, refund: str, payment: str, cents: int) -> None:
        """Somebody gives money back at the dashboard: it bears nothing of ours."""
        self.refunds.append({**self._about(refund, payment, cents), "object": "refund"})

    def dispute(self, dispute: str, payment: str, cents: int) -> None:
        """A bank asks for money."""
        about = {**self._about(dispute, payment, cents), "status": "needs_response"}
        self.disputes.append({**about, "object": "dispute"})

    def pay_out_there(self, payout: str, account: str, cents: int) -> None:
        """Somebody pays money out at the dashboard, or it is paid out every day."""
        about = {**self._about(payout, "", cents), "account": account, "status": "paid"}
        self.payouts.append({**about, "object": "payout"})

    def _about(self, id: str, payment: str, cents: int) -> dict[str, Any]:
        return {
            "id": id,
            "amount": cents,
            "created": self.now,
            "currency": "usd",
            "metadata": {},
            "payment_intent": payment,
            "status": "succeeded",
        }

    def pay_out(self, key: str, form: dict[str, str], account: str) -> tuple[int, dict[str, Any]]:
        """A payout of an account's balance is asked for."""
        if account in self.disconnected:
            return _error(403, "invalid_request_error", "account_invalid")
        if key in self.keys:
            before, payout = self.keys[key]
            return (200, payout) if before == form else _error(400, "idempotency_error")
        status = "failed" if "_declined_" in account else "paid"
        metadata = {name: form[f"metadata[{name}]"] for name in ("payoutId", "tenantId")}
        payout = {
            **self._about(f"po_{len(self.payouts)}", "", int(form["amount"])),
            "object": "payout",
            "account": account,
            "currency": form["currency"],
            "failure_code": "account_closed" if status == "failed" else None,
            "metadata": metadata,
            "status": "in_transit" if "_transit_" in account else status,
        }
        self.payouts.append(payout)
        self.keys[key] = (form, payout)
        return (0, {}) if "_lost_" in account else (200, payout)

    def make(self, key: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """A refund is asked for; a status and a body, or 0 for a line that is cut."""
        payment = form["payment_intent"]
        if key in self.keys:
            before, refund = self.keys[key]
            return (200, refund) if before == form else _error(400, "idempotency_error")
        if "_unreachable_" in payment and key not in self.tried:
            self.tried.add(key)
            return 0, {}
        if "_faulty_" in payment:
            return _error(500, "api_error")
        if "_slow_down_" in payment:
            return _error(429, "invalid_request_error", "rate_limit")
        if "_gone_" in payment:
            return _error(400, "invalid_request_error", "charge_already_refunded")
        declined = "_declined_" in payment
        refund = {
            "id": f"re_{len(self.refunds)}",
            "object": "refund",
            "amount": int(form["amount"]),
            "created": self.now,
            "currency": "usd",
            "metadata": {"refundId": form["metadata[refundId]"]},
            "payment_intent": payment,
            "status": "failed" if declined else "succeeded",
            **({"failure_reason": "card_declined"} if declined else {}),
        }
        self.refunds.append(refund)
        self.keys[key] = (form, refund)
        return (0, {}) if "_lost_" in payment else (200, refund)

    def read(self, path: str, asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """A list, or one payment."""
        kept = {
            "payment_intents": list(self.payments.values()),
            "refunds": self.refunds,
            "disputes": self.disputes,
            "invoice_payments": [
                each
                for each in self.invoice_payments
                if (each["invoice"], each["status"]) == (asked.get("invoice"), asked.get("status"))
            ],
            "payouts": [each for each in self.payouts if each["account"] == asked.get("account")],
        }
        _, _, kind, *named = path.split("/")
        if asked.get("account") in self.disconnected:
            return _error(403, "invalid_request_error", "account_invalid")
        if named:
            found = next((each for each in kept[kind] if each["id"] == named[0]), None)
            missing = _error(404, "invalid_request_error", "resource_missing")
            return (200, found) if found else missing
        things = kept[kind]
        since, until = int(asked.get("created[gte]", 0)), int(asked.get("created[lt]", 2**40))
        payment = asked.get("payment_intent")
        if payment is not None and "_unheard_" in payment:
            return 0, {}
        data = [
            each
            for each in things
            if since <= each["created"] < until and payment in (None, each.get("payment_intent"))
        ]
        if (after := asked.get("starting_after")) is not None:
            data = data[[each["id"] for each in data].index(after) + 1 :]
        page = {"has_more": len(data) > self.page, "data": data[: self.page]}
        return 200, {"object": "list", "url": path, **page}


def _error(status: int, kind: str, code: str = "") -> tuple[int, dict[str, Any]]:
    return status, {"error": {"type": kind, "code": code or None, "message": "No"}}


@contextmanager
def stripe_stand_in() -> Iterator[StripeStandIn]:
    """One that serves on a port of its own."""
    stand_in = StripeStandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            key = self.headers["Idempotency-Key"]
            stand_in.seen.append(("POST", self.path, key))
            account = self.headers["Stripe-Account"]
            if self.path == "/v1/payouts":
                self.tell(*stand_in.pay_out(key, form, account))
                return
            self.tell(*stand_in.make(key, form))

        def do_GET(self) -> None:
            query = parse_qs(urlparse(self.path).query)
            asked = {name: values[0] for name, values in query.items()}
            if (account := self.headers["Stripe-Account"]) is not None:
                asked["account"] = account
            stand_in.seen.append(("GET", urlparse(self.path).path, None))
            self.tell(*stand_in.read(urlparse(self.path).path, asked))

        def tell(self, status: int, document: dict[str, Any]) -> None:
            if status == 0:
                self.close_connection = True
                return
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stand_in.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
