"""Prepaid credits settle folios, and come back by refunds (BEY-4, BEY-9, CRD-1, CRD-2, CRD-5)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.hotel import Hotel, new_id, usd
from tests.paying import pay
from tests.prepaying import (
    available,
    bought,
    claw_back,
    deduct,
    entries,
    granted,
    lots,
    micro,
    reverse,
    transfer,
)
from tests.proofs import assert_books_are_right, assert_refused, state, told, trail
from tests.redeeming import owed_to_house, owing, redeem, redeemed
from tests.refunding import refund
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("BEY-4", "BEY-9")


def balance(hotel: Hotel, folio: str) -> Any:
    return hotel.get(f"/folios/{folio}").json["balance"]


def owes(hotel: Hotel) -> int:
    """What the main account owes, in whole credits."""
    ((debt,),) = hotel.rows(
        "SELECT debt_micro / 1000000 FROM {s}.credit_accounts WHERE name = 'main'"
    )
    found: int = debt
    return found


def booked(hotel: Hotel, source: str) -> list[list[Any]]:
    return hotel.rows(
        "SELECT debit_account, credit_account, amount_micro, currency FROM {s}.ledger_entries"
        " WHERE source = :source ORDER BY part",
        source=source,
    )


@pytest.mark.req("CRD-1", "CRD-2", "MON-6")
def test_settles_a_folio_of_the_lots_in_their_order(hotel: Hotel) -> None:
    """110.00 are 11,000 credits: 4,000 of a gift, which go first, and 7,000 of 9,000 bought.

    The guest owes nothing, the platform owes the house what it owed the account.
    """
    bought(hotel, 9_000)
    granted(hotel, 4_000)
    folio = owing(hotel)

    answer = redeem(hotel, folio, 110)

    assert answer.status_code == 201, answer.text
    (line,) = answer.json["lines"]
    assert (line["type"], line["kind"], line["amount"]) == ("payment", "credits", usd(-11_000))
    assert answer.json["balance"] == usd(0)
    assert booked(hotel, line["lineId"]) == [
        ["credits_clearing", "guest_ledger", 110_000_000, "USD"]
    ]
    assert lots(hotel) == [["purchase", 2_000, 0], ["promotion", 0, 0]]
    assert entries(hotel)[-1] == ["redeem", -11_000, 0, 0]
    assert owed_to_house(hotel) == (110_000_000, micro(11_000))
    assert hotel.post(f"/folios/{folio}/close").status_code == 200
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("PAY-1", "MON-5")
def test_pays_in_its_own_currency_by_the_folios_rate_and_at_the_rate_of_the_settings(
    hotel: Hotel,
) -> None:
    """Three credits to a euro: 33.33 EUR are 99.99 credits, and at 1.10 36.66 USD."""
    granted(hotel, 100)
    hotel.write_settings(credits={"perCurrencyUnit": 3, "currency": "EUR"})
    folio = owing(hotel)
    euros = {"amountMicro": 33_330_000, "currency": "EUR"}

    answer = redeem(hotel, folio, 0, amount=euros)

    assert answer.json["balance"] == usd(11_000 - 3_666)
    assert booked(hotel, answer.json["lines"][0]["lineId"]) == [
        ["credits_clearing", "fx_clearing", 33_330_000, "EUR"],
        ["fx_clearing", "guest_ledger", 36_660_000, "USD"],
    ]
    assert available(hotel) == 10_000
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("CRD-8")
def test_what_a_plan_has_for_nothing_pays_no_bill(hotel: Hotel) -> None:
    """A plan without limits, or a free allowance, is for services: a guest's bill takes credits."""
    hotel.write_settings(credits={"unlimited": True, "freeMonthly": 50_000})
    folio = owing(hotel)

    assert_refused(redeem(hotel, folio, 110), 402, "INSUFFICIENT_CREDITS")
    granted(hotel, 11_000)
    assert redeem(hotel, folio, 110).status_code == 201
    assert available(hotel) == 0


