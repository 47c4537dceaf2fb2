"""Money as clients write and read it: whole micro units, whole minor units where it is posted."""

import json
from typing import Any

import pytest

from tests.hotel import Hotel, charge, usd, vat
from tests.proofs import GENERAL, assert_balances, assert_refused, state

LARGEST = 2**53 - 1


def _unit(amount: Any, currency: Any = "USD") -> bytes:
    """A charge whose unit amount is written just so."""
    return (
        '{"kind": "room", "description": "Night", "unitAmount":'
        f' {{"amountMicro": {amount}, "currency": {json.dumps(currency)}}}}}'
    ).encode()


@pytest.mark.req("MON-1", "API-6")
@pytest.mark.parametrize(
    "amount",
    ["1000000.0", "1e6", '"1000000"', "true", "null", "NaN", "Infinity", "[1000000]", "0x10"],
)
def test_takes_integers_only(hotel: Hotel, amount: str) -> None:
    path = f"/folios/{hotel.open_folio()}/charges"
    before = state(hotel)

    answer = hotel.post(path, _unit(amount))

    assert_refused(answer, 400, GENERAL + "VALIDATION_FAILED")
    assert state(hotel) == before


@pytest.mark.req("MON-1")
@pytest.mark.parametrize("amount", [LARGEST + 1, -LARGEST - 1, 10**18, 10**40])
def test_refuses_what_a_reader_of_json_would_not_keep_exactly(hotel: Hotel, amount: int) -> None:
    path = f"/folios/{hotel.open_folio()}/charges"
    before = state(hotel)

    answer = hotel.post(path, _unit(amount))

    assert_refused(answer, 422, "AMOUNT_OUT_OF_RANGE")
    assert state(hotel) == before


@pytest.mark.req("MON-1", "FOL-4")
def test_refuses_a_balance_that_could_not_be_kept_exactly(hotel: Hotel) -> None:
    """9,007,199,254.74 fit; another 0.01 with its tax does not, nor a thousand times the price."""
    hotel.write_settings(taxRules=[vat(0)])
    folio = hotel.open_folio()
    path = f"/folios/{folio}/charges"

    first = hotel.post(path, charge(cents=900_719_925_474))
    before = state(hotel)
    second = hotel.post(path, charge(cents=1))
    third = hotel.post(path, charge(cents=900_719_925_474, quantity="1000"))

    assert first.status_code == 201, first.text
    assert first.json["balance"]["amountMicro"] == 9_007_199_254_740_000
    for answer in (second, third):
        assert_refused(answer, 422, "AMOUNT_OUT_OF_RANGE")
    assert state(hotel) == before


@pytest.mark.req("MON-2")
@pytest.mark.parametrize(
    ("currency", "unit", "finer"),
    [
        ("JPY", 1_000_000, 500_000),
        ("USD", 10_000, 5_000),
        ("KWD", 1_000, 500),
        ("AFN", 10_000, 1_000),
        ("IQD", 1_000, 100),
    ],
)
def test_posts_whole_minor_units_by_iso_4217(
    hotel: Hotel, currency: str, unit: int, finer: int
) -> None:
    """One unit is a charge; half a unit and finer is none, as an amount or a payment."""
    folio = hotel.open_folio(currency=currency)
    path = f"/folios/{folio}/charges"
    one = {"amountMicro": unit, "currency": currency}
    half = {"amountMicro": unit + finer, "currency": currency}

    posted = hotel.post(path, charge(unitAmount=one, amount=one))
    given = hotel.post(path, charge(unitAmount=half, amount=half))
    paid = hotel.post(f"/folios/{folio}/payments", {"method": "voucher", "amount": half})

    assert posted.status_code == 201, posted.text
    assert posted.json["lines"][0]["amount"] == one
    assert_refused(given, 422, "AMOUNT_NOT_IN_MINOR_UNITS")
    assert_refused(paid, 422, "AMOUNT_NOT_IN_MINOR_UNITS")


