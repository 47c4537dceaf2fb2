"""One good call of every function that clients call, and the books that a bad one must not change.

    calls = Calls(hotel)
    answer = calls.send("post_charge")
    calls.send("post_charge", body={**calls.body("post_charge"), "amount": "ten"})

Every body gives all the fields of its model, so that an attack on each of them reaches it; a new
function, or a new field, without its place here turns a test red.
"""

import json
import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Self
from uuid import uuid4

from werkzeug.test import TestResponse

from common.local.functions import http_declarations
from common.runtime.declaration import HttpDeclaration
from common.runtime.exchange import camel
from tests.depositing import wanted as moving_deposit
from tests.hotel import Hotel, new_id, usd
from tests.moving import wanted as moving
from tests.paying_out import LARGE
from tests.paying_out import wanted as wanted_payout
from tests.refunding import wanted
from tests.security import credits as prepaid
from tests.security import debtors, payers, subscribers, tills
from tests.security.queries import QUERIES
from tests.security.things import Things
from tests.webhooks import HEADER, Webhook, captured

GIVEN: Any = object()
PDF = "application/pdf"


@lru_cache(maxsize=1)
def functions() -> dict[str, HttpDeclaration]:
    """Every function that clients call, by its name."""
    return {declaration.name: declaration for declaration in http_declarations()}


def with_json_body() -> list[str]:
    """The functions that read a body in JSON."""
    return [name for name, each in functions().items() if each.method != "GET" and not raw(each)]


def raw(declaration: HttpDeclaration) -> bool:
    """Whether the body is bytes of another type, or of somebody who signs them."""
    return declaration.is_raw


@dataclass
class Calls(Things):
    """A hotel, and what can be asked about the things in it.

    Each call is another person's, so that no limit of a person comes into it.
    """

    count: int = 0
    tokens: list[str] = field(default_factory=list)
    street: str = field(default_factory=lambda: uuid4().hex[:4])

    @classmethod
    def of(cls, hotel: Hotel) -> Self:
        """With everything in the house, for books that are looked at before and after a call."""
        made = cls(hotel)
        for name in functions():
            made.make_what_is_named(name)
        return made

    @cached_property
    def sending(self) -> str:
        """The invoice, handed over to be sent; drawn for it when it is first asked for."""
        assert self.send("regenerate_invoice").status_code == 201
        sending_id: str = self.send("send_invoice").json["sendingId"]
        return sending_id

    def make_what_is_named(self, name: str) -> None:
        """Let there be what a function is asked about."""
        self.named(name)
        self.body(name)
        self.query(name)

    def ready_for(self, name: str) -> None:
        """Let there be what a function is asked about, and draw the document of a PDF."""
        self.make_what_is_named(name)
        if name in ("get_invoice_pdf", "send_invoice"):
            self.send("regenerate_invoice")
        if name in ("get_credit_note_pdf", "send_credit_note"):
            note, issued = self.left.credit_note, self.hotel.events("credit_note.issued")
            (event,) = [each for each in issued if each["subject"] == note]
            self.hotel.push("on_credit_note_issued", event)

    def body(self, name: str) -> Any:
        """What the function is asked, with every field but those of the path."""
        if name in tills.BODIES:
            return tills.BODIES[name](self.hotel)
        if name in debtors.BODIES:
            return debtors.BODIES[name](self.debtor)
        if name in prepaid.BODIES:
            return prepaid.BODIES[name](self.credits)
        if name == "start_trial":
            return subscribers.trial_with(self.payer.card)
        if name == "choose_own_payment_method":
            return {"paymentMethodId": self.payer.card} if self.subscribers.invoice else None
        if name in subscribers.BODIES:
            return self.subscribers.body(name)
        if name in payers.BODIES:
            return payers.BODIES[name](self.payer)
        make = BODIES.get(name)
        return make(self) if make else None

    def path(self, name: str, **given: str) -> str:
        """Where the function is called, with everything that the path asks for."""
        return functions()[name].full_path.format(**{**self.named(name), **given})

    def named(self, name: str) -> dict[str, str]:
        """What the function's path names; nothing else is made for it."""
        known = NAMED | OTHERWISE.get(name, {})
        path = functions()[name].path
        return {each: known[each](self, name) for each in re.findall(r"{(\w+)}", path)}

    def query(self, name: str) -> dict[str, str]:
        """What the function is asked in its query, with every field."""
        if name in tills.QUERIES:
            return tills.QUERIES[name](self.hotel)
        if name in debtors.QUERIES:
            return debtors.QUERIES[name](self.hotel)
        if name in prepaid.QUERIES:
            return prepaid.QUERIES[name]
        if name in subscribers.QUERIES:
            return subscribers.QUERIES[name](self.hotel)
        if name in payers.QUERIES:
            return payers.QUERIES[name](self.hotel)
        make = QUERIES.get(name)
        return make(self) if make else {}

    def send(
        self,
        name: str,
        *,
        body: Any = GIVEN,
        path: str | None = None,
        query: Any = GIVEN,
        headers: dict[str, str] | None = None,
        token: str | None = "",
        key: str | None = "",
        environ: dict[str, Any] | None = None,
    ) -> TestResponse:
        """Call a function as it should be called, but for what is given."""
        declaration = functions()[name]
        asked = self.body(name) if body is GIVEN else body
        place, asked_for = path or self.path(name), self.query(name) if query is GIVEN else query
        sent = {"Content-Type": declaration.takes} if declaration.method != "GET" else {}
        if token is not None and declaration.scope is not None:
            token = token or self.token()
            sent["Authorization"] = f"Bearer {token}"
            asked = tills.confirmed(declaration, self.hotel, asked, place, asked_for, token)
        if declaration.signed_by is not None and isinstance(asked, bytes):
            sent[HEADER] = Webhook(self.hotel).signed(asked)
        if declaration.changes_state and key is not None:
            sent["Idempotency-Key"] = key or str(uuid4())
        tries = subscribers.never_subscribed(self.hotel) if name == "start_trial" else nullcontext()
        with tries:
            return self.hotel.house.client.open(
                place,
                method=declaration.method,
                data=json.dumps(asked) if isinstance(asked, dict | list) else asked,
                query_string=asked_for,
                headers={**sent, **(headers or {})},
                environ_overrides={
                    "REMOTE_ADDR": f"2001:db8:{self.street}::{self.count:x}",
                    **(environ or {}),
                },
            )

    def token(self, *scopes: str, **claims: Any) -> str:
        """The access token of somebody who has not called before."""
        self.count += 1
        claims.setdefault("sub", f"clerk-{self.count}")
        self.tokens.append(self.hotel.token(*scopes, **claims))
        return self.tokens[-1]


