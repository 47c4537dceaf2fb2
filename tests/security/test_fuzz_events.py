"""Fuzz of events: whatever is pushed is taken in once, or kept with its reason, or comes again.

Messages go over HTTP to the real consumers, in every form of a CloudEvent, whole, crooked, or with
bytes changed. The answer is 204, or 503 for a tenant that is not there yet. What was acknowledged
has had its effect, now or before, or is a dead letter that holds what was sent; and what became a
dead letter has changed nothing (EVT-5, SEC-3, REL-7).
"""

import base64
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from common.runtime.pushed import BODY_BYTES_MAX
from common.sandbox.gateway import LOST
from tests.depositing import cancellation
from tests.hotel import Hotel, House, consumers, usd, vat
from tests.proofs import assert_books_are_right, state
from tests.refunding import card_payment, refund
from tests.security.crooked_events import (
    FORMS,
    Sent,
    binary,
    changed,
    in_header,
    pushed,
    structured,
)

FIXED = settings(
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
CARD = "4111 1111 1111 1111"
OWN = {"on_invoice_generated", "on_credit_note_issued"}
NAMES = sorted(consumers().keys() - OWN - {"on_tenant_created"})
LETTERS = str.maketrans("0123456789", "ghijklmnop")


def _unheard_of() -> str:
    """A name of letters alone: digits by chance may be a card's number, which is withheld."""
    return uuid4().hex.translate(LETTERS)


@dataclass
class Office:
    """A hotel that hears events, another one beside it, and what became of each message."""

    hotel: Hotel
    other: Hotel
    folio: str
    token: str

    def data(self, consumer: str) -> dict[str, Any]:
        """What a good event says."""
        return {
            "on_reservation_confirmed": self.reservation(),
            "on_reservation_checked_in": self.reservation(),
            "on_reservation_canceled": {
                **cancellation(self.hotel, f"R-{_unheard_of()}"),
                "canceledAt": "2026-02-27T10:00:00Z",
            },
            "on_payment_captured": {
                "paymentId": f"pi-{_unheard_of()}",
                "folioId": self.folio,
                "amount": usd(5),
            },
            "on_charge_posted": {
                "propertyId": str(self.hotel.property_id),
                "folioId": self.folio,
                "pointOfSale": "BAR",
                "checkNumber": _unheard_of(),
                "description": "Tea",
                "unitAmount": usd(5),
            },
            "on_tenant_settings_updated": {
                name: value for name, value in self.hotel.settings().items() if name != "taxRules"
            },
            "on_tenant_tax_rules_updated": {"taxRules": [vat()]},
            "on_refund_succeeded": self.refunded,
            "on_signal_raised": {
                "folioId": self.folio,
                "pattern": "folio_anomaly",
                "scorePpm": 5,
                "source": "orchestrator",
            },
            "on_refund_failed": {**self.refunded, "failureCode": "card_expired"},
        }[consumer]

    @cached_property
    def refunded(self) -> dict[str, Any]:
        payment = card_payment(self.hotel, self.folio, usd(5), LOST)
        answer = refund(self.hotel, self.folio, payment, usd(5))
        return {"refundId": answer.json["refund"]["refundId"], "folioId": self.folio}

    def reservation(self) -> dict[str, Any]:
        return {
            "reservationId": f"R-{_unheard_of()}",
            "propertyId": str(self.hotel.property_id),
            "guest": {"name": "Zarmina Ahmadi"},
            "arrival": date(2026, 3, 1).isoformat(),
            "departure": date(2026, 3, 4).isoformat(),
        }

    def event(self, consumer: str) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": f"evt-{_unheard_of()}",
            "source": "/another-service",
            "type": consumers()[consumer],
            "tenantid": str(self.hotel.tenant_id),
            "data": self.data(consumer),
        }

    def send(self, consumer: str, sent: Sent) -> TestResponse:
        body, headers = sent
        good = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        return self.hotel.house.client.post(
            f"/events/{consumer}", data=body, headers={**good, **headers}
        )

    def taken(self) -> int:
        """How many events of this hotel were taken in."""
        return int(self.hotel.rows("SELECT count(*) FROM {s}.inbox")[0][0])

    def letters(self, consumer: str) -> list[tuple[str, str]]:
        """The newest letters of a consumer."""
        rows = self.hotel.house.sql(
            "SELECT reason, message FROM billing_central.dead_letters WHERE consumer = :consumer"
            " ORDER BY received_at DESC, id DESC LIMIT 30",
            consumer=consumer,
        )
        return [(reason, message) for reason, message in rows]

    def refused(self, consumer: str) -> int:
        """How many letters a consumer has."""
        rows = self.hotel.house.sql(
            "SELECT count(*) FROM billing_central.dead_letters WHERE consumer = :consumer",
            consumer=consumer,
        )
        return int(rows[0][0])

    def keeps(self, consumer: str, sent: Sent) -> bool:
        """Whether a dead letter holds these bytes, or says why it may not."""
        for _, message in self.letters(consumer):
            letter = json.loads(message)
            if "withheld" in letter:
                continue
            kept = letter["body"]
            body = base64.b64decode(letter["bodyBase64"]) if kept is None else kept.encode()
            if body == sent[0]:
                return True
        return False


