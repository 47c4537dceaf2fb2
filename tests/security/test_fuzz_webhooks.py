"""Fuzz of webhooks: what is signed is taken in, refused or put aside, and never a failure of ours.

Events of every type that has an effect go to a hotel whose payments, methods, disputes, company and
account they are about; whole, crooked, or with bytes changed, and signed as the processor signs.
The answer is 200 or 400: never 500, which would have the processor send it again for three days.
Refused, nothing is kept; and whatever was heard, the books are right (REL-7, WH-1, WH-2).
"""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from common.procedures.hearing_effects import EFFECTS
from tests.hotel import Hotel, House, usd
from tests.owing import paid_by_card
from tests.paying import a_customer, a_token, add_card, pay
from tests.paying_out import enabled
from tests.proofs import assert_books_are_right, state
from tests.refunding import card_payment
from tests.security.crooked_events import changed
from tests.security.test_fuzz_events import CHANGES
from tests.webhooks import Webhook, event

FIXED = settings(
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
KINDS = sorted([*EFFECTS, "customer.created", "balance.available"])
TAKEN = {"applied", "duplicate", "refused", "quarantined"}
CARD = {"brand": "visa", "last4": "4242", "exp_month": 7, "exp_year": 2036, "fingerprint": "fp_1"}
AFTER_ALL_TIME = 10**17
"""A moment that no calendar has; PostgreSQL and Python know none so late."""


@dataclass
class Line:
    """A hotel that hears from the processor, and what there is to tell of."""

    hotel: Hotel
    folio: str
    payment: str
    company_payment: str
    intent: str
    token: str
    account: str

    @classmethod
    def of(cls, house: House) -> "Line":
        hotel = house.new_hotel()
        folio, token = hotel.open_folio(), a_token()
        card_payment(hotel, folio, usd(900_000))
        ((payment,),) = hotel.rows("SELECT processor_payment_id FROM {s}.payments")
        assert add_card(hotel, a_customer(hotel), token).status_code == 201
        intent = pay(hotel, hotel.open_folio(), usd(500), "sandbox_3ds").json["paymentIntentId"]
        return cls(hotel, folio, payment, paid_by_card(hotel)[1], intent, token, enabled(hotel))

    def event(self, kind: str, number: int) -> dict[str, Any]:
        """A good event of a type, about something that there is."""
        area = kind.partition(".")[0]
        paid = (self.payment, self.company_payment)[number % 2]
        about: dict[str, Any] = {
            "id": f"{area[:2]}_{number}",
            "object": area,
            "amount": 100,
            "amount_received": 500,
            "amount_captured": 500,
            "amount_paid": 500,
            "currency": "usd",
            "payment_intent": paid,
            "status": "needs_response" if "dispute" in kind else "succeeded",
            "reason": "general",
            "metadata": {"tenantId": str(self.hotel.tenant_id)},
        }
        match area:
            case "payment_intent":
                about |= {"id": f"sandbox_pi_{self.intent.removeprefix('pin_')}"}
                about["metadata"] |= {"paymentIntentId": self.intent}
            case "charge":
                about |= {"object": "dispute" if "dispute" in kind else "charge"}
                about["metadata"] |= {"folioId": self.folio}
            case "payment_method" | "setup_intent":
                about |= {"id": self.token, "card": CARD, "payment_method": self.token}
            case "account":
                about |= {"id": self.account, "payouts_enabled": True, "details_submitted": True}
        return event(kind, about, id=f"evt_{uuid4().hex[:20]}")

    def kept(self) -> int:
        """How many events and letters were kept."""
        ((events,),) = self.hotel.rows("SELECT count(*) FROM {s}.webhook_events")
        ((letters,),) = self.hotel.house.sql(
            "SELECT count(*) FROM billing_central.dead_letters WHERE consumer = 'take_stripe_event'"
        )
        return int(events) + int(letters)

    def tell(self, body: bytes, header: str | None = None) -> str:
        """Send bytes under a header, a good one unless given; what became of them."""
        webhook = Webhook(self.hotel)
        kept = self.kept()
        answer = webhook.post(body, webhook.signed(body) if header is None else header)
        assert answer.status_code in (200, 400), (body, answer.text)
        if answer.status_code == 400:
            assert self.kept() == kept, body
            return "400"
        assert answer.json["outcome"] in TAKEN, answer.text
        return str(answer.json["outcome"])


@pytest.fixture(scope="module")
def line(house: House) -> Line:
    return Line.of(house)


@pytest.mark.req("REL-7", "WH-2", "WH-4")
def test_a_crooked_event_is_applied_refused_or_put_aside(line: Line) -> None:
    became: Counter[str] = Counter()

    @settings(FIXED, max_examples=150)
    @given(kind=st.sampled_from(KINDS), number=st.integers(0, 9), changes=CHANGES)
    def tell(kind: str, number: int, changes: list[tuple[str, int, Any]]) -> None:
        sent = changed(line.event(kind, number), changes)
        became[line.tell(json.dumps(sent).encode())] += 1

    tell()

    assert became["applied"] > 20
    assert min(became["400"], became["refused"], became["quarantined"]) > 0
    assert line.hotel.rows("SELECT * FROM {s}.webhook_attempts WHERE outcome = 'failed'") == []
    assert_books_are_right(line.hotel)


@pytest.mark.req("REL-7", "WH-4")
@pytest.mark.parametrize("kind", ["account.updated", "payment_method.updated"])
@pytest.mark.parametrize("created", [AFTER_ALL_TIME, -AFTER_ALL_TIME, 253_402_300_800, -1])
def test_a_moment_that_no_calendar_has_is_put_aside(line: Line, kind: str, created: int) -> None:
    sent = {**line.event(kind, 1), "created": created}

    assert line.tell(json.dumps(sent).encode()) == "quarantined"


@pytest.mark.req("REL-7", "WH-1")
def test_changed_bytes_that_are_signed_are_an_event_or_none(line: Line) -> None:
    """Bytes put in, left out and exchanged, or the end cut off, and then signed."""

    @settings(FIXED, max_examples=80)
    @given(
        kind=st.sampled_from(KINDS),
        slips=st.lists(
            st.tuples(st.integers(0, 2000), st.integers(0, 3), st.binary(max_size=3)), max_size=3
        ),
        cut=st.none() | st.integers(0, 700),
    )
    def tell(kind: str, slips: list[tuple[int, int, bytes]], cut: int | None) -> None:
        body = bytearray(json.dumps(line.event(kind, 0)).encode())
        for place, length, slip in slips:
            here = place % (len(body) + 1)
            body[here : here + length] = slip
        line.tell(bytes(body[:cut]))

    tell()
    assert_books_are_right(line.hotel)


@pytest.mark.req("REL-7", "WH-1")
def test_a_header_that_the_processor_did_not_make_proves_nothing(line: Line) -> None:
    """Pieces of good headers in any order and number, and text that is none: 400, and nothing."""
    body = json.dumps(line.event("account.updated", 0)).encode()
    good = Webhook(line.hotel).signed(body).split(",")
    before = state(line.hotel)
    pieces = st.sampled_from([good[0], "v1=" + "0" * 64, "v0=x", "t=", "t=1", "v1=", ",", "=", " "])
    headers = st.lists(pieces, max_size=6).map(",".join) | st.text(
        st.characters(min_codepoint=32, max_codepoint=255), max_size=90
    )

    @settings(FIXED, max_examples=60)
    @given(header=headers)
    @example(header=f"{good[0]},{good[1][:-1]}")
    @example(header=f"{good[0]},{good[1]}0")
    def tell(header: str) -> None:
        assert line.tell(body, header) == "400"

    tell()
    assert state(line.hotel) == before