def _opening(calls: Calls) -> dict[str, Any]:
    rate = {"base": "EUR", "quote": "USD", "rate": "1.25", "source": "Central bank"}
    return {
        "id": new_id("fol"),
        "propertyId": str(calls.hotel.property_id),
        "reservationId": f"RES-{uuid4()}",
        "guest": {
            "name": "Zarmina Ahmadi",
            "addressLines": ["Street 7", "Herat"],
            "taxId": "AF-77",
            "exemptions": ["resident"],
        },
        "stay": {"arrival": "2026-03-01", "departure": "2026-03-04"},
        "window": "guest",
        "windows": ["company"],
        "routing": {"room": "company"},
        "currency": "USD",
        "fxSnapshots": [{**rate, "takenAt": "2026-03-01T08:00:00Z"}],
    }


def _charge(_: Calls) -> dict[str, Any]:
    return {
        "id": new_id("chg"),
        "kind": "spa",
        "description": {"en": "Massage", "de": "Massage"},
        "quantity": "2",
        "unitAmount": usd(3_000),
        "amount": usd(6_000),
        "serviceDate": "2026-03-02",
        "source": "pos",
        "externalReference": f"check-{uuid4()}",
        "window": "guest",
        "nights": 1,
        "persons": 2,
        "firstNight": 2,
        "ages": [41, 7],
    }


def _adjustment(calls: Calls) -> dict[str, Any]:
    less = {"amount": usd(-100), "description": {"en": "Noise"}, "reason": "The lift was loud"}
    return {"chargeId": calls.charge, **less}


def _payment(_: Calls) -> dict[str, Any]:
    return {
        "id": new_id("pay"),
        "method": "card",
        "amount": usd(500),
        "paymentId": f"pi-{uuid4()}",
        "paymentMethodToken": "pm_1Qx7",
        "reference": "At the desk",
        "cashSessionId": new_id("cds"),
        "companyAccountId": new_id("cac"),
        "creditAccount": "main",
        "allowCredit": True,
    }


def _refund(calls: Calls) -> dict[str, Any]:
    given = {"reference": "Transfer 4711", "cashSessionId": new_id("cds")}
    return {**wanted(calls.deposit[1], usd(1)), **given}


def _transfer(calls: Calls) -> dict[str, Any]:
    return moving(calls.deposit[0], calls.shared[1], amount=usd(100))


def _deposit(calls: Calls) -> dict[str, Any]:
    return moving_deposit(calls.shared[0], 1)


def _credit(calls: Calls) -> dict[str, Any]:
    lines = [{"lineId": calls.left.line, "amount": usd(1)}]
    return {"invoiceId": calls.left.invoice, "lines": lines, "reason": "The towels were damp"}