@pytest.mark.req("CRD-1")
def test_takes_all_or_nothing_and_says_what_is_there(hotel: Hotel) -> None:
    """10,999 credits are one less than 110.00 take."""
    granted(hotel, 10_999)
    folio = owing(hotel)
    before = state(hotel)

    answer = redeem(hotel, folio, 110)

    assert_refused(answer, 402, "INSUFFICIENT_CREDITS")
    assert (answer.json["availableMicro"], answer.json["askedMicro"]) == (
        micro(10_999),
        micro(11_000),
    )
    assert state(hotel) == before


@pytest.mark.req("CRD-1", "SEC-2", "PAY-4")
def test_refuses_what_no_account_of_credits_pays(hotel: Hotel) -> None:
    """No account, a stranger, another currency, a clerk who may not spend, and too much."""
    granted(hotel, 50_000)
    folio = owing(hotel)
    clerk = hotel.token("billing.folio.write", "billing.folio.read")
    euros = {"amountMicro": 1_000_000, "currency": "EUR"}
    refusals = [
        (redeem, {"account": None}, 422, "CREDIT_ACCOUNT_MISSING"),
        (redeem, {"account": "nobody"}, 404, "CREDIT_ACCOUNT_UNKNOWN"),
        (redeem, {"amount": euros}, 422, "CURRENCY_MISMATCH"),
        (redeem, {"token": clerk}, 403, "CREDIT_SPENDING_FORBIDDEN"),
        (redeem, {"amount": usd(0)}, 422, "AMOUNT_NOT_POSITIVE"),
        (redeem, {"amount": usd(11_001)}, 422, "OVERPAYMENT"),
    ]
    before = state(hotel)

    for ask, more, status, code in refusals:
        assert_refused(ask(hotel, folio, 10, **more), status, code)

    assert state(hotel) == before


def test_takes_no_debt_that_the_processor_is_collecting(hotel: Hotel) -> None:
    """60.00 of 110.00 are under way by card: credits may pay the other 50.00, and no more."""
    granted(hotel, 20_000)
    folio = owing(hotel)
    intent = pay(hotel, folio, usd(6_000), "sandbox_3ds", owed=True)
    assert intent.json["status"] == "requires_action", intent.text

    refused = redeem(hotel, folio, 51)

    assert_refused(refused, 409, "PAYMENT_UNDER_WAY")
    assert (available(hotel), redeem(hotel, folio, 50).status_code) == (micro(20_000), 201)
    assert available(hotel) == micro(15_000)


@pytest.mark.req("API-4")
def test_a_retry_pays_once(hotel: Hotel) -> None:
    granted(hotel, 20_000)
    folio, clerk = owing(hotel), hotel.token(sub="laila")

    first, again = (redeem(hotel, folio, 50, key="once", token=clerk) for _ in range(2))

    assert (first.status_code, again.data) == (201, first.data)
    assert (available(hotel), balance(hotel, folio)) == (micro(15_000), usd(6_000))


@pytest.mark.req("CRD-1")
def test_of_two_folios_at_once_one_is_paid(hotel: Hotel) -> None:
    """15,000 credits pay one bill of 110.00 and not two."""
    granted(hotel, 15_000)
    folios = [owing(hotel) for _ in range(2)]

    answers = at_once([partial(redeem, hotel, folio, 110) for folio in folios])

    assert sorted(answer.status_code for answer in answers) == [201, 402]
    assert available(hotel) == micro(4_000)
    assert owed_to_house(hotel) == (110_000_000, micro(11_000))
    assert broken(hotel) == []


@pytest.mark.req("EVT-1", "AUD-1")
def test_tells_of_the_folio_and_of_the_credits(hotel: Hotel) -> None:
    granted(hotel, 11_000)
    folio = owing(hotel)

    payment = redeemed(hotel, folio, 110)

    assert told(hotel)[-2:] == ["credits.redeemed", "payment.recorded"]
    (event,), (paid,) = hotel.events("credits.redeemed"), hotel.events("payment.recorded")
    data = event["data"]
    assert (data["folioId"], data["paymentId"], data["balanceMicro"]) == (folio, payment, 0)
    assert [(e["kind"], e["amountMicro"]) for e in data["entries"]] == [("redeem", -micro(11_000))]
    assert paid["data"]["creditAccountId"] == data["accountId"]
    assert paid["data"]["creditsMicro"] == micro(11_000)
    assert len(trail(hotel, "credits.redeemed")) == 1