@pytest.mark.req("MON-2", "MON-3")
@pytest.mark.parametrize(
    ("unit_micro", "quantity", "cents"),
    [
        (4_999, "1", None),  # 0.004999: nothing
        (5_000, "1", 1),  # 0.005: a half goes away from zero
        (14_999, "1", 1),
        (1_000, "25", 3),  # 25 times 0.001 are 0.025: 0.03
        (333_333, "3", 100),  # 0.999999: 1.00, and not three times 0.33
        (70_000, "0.5", 4),  # 0.035: 0.04
    ],
)
def test_rounds_a_price_once_at_the_end(
    hotel: Hotel, unit_micro: int, quantity: str, cents: int | None
) -> None:
    path = f"/folios/{hotel.open_folio()}/charges"
    price = {"amountMicro": unit_micro, "currency": "USD"}

    answer = hotel.post(path, charge(unitAmount=price, quantity=quantity))

    if cents is None:
        assert_refused(answer, 422, "AMOUNT_NOT_POSITIVE")
    else:
        assert answer.json["lines"][0]["amount"] == usd(cents)
        assert answer.json["lines"][0]["unitAmount"] == price


@pytest.mark.req("MON-1", "MON-4")
@pytest.mark.parametrize("currency", ["XXX", "usd", "US", "", "DOLLAR", "XAU"])
def test_refuses_what_is_no_currency(hotel: Hotel, currency: str) -> None:
    path = f"/folios/{hotel.open_folio()}/charges"

    answer = hotel.post(path, _unit(1_000_000, currency))

    assert_refused(answer, 422, "CURRENCY_UNKNOWN")


@pytest.mark.req("MON-4", "MON-5")
def test_never_converts_a_charge(hotel: Hotel) -> None:
    """A rate for euros is pinned; a charge in euros is an error all the same."""
    folio = hotel.open_folio()

    answer = hotel.post(
        f"/folios/{folio}/charges", charge(unitAmount={"amountMicro": 10**6, "currency": "EUR"})
    )

    assert_refused(answer, 422, "CURRENCY_MISMATCH")


@pytest.mark.req("MON-5", "CLO-1", "MON-6")
def test_shows_what_converting_there_and_back_leaves(hotel: Hotel) -> None:
    """Two times 50.01 EUR at 1.10 are 55.011, so 55.01 each: 110.02, of which 0.02 are over.

    Two foreign payments may leave 0.02; the rounding line gives it back to the books.
    """
    folio = hotel.open_folio()
    hotel.charged(folio)
    for _ in range(2):
        hotel.paid(folio, {"amountMicro": 50_010_000, "currency": "EUR"}, allowCredit=True)
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-2)

    answer = hotel.post(f"/folios/{folio}/close")

    assert answer.json["settlement"]["residualMicro"] == -20_000
    assert hotel.rows(
        "SELECT debit_account, credit_account, amount_micro FROM {s}.ledger_entries"
        " WHERE source LIKE 'rnd%' ORDER BY part"
    ) == [["guest_ledger", "rounding", 20_000], ["guest_deposits", "guest_ledger", 20_000]]
    assert_balances(hotel)


@pytest.mark.req("MON-6")
def test_the_books_balance_account_by_account(hotel: Hotel) -> None:
    """100.00 room and 40.00 spa with 10 %, 54.00 by voucher and 100.00 by transfer."""
    folio = hotel.open_folio()
    hotel.charged(folio, "room", 10_000)
    hotel.charged(folio, "spa", 4_000)
    hotel.paid(folio, usd(5_400), method="voucher")
    hotel.paid(folio, usd(10_000))

    accounts = hotel.rows(
        "SELECT account, sum(micro)::bigint FROM ("
        "  SELECT debit_account AS account, amount_micro AS micro FROM {s}.ledger_entries"
        "  UNION ALL SELECT credit_account, -amount_micro FROM {s}.ledger_entries) AS both_sides"
        " GROUP BY account HAVING sum(micro) <> 0 ORDER BY account"
    )

    assert accounts == [
        ["bank_clearing", 100_000_000],
        ["revenue:room", -100_000_000],
        ["revenue:spa", -40_000_000],
        ["tax_payable:VAT", -14_000_000],
        ["voucher_liability", 54_000_000],
    ]