Makes = Callable[[Calls, str], str]
NAMED: dict[str, Makes] = {
    "folio_id": lambda calls, _: calls.folio,
    "figure": lambda calls, _: "mrr",
    "charge_id": lambda calls, _: calls.charge,
    "invoice_id": lambda calls, _: calls.left.invoice,
    "credit_note_id": lambda calls, _: calls.left.credit_note,
    "sending_id": lambda calls, _: calls.sending,
    "reconciliation_id": lambda calls, _: calls.reconciliation,
    "difference_id": lambda calls, _: calls.difference,
    "payout_id": lambda calls, name: calls.payouts[name == "reject_payout"],
    "session_id": lambda calls, name: calls.tills.session(name),
    "drawer_id": lambda calls, name: calls.tills.drawers[name],
    "signal_id": lambda calls, _: calls.signal,
    "hold_id": lambda calls, name: calls.credits.holds[name],
    "plan": lambda calls, _: calls.subscribers.plan,
    "incident_id": lambda calls, _: calls.subscribers.incident,
    "tenant_id": lambda calls, name: calls.subscribers.tenant(name, calls.hotel.tenant_id),
    "account_id": lambda calls, _: calls.debtor.account,
    "allocation_id": lambda calls, _: calls.debtor.allocation,
    "write_off_id": lambda calls, _: calls.debtor.lost,
    "customer_id": lambda calls, _: calls.payer.customer,
    "payment_method_id": lambda calls, _: calls.payer.leaving,
    "payment_intent_id": lambda calls, name: calls.payer.intents[name == "cancel_payment"],
    "purchase_id": lambda calls, _: calls.payer.purchase,
    "review_id": lambda calls, _: calls.payer.review,
}
"""What a path may name. Some functions are asked about another thing of the same name:"""
OTHERWISE: dict[str, dict[str, Makes]] = {
    "refund_payment": {"folio_id": lambda calls, _: calls.deposit[0]},
    "transfer_deposit": {"folio_id": lambda calls, _: calls.deposit[0]},
    "transfer_lines": {"folio_id": lambda calls, _: calls.shared[0]},
    "reopen_folio": {"folio_id": lambda calls, _: calls.left.folio},
    "get_subscription_invoice_pdf": {"invoice_id": lambda calls, _: calls.subscribers.invoice},
    "get_platform_credit_note_pdf": {
        "invoice_id": lambda calls, _: calls.subscribers.credited(calls.hotel)[0],
        "credit_note_id": lambda calls, _: calls.subscribers.credited(calls.hotel)[1],
    },
    "show_subscription_invoice": {"invoice_id": lambda calls, _: calls.subscribers.invoice},
    "refund_subscription_invoice": {"invoice_id": lambda calls, _: calls.subscribers.paid},
}
BODIES: dict[str, Callable[[Calls], Any]] = {
    "open_folio": _opening,
    "post_charge": _charge,
    "post_charge_batch": lambda calls: {"charges": [_charge(calls), _charge(calls)]},
    "post_adjustment": _adjustment,
    "void_charge": lambda calls: {"reason": "Posted to the wrong room"},
    "record_payment": _payment,
    "refund_payment": _refund,
    "transfer_lines": _transfer,
    "transfer_deposit": _deposit,
    "close_folio": lambda calls: {},
    "reopen_folio": lambda calls: {"reason": "A bill was forgotten", "stillInHouse": True},
    "backfill_taxes": lambda calls: {"folioIds": [calls.folio], "reason": "The rule came late"},
    "regenerate_invoice": lambda calls: {},
    "issue_credit_note": _credit,
    "void_invoice": lambda calls: {"reason": "Billed to the wrong guest"},
    "send_invoice": lambda calls: {"recipients": ["guest@example.com"], "language": "de"},
    "send_credit_note": lambda calls: {"recipients": ["guest@example.com"], "language": "de"},
    "review_signal": lambda calls: {"verdict": "dismissed", "note": "Nothing in it"},
    "verify_invoice_file": lambda calls: b"%PDF-1.7 not one of ours",
    "take_stripe_event": lambda calls: json.dumps(
        captured(calls.hotel, calls.folio, 1_000)
    ).encode(),
    "replay_webhook": lambda calls: {"eventId": calls.webhook},
    "connect_payout_account": lambda calls: {
        "processorAccountId": f"acct_{calls.hotel.tenant_id.hex}"
    },
    "request_payout": lambda calls: wanted_payout(calls.hotel, usd(100)),
    "approve_payout": lambda calls: {"amount": usd(LARGE)},
    "reject_payout": lambda calls: {"amount": usd(LARGE), "reason": "It is too much"},
    "own_processor_difference": lambda calls: {"owner": "laila"},
    "resolve_processor_difference": lambda calls: {"reason": "It was paid back by hand"},
}


EITHER: dict[str, set[str]] = {
    "transfer_lines": {"sharePpm"},
    "change_subscription": {"quoteToken"},
    "record_usage": {"value"},
}
"""What is not given because the field in its place is; the function's own test attacks it."""


def fields_not_given(calls: Calls, name: str) -> set[str]:
    """The fields of a function's request that its good call leaves out."""
    declaration = functions()[name]
    if declaration.signed_by is not None:
        return set()  # its fields are read out of what was signed
    body = calls.body(name)
    given = set(calls.query(name)) | ({"content"} if raw(declaration) else set(body or {}))
    in_path = {camel(part[1:-1]) for part in declaration.path.split("/") if part.startswith("{")}
    known = {info.alias or each for each, info in declaration.request.model_fields.items()}
    return known - in_path - given - EITHER.get(name, set())
