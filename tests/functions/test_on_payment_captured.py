"""A payment that the processor has captured: recorded once, whoever tells us first (PAY-3)."""

from functools import partial
from typing import Any

import pytest

from tests.hotel import Hotel, new_id, usd
from tests.proofs import (
    assert_books_are_right,
    assert_nothing_personal,
    assert_refused,
    state,
    told,
    trail,
)
from tests.together import at_once

CONSUMER = "on_payment_captured"
KEPT_ASIDE = ("inbox", "idempotency_keys")


def captured(folio: str, cents: int = 4_000, **more: Any) -> dict[str, Any]:
    return {"paymentId": "pp-1", "folioId": folio, "amount": usd(cents), **more}


def _at_the_desk(hotel: Hotel, folio: str, cents: int = 4_000) -> Any:
    body = {"method": "card", "amount": usd(cents), "paymentId": "pp-1"}
    return hotel.post(f"/folios/{folio}/payments", body)


@pytest.fixture
def folio(hotel: Hotel) -> str:
    """A folio that owes 110.00."""
    opened = hotel.open_folio()
    hotel.charged(opened)
    return opened


@pytest.mark.req("PAY-3", "EVT-3", "MON-6")
def test_records_the_payment(hotel: Hotel, folio: str) -> None:
    """110.00 less 40.00: 70.00. What is new to us in the event is passed over."""
    answer = hotel.deliver(CONSUMER, captured(folio, paymentMethodToken="tok_9", risk="low"))

    assert answer.status_code == 204, answer.text
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(7_000)
    ((method, processor, amount, digest),) = hotel.rows(
        "SELECT method, processor_payment_id, amount_micro, method_token_digest FROM {s}.payments"
    )
    assert (method, processor, amount) == ("card", "pp-1", 40_000_000)
    assert len(digest) == 64
    assert_books_are_right(hotel)


@pytest.mark.req("PAY-3", "EVT-5")
def test_is_no_second_payment_after_the_desk(hotel: Hotel, folio: str) -> None:
    assert _at_the_desk(hotel, folio).status_code == 201
    before = state(hotel, without=KEPT_ASIDE)

    answer = hotel.deliver(CONSUMER, captured(folio))

    assert answer.status_code == 204
    assert state(hotel, without=KEPT_ASIDE) == before
    assert hotel.letters() == []


@pytest.mark.req("PAY-3")
@pytest.mark.parametrize("cents", [4_000, 11_000])
def test_comes_before_the_desk_which_hears_that_it_is_recorded(
    hotel: Hotel, folio: str, cents: int
) -> None:
    """Also where nothing is owed any more: that is not an overpayment."""
    hotel.deliver(CONSUMER, captured(folio, cents))
    before = state(hotel)

    answer = _at_the_desk(hotel, folio, cents)

    assert_refused(answer, 409, "PAYMENT_ALREADY_RECORDED")
    assert state(hotel) == before


@pytest.mark.req("PAY-3", "EVT-5")
def test_is_one_payment_when_desk_and_processor_tell_at_once(hotel: Hotel, folio: str) -> None:
    tell = partial(hotel.deliver, CONSUMER, captured(folio))

    answers = at_once([partial(_at_the_desk, hotel, folio), tell, tell])

    assert answers[0].status_code in (201, 409)
    assert {answer.status_code for answer in answers[1:]} == {204}
    assert hotel.rows("SELECT count(*) FROM {s}.payments") == [[1]]
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(7_000)
    assert told(hotel).count("payment.recorded") == 1
    assert hotel.letters() == []
    assert_books_are_right(hotel)


@pytest.mark.req("PAY-3")
def test_leaves_the_other_folio_alone_when_both_name_different_ones(hotel: Hotel) -> None:
    folios = [hotel.open_folio() for _ in range(2)]
    for each in folios:
        hotel.charged(each)

    answers = at_once(
        [
            partial(_at_the_desk, hotel, folios[0]),
            partial(hotel.deliver, CONSUMER, captured(folios[1])),
        ]
    )

    assert answers[0].status_code in (201, 409)
    assert answers[1].status_code == 204
    assert hotel.rows("SELECT count(*) FROM {s}.payments") == [[1]]
    assert_books_are_right(hotel)


