"""An invoice is corrected in one place at a time: by credit notes, or on the folio opened again."""

from collections.abc import Callable

import pytest

from tests.crediting import credits, lines_of
from tests.crediting import voids as voids_invoice
from tests.hotel import Hotel, usd
from tests.moving import adjusted, balances, move
from tests.nights import EVENING, NEXT_DAY, THIRD_DAY, checked_in, lines, room, run
from tests.owing import company, settle
from tests.proofs import assert_books_are_right, assert_refused, state
from tests.refunding import refund
from tests.reopening import closes, reopened, voids
from tests.trust.books import broken

Clock = Callable[[str], None]
UNTOUCHED = ("idempotency_keys", "step_up_nonces", "audit_entries")


def _billed(hotel: Hotel) -> tuple[str, str, str, str]:
    """A night of 110.00 that was paid and billed: folio, charge, payment and invoice."""
    folio = hotel.open_folio()
    night = hotel.charged(folio)
    payment = hotel.paid(folio, usd(11_000))
    return folio, night, payment, closes(hotel, folio)["invoiceId"]


@pytest.mark.req("CLO-4", "INV-2")
def test_an_invoice_takes_no_credit_note_while_its_folio_is_open(hotel: Hotel) -> None:
    folio, night, _, invoice = _billed(hotel)
    reopened(hotel, folio)
    before = state(hotel, without=UNTOUCHED)

    part = credits(hotel, invoice, (night, usd(1_000)))
    whole = voids_invoice(hotel, invoice)

    assert_refused(part, 409, "FOLIO_OPEN_AGAIN")
    assert_refused(whole, 409, "FOLIO_OPEN_AGAIN")
    assert state(hotel, without=UNTOUCHED) == before


@pytest.mark.req("CLO-4", "INV-2")
@pytest.mark.parametrize("deed", ["void", "adjust", "transfer"])
def test_what_was_credited_is_not_corrected_on_the_folio(hotel: Hotel, deed: str) -> None:
    """10.00 of the night were credited; taking back all of it as well would give them twice."""
    folio, night, _, invoice = _billed(hotel)
    assert credits(hotel, invoice, (night, usd(1_000))).status_code == 201
    reopened(hotel, folio)
    other = hotel.open_folio()
    before = state(hotel, without=UNTOUCHED)

    match deed:
        case "void":
            answer = voids(hotel, folio, night)
        case "adjust":
            body = {"chargeId": night, "amount": usd(-100), "description": "N", "reason": "N"}
            answer = hotel.post(f"/folios/{folio}/adjustments", body)
        case _:
            answer = move(hotel, folio, other, night)

    assert_refused(answer, 409, "CHARGE_CREDITED")
    assert state(hotel, without=UNTOUCHED) == before


@pytest.mark.req("CLO-4", "INV-2")
def test_what_was_corrected_on_the_folio_takes_no_credit_note(hotel: Hotel) -> None:
    """20.00 and their tax went back through the folio; the spa of the same invoice is untouched."""
    folio = hotel.open_folio()
    night, spa = hotel.charged(folio), hotel.charged(folio, "spa", 5_000)
    payment = hotel.paid(folio, usd(16_500))
    invoice = closes(hotel, folio)["invoiceId"]
    reopened(hotel, folio)
    adjusted(hotel, folio, night, -2_000)
    assert refund(hotel, folio, payment, usd(2_200)).status_code == 201
    note = closes(hotel, folio)["creditNoteId"]
    assert [row["grossMicro"] for row in lines_of(hotel, note)] == [22_000_000]

    again = credits(hotel, invoice, (night, usd(1_000)))
    whole = voids_invoice(hotel, invoice)
    other = credits(hotel, invoice, (spa, usd(1_000)))

    assert_refused(again, 409, "LINE_CORRECTED")
    assert_refused(whole, 409, "LINE_CORRECTED")
    assert other.status_code == 201, other.text
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("CLO-4", "FOL-7")
def test_a_billed_charge_moves_to_another_folio(hotel: Hotel) -> None:
    """The company pays after all: 110.00 go back to the guest, and are billed to the company."""
    folio, night, payment, _ = _billed(hotel)
    company = hotel.open_folio()
    reopened(hotel, folio)

    assert move(hotel, folio, company, night).status_code == 201

    assert balances(hotel, folio, company) == [-11_000, 11_000]
    assert refund(hotel, folio, payment, usd(11_000)).status_code == 201
    hotel.paid(company, usd(11_000))
    assert closes(hotel, folio)["creditNoteId"]
    assert closes(hotel, company)["invoiceId"]
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("CLO-4", "TAX-4")
def test_what_went_untaxed_onto_an_invoice_is_taxed_after_all(hotel: Hotel) -> None:
    """100.00 were billed untaxed; now 10 % are owed: credited and charged anew, 10.00 to pay."""
    (house,) = hotel.settings()["properties"]
    lenient = {**house, "allowUntaxed": True, "untaxedUntil": "2099-01-01T00:00:00Z"}
    hotel.write_settings(taxRules=[], properties=[lenient])
    folio = hotel.open_folio()
    night = hotel.charged(folio)
    hotel.paid(folio, usd(10_000))
    closes(hotel, folio)
    hotel.write_settings()
    asked = {"folioIds": [folio], "reason": "The rule is there"}
    assert_refused(hotel.post("/folios/tax-backfill", asked), 409, "UNTAXED_CHARGE_INVOICED")
    reopened(hotel, folio)

    answer = hotel.post("/folios/tax-backfill", asked)

    assert answer.status_code == 200, answer.text
    hotel.paid(folio, usd(1_000))
    invoice = closes(hotel, folio)["invoiceId"]
    assert [row["grossMicro"] for row in lines_of(hotel, invoice)] == [-100_000_000, 110_000_000]
    assert night != lines_of(hotel, invoice)[1]["lineId"]
    assert_books_are_right(hotel)