@pytest.fixture(scope="module")
def office(house: House) -> Office:
    hotel, other = house.new_hotel(), house.new_hotel()
    wiring = house.wiring.settings
    token = house.identity.issue_oidc_token(
        email=wiring.oidc_account, audience=wiring.oidc_audience
    )
    return Office(hotel, other, hotel.open_folio(), token)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["", "1.0", "\ud800", "\x00", CARD, "9" * 300, 10**400, -1, 2**53, "2026-02-30"]
    )
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
CHANGES = st.lists(
    st.tuples(st.sampled_from(["put", "put", "put", "drop", "add"]), st.integers(0, 50), ANYTHING),
    max_size=3,
)


@pytest.mark.req("REL-7", "EVT-5")
def test_a_crooked_event_is_taken_in_or_kept_or_comes_again(office: Office) -> None:
    answers: Counter[int] = Counter()
    seen: set[tuple[str, str, str]] = set()

    @settings(FIXED, max_examples=150)
    @given(
        consumer=st.sampled_from(NAMES),
        changes=CHANGES,
        form=st.sampled_from(FORMS),
        whose=st.sampled_from(["own"] * 8 + ["nobody's", "other's"]),
    )
    def tell(
        consumer: str,
        changes: list[tuple[str, int, Any]],
        form: Callable[[dict[str, Any]], Sent],
        whose: str,
    ) -> None:
        event = changed(office.event(consumer), changes)
        if whose != "own":
            event["tenantid"] = str(uuid4() if whose == "nobody's" else office.other.tenant_id)
        sent = form(event)
        before, letters = office.taken(), office.refused(consumer)
        books = state(office.hotel, without=("audit_entries",))

        answer = office.send(consumer, sent)

        answers[answer.status_code] += 1
        taken, kept = office.taken() - before, office.refused(consumer) - letters
        if whose == "nobody's" and answer.status_code == 503:
            assert (taken, kept) == (0, 0)
            return
        assert answer.status_code == 204, (event, answer.text)
        known = (consumer, in_header(event.get("source")), in_header(event.get("id")))
        if whose == "own":
            assert taken + kept == 1 or known in seen, event
        seen.add(known)
        if kept:
            assert state(office.hotel, without=("audit_entries",)) == books
            _, letter = office.letters(consumer)[0]
            assert CARD not in letter
            assert "withheld" in letter or office.keeps(consumer, sent)

    tell()

    assert answers[204] > 100
    assert answers[503] > 0
    assert_books_are_right(office.hotel)
    assert_books_are_right(office.other)


@pytest.mark.req("REL-7", "EVT-5")
def test_a_message_with_changed_bytes_is_taken_in_or_kept(office: Office) -> None:
    """Bytes of the body, of the base64 in it, and what a codec or a proxy makes of them."""

    @settings(FIXED, max_examples=150)
    @given(
        consumer=st.sampled_from(NAMES),
        form=st.sampled_from(FORMS),
        slips=st.lists(
            st.tuples(st.integers(0, 5000), st.integers(0, 3), st.binary(max_size=3)), max_size=3
        ),
        cut=st.none() | st.integers(0, 400),
    )
    def tell(
        consumer: str,
        form: Callable[[dict[str, Any]], Sent],
        slips: list[tuple[int, int, bytes]],
        cut: int | None,
    ) -> None:
        whole, headers = form(office.event(consumer))
        body = bytearray(whole)
        for place, length, slip in slips:
            here = place % (len(body) + 1)
            body[here : here + length] = slip
        sent = bytes(body[:cut]), headers
        before = office.taken()

        answer = office.send(consumer, sent)

        assert answer.status_code in (204, 503), (sent, answer.text)
        if answer.status_code == 204 and office.taken() == before:
            assert office.keeps(consumer, sent), sent

    tell()
    assert_books_are_right(office.hotel)


