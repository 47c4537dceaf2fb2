"""What a till sold is on the guest's folio, once for its check, whatever it tells and when."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from tests.hotel import Hotel, new_id, usd
from tests.proofs import assert_books_are_right, assert_nothing_personal, state, told, trail
from tests.reopening import reopened
from tests.together import at_once

CONSUMER = "on_charge_posted"
KEPT_ASIDE = ("inbox", "idempotency_keys")


def sold(hotel: Hotel, cents: int = 1_850, **more: Any) -> dict[str, Any]:
    """A check of the bar, over 18.50."""
    return {
        "propertyId": str(hotel.property_id),
        "pointOfSale": "BAR",
        "checkNumber": "4711",
        "description": {"en": "Two coffees", "de": "Zwei Kaffee"},
        "unitAmount": usd(cents),
        **more,
    }


def ago(**time: int) -> dict[str, str]:
    """The attribute of an event that happened so long ago."""
    return {"time": (datetime.now(UTC) - timedelta(**time)).isoformat()}


def balance(hotel: Hotel, folio: str) -> int:
    micro: int = hotel.get(f"/folios/{folio}").json["balance"]["amountMicro"]
    return micro // 10_000


@pytest.mark.req("EVT-3", "FOL-3", "BEY-13", "TAX-1")
def test_posts_the_check_with_its_taxes(hotel: Hotel) -> None:
    """18.50 and 10 %: 20.35. What is new to us in the event is passed over."""
    folio = hotel.open_folio()

    answer = hotel.deliver(CONSUMER, sold(hotel, folioId=folio, waiter="w-7"))

    assert answer.status_code == 204, answer.text
    shown = hotel.get(f"/folios/{folio}").json
    assert shown["balance"] == usd(2_035)
    assert (shown["lines"][0]["source"], shown["lines"][0]["externalReference"]) == (
        "pos",
        "BAR/4711",
    )
    assert shown["lines"][0]["kind"] == "food_beverage"
    assert told(hotel)[-1] == "charge.posted"
    assert trail(hotel, "charge.posted")[0]["actor"] == "system:on_charge_posted"
    assert_nothing_personal(hotel, "Two coffees")
    assert_books_are_right(hotel)


@pytest.mark.req("EVT-3", "EVT-5")
def test_finds_the_folio_of_a_reservation_and_waits_for_it(hotel: Hotel) -> None:
    """The check is told before the reservation: it comes again, and is no dead letter."""
    check = sold(hotel, reservationId="R-305")
    early = hotel.deliver(CONSUMER, check, event_id="evt-check", **ago(minutes=59))
    assert (early.status_code, early.headers["Retry-After"]) == (503, "1")
    folio = hotel.open_folio(reservationId="R-305")

    again = hotel.deliver(CONSUMER, check, event_id="evt-check", **ago(minutes=59))

    assert again.status_code == 204
    assert balance(hotel, folio) == 2_035
    assert hotel.letters() == []


@pytest.mark.req("EVT-5")
def test_a_folio_that_does_not_come_in_an_hour_is_a_dead_letter(hotel: Hotel) -> None:
    """And at once where nobody says how old the event is; another house's folio is unknown, too."""
    elsewhere = sold(hotel, folioId=hotel.open_folio(), propertyId=str(uuid4()))
    before = state(hotel)

    answers = [
        hotel.deliver(CONSUMER, sold(hotel, folioId=new_id("fol")), **ago(minutes=61)),
        hotel.deliver(CONSUMER, sold(hotel, folioId=new_id("fol"))),
        hotel.deliver(CONSUMER, elsewhere, time="yesterday"),
    ]

    assert [answer.status_code for answer in answers] == [204] * 3
    assert [reason.split(":")[0] for reason in hotel.letters()] == [
        "MELMASTOON.BILLING.FOLIO_UNKNOWN"
    ] * 3
    assert state(hotel) == before