@pytest.mark.req("CLO-4", "CLO-1", "MON-5")
def test_what_conversion_leaves_of_a_refund_is_absorbed(hotel: Hotel) -> None:
    """At 3.00 a euro 36.67 EUR paid 110.01 for 110.00. 33.00 go back with 11.00 EUR, so nothing is
    left over; of 5.50 more, 1.83 EUR are 5.49, and the cent is rounded away."""
    rate = {"base": "EUR", "quote": "USD", "source": "t", "takenAt": "2026-01-01T00:00:00Z"}
    hotel.write_settings(fxRates=[{**rate, "rate": "3"}])
    folio = hotel.open_folio()
    night = hotel.charged(folio)
    payment = hotel.paid(folio, {"amountMicro": 36_670_000, "currency": "EUR"})
    closes(hotel, folio)
    reopened(hotel, folio)
    adjusted(hotel, folio, night, -500)
    back = {"amountMicro": 1_830_000, "currency": "EUR"}
    assert refund(hotel, folio, payment, back).status_code == 201

    again = closes(hotel, folio)

    assert again["settlement"]["residualMicro"] == -10_000
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("CLO-4", "FOL-9")
@pytest.mark.parametrize(
    ("still_in_house", "nights"), [(False, 1), (True, 2)], ids=["has_left", "still_in_house"]
)
def test_a_guest_who_has_left_is_charged_no_planned_night(
    hotel: Hotel, clock: Clock, still_in_house: bool, nights: int
) -> None:
    """Three nights were planned, the folio was closed after the first; the audit runs on."""
    clock(EVENING)
    folio = checked_in(hotel, room(1), room(2), room(3))
    clock(NEXT_DAY)
    run(hotel)
    hotel.paid(folio, usd(11_000))
    closes(hotel, folio)
    reopened(hotel, folio, stillInHouse=still_in_house)
    clock(THIRD_DAY)

    run(hotel)

    charged = [line for line in lines(hotel, folio) if line[0] == "charge"]
    assert len(charged) == nights
    assert_books_are_right(hotel)


@pytest.mark.req("CLO-4", "FOL-10")
def test_a_company_pays_after_all_and_owes_by_the_invoice_that_there_is(hotel: Hotel) -> None:
    """110.00 go back to the guest's account and are the company's: nothing else was consumed."""
    folio, _, payment, invoice = _billed(hotel)
    account = company(hotel)
    reopened(hotel, folio)
    assert refund(hotel, folio, payment, usd(11_000)).status_code == 201
    assert settle(hotel, folio, account, usd(11_000)).status_code == 201

    again = closes(hotel, folio)

    assert (again["invoiceId"], again["creditNoteId"]) == (None, None)
    items = hotel.rows("SELECT invoice_id, amount_micro FROM {s}.receivables")
    assert items == [[invoice, 110_000_000]]
    assert_books_are_right(hotel)


@pytest.mark.req("CLO-4", "FOL-10")
def test_a_company_owes_more_by_the_invoice_that_was_corrected(hotel: Hotel) -> None:
    """60.00 of 110.00 are owed by it. 22.00 are taken back and credited, and 28.00 that the guest
    had paid are the company's as well: 88.00."""
    account, folio = company(hotel), hotel.open_folio()
    night = hotel.charged(folio)
    assert settle(hotel, folio, account, usd(6_000)).status_code == 201
    payment = hotel.paid(folio, usd(5_000))
    invoice = closes(hotel, folio)["invoiceId"]
    reopened(hotel, folio)
    adjusted(hotel, folio, night, -2_000)
    assert refund(hotel, folio, payment, usd(5_000)).status_code == 201
    assert settle(hotel, folio, account, usd(2_800)).status_code == 201

    again = closes(hotel, folio)

    assert again["creditNoteId"] is not None
    items = hotel.rows("SELECT invoice_id, amount_micro FROM {s}.receivables")
    assert items == [[invoice, 88_000_000]]
    assert_books_are_right(hotel)