@pytest.mark.req("REF-1", "CRD-2", "CRD-5")
def test_a_refund_gives_back_to_the_lots_what_was_taken_last_first(hotel: Hotel) -> None:
    """4,000 of a gift and 7,000 bought paid. 80.00 back: 7,000 bought and 1,000 of the gift."""
    bought(hotel, 9_000)
    granted(hotel, 4_000)
    folio = owing(hotel)
    payment = redeemed(hotel, folio, 110)
    hotel.write_settings(credits={"perCurrencyUnit": 7})

    answer = refund(hotel, folio, payment, usd(8_000), reference=None)

    assert answer.status_code == 201, answer.text
    assert (answer.json["balance"], answer.json["refund"]["status"]) == (usd(8_000), "succeeded")
    back = answer.json["refund"]["refundId"]
    assert booked(hotel, back) == [["guest_ledger", "credits_clearing", 80_000_000, "USD"]]
    assert lots(hotel) == [["purchase", 9_000, 0], ["promotion", 1_000, 0]]
    assert owed_to_house(hotel) == (30_000_000, micro(3_000))
    (event,) = hotel.events("credits.restored")
    assert (event["data"]["refundId"], event["data"]["paymentId"]) == (back, payment)
    assert refund(hotel, folio, payment, usd(3_000), reference=None).status_code == 201
    assert lots(hotel) == [["purchase", 9_000, 0], ["promotion", 4_000, 0]]
    assert owed_to_house(hotel) == (0, 0)
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("REF-1")
def test_refunds_at_once_give_back_no_more_than_was_taken(hotel: Hotel) -> None:
    """Of three times 60.00 out of 110.00 one is given back."""
    granted(hotel, 11_000)
    folio = owing(hotel)
    payment = redeemed(hotel, folio, 110)
    back = partial(refund, hotel, folio, payment, usd(6_000), reference=None)

    answers = at_once([back, back, back])

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert available(hotel) == micro(6_000)
    assert broken(hotel) == []


@pytest.mark.req("REF-1", "CRD-6")
def test_gives_back_beyond_a_limit_and_not_beyond_what_can_be_kept(hotel: Hotel) -> None:
    """A limit of 500 credits stops no refund; 2^53 micro credits do, and nothing changes."""
    granted(hotel, 11_000)
    folio = owing(hotel)
    payment = redeemed(hotel, folio, 110)
    hotel.write_settings(credits={"maximumBalance": 500})
    assert refund(hotel, folio, payment, usd(1_000), reference=None).status_code == 201
    bought(hotel, 9_007_198_254)

    answer = refund(hotel, folio, payment, usd(10_000), reference=None)

    assert_refused(answer, 409, "CREDITS_OUT_OF_RANGE")
    assert (available(hotel), balance(hotel, folio)) == (micro(9_007_199_254), usd(1_000))
    assert owed_to_house(hotel) == (100_000_000, micro(10_000))


@pytest.mark.req("CRD-2", "CRD-4")
def test_what_has_expired_meanwhile_comes_back_for_as_long_as_it_had(
    hotel: Hotel, clock: Callable[[str], None]
) -> None:
    """6,000 until noon pay at ten, 5,000 have no end. At three all come back: 6,000 for two hours.

    A second after five they are gone, as they would have been.
    """
    clock("2026-03-01T10:00:00+00:00")
    granted(hotel, 6_000, expiresAt="2026-03-01T12:00:00Z")
    granted(hotel, 5_000)
    folio = owing(hotel)
    payment = redeemed(hotel, folio, 110)
    clock("2026-03-01T15:00:00+00:00")

    answer = refund(hotel, folio, payment, usd(11_000), reference=None)

    assert answer.status_code == 201, answer.text
    assert [kind for kind, *_ in entries(hotel)[-3:]] == ["restore", "expire", "grant"]
    kept = [["promotion", 0, 0], ["promotion", 5_000, 0], ["refund", 6_000, 0]]
    assert sorted(lots(hotel)) == kept
    assert (available(hotel), owed_to_house(hotel)) == (micro(11_000), (0, 0))
    assert broken(hotel) == []
    clock("2026-03-01T16:59:00+00:00")
    assert available(hotel) == micro(11_000)
    clock("2026-03-01T17:01:00+00:00")
    assert available(hotel) == micro(5_000)