@pytest.mark.req("EVT-3", "FOL-3")
def test_a_late_check_on_a_closed_folio_is_kept_until_it_is_opened_again(hotel: Hotel) -> None:
    folio, _ = hotel.closed_folio()
    before = state(hotel)

    late = hotel.deliver(CONSUMER, sold(hotel, folioId=folio), event_id="evt-late", **ago(hours=0))

    assert late.status_code == 204
    (letter,) = hotel.letters()
    assert letter.startswith("MELMASTOON.BILLING.FOLIO_CLOSED")
    assert state(hotel) == before
    reopened(hotel, folio)
    hotel.deliver(CONSUMER, sold(hotel, folioId=folio), event_id="evt-late")
    assert balance(hotel, folio) == 2_035
    assert_books_are_right(hotel)


@pytest.mark.req("BEY-13", "EVT-5")
def test_a_check_is_posted_once_whatever_tells_of_it(hotel: Hotel) -> None:
    """The same event, another one, and after 90 days when no answer is remembered any more; each
    line of a check is a charge of its own."""
    folio = hotel.open_folio()
    hotel.deliver(CONSUMER, sold(hotel, folioId=folio), event_id="evt-1")
    before = state(hotel, without=KEPT_ASIDE)
    hotel.rows("DELETE FROM {s}.idempotency_keys")

    for event_id in ("evt-1", "evt-2"):
        assert hotel.deliver(CONSUMER, sold(hotel, folioId=folio), event_id=event_id).status_code
    assert state(hotel, without=KEPT_ASIDE) == before
    assert hotel.letters() == []

    hotel.deliver(CONSUMER, sold(hotel, 1_000, folioId=folio, checkLine=2))
    assert balance(hotel, folio) == 2_035 + 1_100


@pytest.mark.req("BEY-13", "FOL-3")
def test_another_sale_under_the_number_of_a_check_is_refused(hotel: Hotel) -> None:
    """Of another price, and on another guest's folio."""
    folio, other = hotel.open_folio(), hotel.open_folio()
    hotel.deliver(CONSUMER, sold(hotel, folioId=folio))
    before = state(hotel)

    hotel.deliver(CONSUMER, sold(hotel, 1_900, folioId=folio))
    hotel.deliver(CONSUMER, sold(hotel, folioId=other))

    assert [reason.split(":")[0] for reason in hotel.letters()] == [
        "MELMASTOON.BILLING.EXTERNAL_REFERENCE_POSTED"
    ] * 2
    assert state(hotel) == before


@pytest.mark.req("EVT-5", "API-6")
def test_refuses_what_names_no_folio_or_no_check(hotel: Hotel) -> None:
    folio = hotel.open_folio()
    good = sold(hotel, folioId=folio)
    before = state(hotel)
    bad = [
        sold(hotel),
        {**good, "reservationId": "R-1"},
        {**good, "pointOfSale": "BAR/1"},
        {**good, "checkNumber": "47#11"},
        {**good, "unitAmount": usd(0)},
        {**good, "amount": usd(1)},
        {**good, "unitAmount": {"amountMicro": 10_000, "currency": "EUR"}},
    ]

    for each in bad:
        assert hotel.deliver(CONSUMER, each, **ago(hours=0)).status_code == 204

    assert len(hotel.letters()) == len(bad)
    assert state(hotel) == before


@pytest.mark.req("TAX-2", "EVT-2")
def test_the_house_hears_of_a_rule_that_is_missing(hotel: Hotel) -> None:
    hotel.write_settings(taxRules=[])
    folio = hotel.open_folio()

    hotel.deliver(CONSUMER, sold(hotel, folioId=folio))

    (letter,) = hotel.letters()
    assert letter.startswith("MELMASTOON.BILLING.TAX_RULE_MISSING")
    (missing,) = hotel.events("tax_rule.missing")
    assert missing["data"]["chargeKind"] == "food_beverage"
    assert balance(hotel, folio) == 0


@pytest.mark.req("EVT-5", "BEY-13")
def test_two_events_of_one_check_at_once_post_it_once(hotel: Hotel) -> None:
    folio = hotel.open_folio()
    tells = [
        partial(hotel.deliver, CONSUMER, sold(hotel, folioId=folio), event_id=f"evt-{n}")
        for n in range(2)
    ]

    answers = at_once(tells)

    assert [answer.status_code for answer in answers] == [204, 204]
    assert balance(hotel, folio) == 2_035
    assert hotel.letters() == []
    assert_books_are_right(hotel)
