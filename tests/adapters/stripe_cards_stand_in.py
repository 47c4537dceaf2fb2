"""A stand-in for Stripe's customers, payment methods and payment intents, at the socket.

In the shapes of its public OpenAPI description. Idempotency keys are kept with what they were used
for and what was answered, errors as well, as Stripe keeps them. The token says how a payment goes,
as the sandbox's does.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlparse

Answer = tuple[int, dict[str, Any]]
CUT: Final[Answer] = (0, {})
DECLINES: Final = {
    "sandbox_declined_": "generic_decline",
    "sandbox_insufficient_funds_": "insufficient_funds",
    "sandbox_expired_": "expired_card",
    "sandbox_fraud_": "fraudulent",
}


@dataclass
class CardsStandIn:
    """What it holds; `seen` are the method, path, key and form of each request. While it is down
    no line to it holds."""

    address: str = ""
    is_down: bool = False
    customers: list[dict[str, Any]] = field(default_factory=list)
    owners: dict[str, str | None] = field(default_factory=dict)
    payments: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, tuple[dict[str, str], Answer]] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)
    confirms_before_canceling: str = ""
    seen: list[tuple[str, str, str | None, dict[str, str]]] = field(default_factory=list)

    def post(self, path: str, key: str | None, form: dict[str, str]) -> Answer:
        """Something is asked for."""
        if self.is_down:
            return CUT
        self.seen.append(("POST", path, key, form))
        if key is not None and key in self.keys:
            before, answer = self.keys[key]
            return answer if before == form else _error(400, "idempotency_error")
        token = form.get("payment_method", "")
        if "sandbox_unreachable_" in token and key is not None and key not in self.tried:
            self.tried.add(key)
            return CUT
        if "sandbox_faulty_" in token:
            return _error(500, "api_error")
        answer = self._made(path, form)
        if key is not None:
            self.keys[key] = (form, answer)
        return CUT if "sandbox_lost_" in token else answer

    def get(self, path: str, asked: dict[str, str]) -> Answer:
        """A list."""
        if self.is_down:
            return CUT
        self.seen.append(("GET", path, None, asked))
        if path == "/v1/customers":
            found = [each for each in self.customers if each["email"] == asked["email"]]
        else:
            found = [each for each in self.payments if each["customer"] == asked["customer"]]
        return 200, {"object": "list", "url": path, "has_more": False, "data": found}

    def act(self, intent_id: str, *, confirms: bool) -> None:
        """The guest confirms a payment to the bank, or does not."""
        (payment,) = [
            each for each in self.payments if each["metadata"]["paymentIntentId"] == intent_id
        ]
        if confirms:
            payment |= {"status": "succeeded", "amount_received": payment["amount"]}
            return
        code = "payment_intent_authentication_failure"
        payment |= {"status": "requires_payment_method", "last_payment_error": {"code": code}}

    def _made(self, path: str, form: dict[str, str]) -> Answer:
        match path.split("/")[2:]:
            case ["customers"]:
                made = {"id": f"cus_{len(self.customers)}", **_customer(form)}
                self.customers.append(made)
                return 200, made
            case ["customers", id]:
                (known,) = [each for each in self.customers if each["id"] == id]
                known |= _customer(form)
                return 200, known
            case ["payment_methods", token, "attach"]:
                return self._attached(token, form["customer"])
            case ["payment_methods", token, "detach"]:
                if self.owners.get(token) is None:
                    return _error(400, "invalid_request_error", "")
                self.owners[token] = None
                return 200, _method(token)
            case ["payment_intents"]:
                return self._paid(form)
            case ["payment_intents", id, "cancel"]:
                return self._canceled(id)
            case _:
                return _error(404, "invalid_request_error", "resource_missing")

    def _canceled(self, id: str) -> Answer:
        """What was taken is not canceled any more."""
        (payment,) = [each for each in self.payments if each["id"] == id]
        if payment["metadata"]["paymentIntentId"] == self.confirms_before_canceling:
            self.act(self.confirms_before_canceling, confirms=True)
        if payment["status"] not in ("requires_action", "requires_payment_method"):
            return _error(400, "invalid_request_error", "payment_intent_unexpected_state")
        payment["status"] = "canceled"
        return 200, payment

    def _attached(self, token: str, customer: str) -> Answer:
        if token.startswith("sandbox_unknown_"):
            return _error(404, "invalid_request_error", "resource_missing")
        if self.owners.setdefault(token, customer) != customer:
            return _error(400, "invalid_request_error", "payment_method_of_another_customer")
        return 200, _method(token)

    def _paid(self, form: dict[str, str]) -> Answer:
        token = form["payment_method"]
        payment = {
            "id": f"pi_{len(self.payments)}",
            "object": "payment_intent",
            "amount": int(form["amount"]),
            "amount_received": 0,
            "client_secret": f"pi_{len(self.payments)}_secret_x",
            "currency": form["currency"],
            "customer": form["customer"],
            "last_payment_error": None,
            "metadata": {
                name[9:-1]: text for name, text in form.items() if name.startswith("metadata[")
            },
            "next_action": None,
        }
        self.payments.append(payment)
        decline = next((code for card, code in DECLINES.items() if token.startswith(card)), None)
        if self.owners.get(token) is None:
            self.payments.pop()
            return _error(400, "invalid_request_error", "payment_method_detached")
        if decline is not None:
            error = {"type": "card_error", "code": "card_declined", "decline_code": decline}
            payment |= {"status": "requires_payment_method", "last_payment_error": error}
            return 402, {"error": {**error, "message": "No", "payment_intent": payment}}
        if token.startswith("sandbox_3ds_"):
            payment |= {"status": "requires_action", "next_action": {"type": "use_stripe_sdk"}}
            return 200, payment
        payment |= {"status": "succeeded", "amount_received": payment["amount"]}
        return 200, payment


def _customer(form: dict[str, str]) -> dict[str, Any]:
    return {
        "object": "customer",
        "email": form["email"],
        "name": form["name"],
        "metadata": {"customerId": form["metadata[customerId]"]},
    }


def _method(token: str) -> dict[str, Any]:
    if token.startswith("sandbox_bank_"):
        bank = {"bank_name": "TEST BANK", "last4": "6789", "fingerprint": "b1"}
        return {"id": token, "object": "payment_method", "type": "us_bank_account"} | {
            "us_bank_account": bank
        }
    card = {"brand": "visa", "exp_month": 12, "exp_year": 2034, "last4": "4242"}
    return {"id": token, "object": "payment_method", "type": "card", "card": card}


def _error(status: int, kind: str, code: str = "") -> Answer:
    return status, {"error": {"type": kind, "code": code or None, "message": "No"}}


@contextmanager
def cards_stand_in() -> Iterator[CardsStandIn]:
    """One that serves on a port of its own."""
    stand_in = CardsStandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"] or 0)
            body = parse_qs(self.rfile.read(length).decode(), keep_blank_values=True)
            form = {name: values[0] for name, values in body.items()}
            self.tell(*stand_in.post(self.path, self.headers["Idempotency-Key"], form))

        def do_GET(self) -> None:
            query = parse_qs(urlparse(self.path).query)
            asked = {name: values[0] for name, values in query.items()}
            self.tell(*stand_in.get(urlparse(self.path).path, asked))

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