@pytest.mark.req("PAY-3")
def test_is_one_payment_when_neither_could_see_the_other(hotel: Hotel) -> None:
    """Each has looked and found nothing, and waits to write: only the database can tell them."""
    folios = [hotel.open_folio() for _ in range(2)]
    for each in folios:
        hotel.charged(each)
    calls = [
        partial(_at_the_desk, hotel, folios[0]),
        partial(hotel.deliver, CONSUMER, captured(folios[1])),
    ]

    answers = hotel.house.at_once_before_they_write(f"{hotel.schema}.payments", calls)

    assert [answer.status_code for answer in answers] in ([201, 204], [409, 204])
    assert hotel.rows("SELECT count(*) FROM {s}.payments") == [[1]]
    assert_books_are_right(hotel)


@pytest.mark.req("EVT-5")
def test_has_one_effect_when_it_is_delivered_again_and_again(hotel: Hotel, folio: str) -> None:
    """The same event twice, also at once, and after its stored answer has been forgotten."""
    tell = partial(hotel.deliver, CONSUMER, captured(folio), event_id="evt_1")
    tell()
    hotel.rows("DELETE FROM {s}.idempotency_keys")
    before = state(hotel, without=KEPT_ASIDE)

    again = tell()
    at_the_same_time = at_once([tell] * 3)

    assert again.status_code == 204
    assert {answer.status_code for answer in at_the_same_time} <= {204, 503}  # 503: comes again
    assert state(hotel, without=KEPT_ASIDE) == before
    assert hotel.rows("SELECT count(*) FROM {s}.inbox") == [[1]]


@pytest.mark.req("PAY-4")
def test_takes_more_than_is_owed_because_the_money_is_here(hotel: Hotel, folio: str) -> None:
    hotel.deliver(CONSUMER, captured(folio, 15_000))

    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-4_000)
    assert_refused(hotel.post(f"/folios/{folio}/close"), 409, "BALANCE_DUE")


@pytest.mark.req("PAY-1", "MON-5")
def test_converts_a_foreign_payment_by_the_pinned_rate(hotel: Hotel, folio: str) -> None:
    """10 EUR at 1.10: 11.00 USD."""
    euros = {"amountMicro": 10_000_000, "currency": "EUR"}

    hotel.deliver(CONSUMER, captured(folio, amount=euros))

    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(9_900)


@pytest.mark.req("EVT-5", "PAY-3")
@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("FOLIO_UNKNOWN", {"folioId": new_id("fol")}),
        ("FOLIO_CLOSED", {"allowCredit": True}),
        ("FX_RATE_MISSING", {"amount": {"amountMicro": 10_000, "currency": "GBP"}}),
        ("AMOUNT_NOT_POSITIVE", {"amount": usd(0)}),
        ("AMOUNT_NOT_IN_MINOR_UNITS", {"amount": {"amountMicro": 1, "currency": "USD"}}),
    ],
)
def test_keeps_with_its_reason_what_cannot_be_recorded(
    hotel: Hotel, folio: str, code: str, more: dict[str, Any]
) -> None:
    """It is acknowledged, changes nothing, and waits for a person."""
    if code == "FOLIO_CLOSED":
        folio, _ = hotel.closed_folio()
    before = state(hotel)

    answer = hotel.deliver(CONSUMER, captured(folio, **more))

    assert answer.status_code == 204
    assert state(hotel) == before
    assert [letter.split(":")[0] for letter in hotel.letters()] == [f"MELMASTOON.BILLING.{code}"]


@pytest.mark.req("EVT-1", "AUD-1")
def test_tells_that_it_was_recorded_and_by_whom(hotel: Hotel, folio: str) -> None:
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    hotel.deliver(CONSUMER, captured(folio, paymentMethodToken="tok_9"), traceparent=parent)

    (event,) = hotel.events("payment.recorded")
    assert event["data"]["method"] == "card"
    assert event["traceparent"][3:35] == parent[3:35]
    (entry,) = trail(hotel, "payment.recorded")
    assert (entry["actor"], entry["trace_id"]) == (f"system:{CONSUMER}", parent[3:35])
    assert_books_are_right(hotel)
    assert_nothing_personal(hotel, "tok_9")