@pytest.mark.req("CRD-5", "BEY-7")
def test_a_purchase_that_was_taken_back_is_paid_by_what_comes_back_of_it(hotel: Hotel) -> None:
    """11,000 of 12,000 bought paid a bill. The purchase is disputed: 1,000 taken, 11,000 owed.

    30.00 are given back: they pay 3,000 of the debt. The dispute is won: those 3,000 and the 1,000
    come back, and nothing is owed: 12,000 less the 8,000 that still pay the bill.
    """
    key = bought(hotel, 12_000)
    folio = owing(hotel)
    payment = redeemed(hotel, folio, 110)
    assert claw_back(hotel, key, 12_000, "dispute:dp_1").status_code == 201
    assert (available(hotel), owes(hotel)) == (0, 11_000)

    assert refund(hotel, folio, payment, usd(3_000), reference=None).status_code == 201

    assert (available(hotel), owes(hotel)) == (0, 8_000)
    assert broken(hotel) == []
    assert reverse(hotel, "dispute:dp_1").status_code == 201
    assert (available(hotel), owes(hotel)) == (micro(4_000), 0)
    assert broken(hotel) == []


@pytest.mark.req("CRD-5")
def test_a_gift_that_comes_back_stays_a_gift(hotel: Hotel) -> None:
    """3 of a purchase are owed; a gift that paid a bill comes back and pays nothing of it."""
    key = bought(hotel, 3)
    deduct(hotel, 3)
    claw_back(hotel, key, 3)
    granted(hotel, 11_000)
    folio = owing(hotel)
    payment = redeemed(hotel, folio, 110)

    refund(hotel, folio, payment, usd(11_000), reference=None)

    assert (available(hotel), owes(hotel)) == (micro(11_000), 3)
    assert broken(hotel) == []


@pytest.mark.req("CRD-5")
def test_a_purchase_is_taken_back_from_where_its_credits_came_back_to(hotel: Hotel) -> None:
    """11,000 bought, moved to the spa's account, paid and given back: all are there to be taken."""
    key = bought(hotel, 11_000)
    assert transfer(hotel, 11_000, "spa").status_code == 201
    folio = owing(hotel)
    payment = redeemed(hotel, folio, 110, "spa")
    refund(hotel, folio, payment, usd(11_000), reference=None)
    assert available(hotel, "spa") == micro(11_000)

    assert claw_back(hotel, key, 11_000).status_code == 201

    assert (available(hotel, "spa"), owes(hotel)) == (0, 0)
    assert broken(hotel) == []


@pytest.mark.req("FOL-10", "BEY-9")
def test_one_folio_is_settled_by_every_rail(hotel: Hotel) -> None:
    """110.00: 40.00 in credits, 30.00 by card, 40.00 by voucher; the trial balance is nothing."""
    granted(hotel, 4_000)
    folio = owing(hotel)
    redeemed(hotel, folio, 40)
    hotel.paid(folio, usd(3_000), method="card", paymentId=f"pp-{new_id('pay')}")
    hotel.paid(folio, usd(4_000), method="voucher")

    assert hotel.post(f"/folios/{folio}/close").status_code == 200

    accounts = hotel.rows(
        "SELECT account, sum(micro)::bigint / 10000 FROM ("
        " SELECT debit_account AS account, amount_micro AS micro FROM {s}.ledger_entries"
        " UNION ALL SELECT credit_account, -amount_micro FROM {s}.ledger_entries) AS sides"
        " GROUP BY account HAVING sum(micro) <> 0 ORDER BY account"
    )
    assert accounts == [
        ["card_clearing", 3_000],
        ["credits_clearing", 4_000],
        ["revenue:room", -10_000],
        ["tax_payable:VAT", -1_000],
        ["voucher_liability", 4_000],
    ]
    assert_books_are_right(hotel)
    assert broken(hotel) == []