CROOKED: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda good: b"",
    "a key twice": lambda good: good[:-1] + b', "data": {}}',
    "a key twice deep inside": lambda good: good.replace(
        b'"data": {', b'"data": {"a": 1, "a": 2, '
    ),
    "NaN": lambda good: good[:-1] + b', "n": NaN}',
    "a number without end": lambda good: good[:-1] + b', "n": ' + b"9" * 5000 + b"}",
    "nested without end": lambda good: good[:-1] + b', "n": ' + b"[" * 50_000,
    "nested deeply": lambda good: good[:-1] + b', "n": ' + b"[" * 900 + b"]" * 900 + b"}",
    "objects nested deeply": lambda good: (
        good[:-1] + b', "n": ' + b'{"a":' * 900 + b"1" + b"}" * 901
    ),
    "UTF-16": lambda good: good.decode().encode("utf-16"),
    "a byte order mark": lambda good: b"\xef\xbb\xbf" + good,
    "Latin-1": lambda good: good.replace(b"Zarmina", "Zärmina".encode("latin-1")),
    "NUL behind": lambda good: good + b"\0",
    "twice": lambda good: good + good,
    "a list": lambda good: b"[" + good + b"]",
    "too large": lambda good: good[:-1] + b', "n": "' + b"x" * BODY_BYTES_MAX + b'"}',
    "just not too large": lambda good: (
        good[:-1] + b', "n": "' + b"x" * (BODY_BYTES_MAX - 9999) + b'"}'
    ),
}


@pytest.mark.req("REL-7", "EVT-5")
@pytest.mark.parametrize("kind", CROOKED)
def test_what_two_readers_could_read_differently_is_kept_or_taken_once(
    office: Office, kind: str
) -> None:
    consumer = "on_reservation_checked_in"
    good, headers = structured(office.event(consumer))
    sent, name = CROOKED[kind](good), {"x-goog-pubsub-message-id": str(uuid4())}
    before, letters = office.taken(), office.refused(consumer)

    answers = [office.send(consumer, (sent, {**headers, **name})) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    kept = office.refused(consumer) - letters
    assert (office.taken() - before) + kept == 1


@pytest.mark.req("REL-7", "EVT-5")
def test_two_messages_with_one_id_are_two_dead_letters(office: Office) -> None:
    """An id is its source's own; where no broker numbered the messages, each is kept."""
    consumer, sent = "on_payment_captured", []
    for source in ("/gateway", "/another-gateway"):
        event = {**office.event(consumer), "id": "evt-1", "source": source}
        event["data"] = {"paymentId": source, "folioId": "none"}
        sent.append(binary(event))

    answers = [office.send(consumer, each) for each in sent]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert [office.keeps(consumer, each) for each in sent] == [True, True]


@pytest.mark.req("REL-7", "EVT-5")
@pytest.mark.parametrize("nobodys", [None, 7, True, ["evt-1"], {"id": "evt-1"}])
@pytest.mark.parametrize("name", ["id", "source"])
def test_events_without_a_name_of_their_own_are_not_taken_for_one_another(
    office: Office, name: str, nobodys: Any
) -> None:
    """Two payments whose events bear the same nothing: neither is dropped as the other's double."""
    consumer = "on_payment_captured"
    sent = [structured({**office.event(consumer), name: nobodys}) for _ in range(2)]
    before = office.taken()

    answers = [office.send(consumer, each) for each in sent]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert office.taken() == before
    assert [office.keeps(consumer, each) for each in sent] == [True, True]


@pytest.mark.req("REL-7", "SEC-6")
@pytest.mark.parametrize("form", [binary, pushed])
def test_no_dead_letter_keeps_a_card_number_from_an_attribute(office: Office, form: Any) -> None:
    consumer = "on_payment_captured"
    letters = office.refused(consumer)

    answer = office.send(consumer, form({**office.event(consumer), "type": CARD, "note": CARD}))

    assert (answer.status_code, office.refused(consumer)) == (204, letters + 1)
    assert CARD not in str(office.letters(consumer))


TOKENS = st.none() | st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=40)


@pytest.mark.req("REL-7", "SEC-5")
def test_no_event_comes_in_without_the_right_token(office: Office) -> None:
    """A clerk's token, a good one with a slip, or anything: nothing is read, nothing is kept."""
    consumer = "on_payment_captured"
    before, letters = office.taken(), office.refused(consumer)

    @settings(FIXED, max_examples=150)
    @given(place=st.integers(0, 5000), slip=TOKENS, clerk=st.booleans())
    def tell(place: int, slip: str | None, clerk: bool) -> None:
        good = office.hotel.token() if clerk else office.token
        here = place % len(good)
        bad = "" if slip is None else good[:here] + slip + good[here + len(slip) + 1 :]
        body, _ = pushed(office.event(consumer))
        answer = office.send(consumer, (body, {"Authorization": f"Bearer {bad}"}))
        assert answer.status_code == 401, bad
        assert answer.content_type == "application/problem+json"

    tell()

    assert (office.taken(), office.refused(consumer)) == (before, letters)
