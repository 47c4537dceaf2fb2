"""A hotel after a busy day: what every invariant must find in order."""

from typing import Any
from uuid import uuid4

from tests.hotel import Hotel, House, charge, usd, vat


def busy_hotel(house: House, **settings: Any) -> Hotel:
    """Two folios closed, one of them drawn twice, one open, one empty, refusals in between."""
    hotel = house.new_hotel(**settings)
    first, invoice = hotel.closed_folio()
    hotel.render(invoice)
    hotel.post(f"/invoices/{invoice}/regenerate")
    _left_a_cent(hotel)
    hotel.write_settings(**settings, residualMinorUnitsPerForeignPayment=2)
    hotel.post(f"/folios/{first}/charges", charge())  # closed: refused

    folio = hotel.open_folio(reservationId="R-7")
    room = hotel.charged(folio, cents=10_000)
    hotel.charged(folio, "minibar", cents=1)
    wrong = hotel.charged(folio, "spa", cents=333)
    _adjusted(hotel, folio, wrong, -33)
    hotel.post(f"/folios/{folio}/charges/{wrong}/void", {"reason": "never had it"})
    hotel.post(f"/folios/{folio}/charges/{wrong}/void", {"reason": "again"})  # refused
    _adjusted(hotel, folio, room, -1_000)
    hotel.paid(folio, {"amountMicro": 20_000_000, "currency": "EUR"})
    hotel.paid(folio, usd(1_000))
    hotel.post(f"/folios/{folio}/close")  # refused, and told
    hotel.deliver("on_payment_captured", _captured(folio))
    hotel.deliver("on_payment_captured", {**_captured(folio), "tenantId": str(uuid4())})  # refused
    hotel.open_folio()
    return hotel


def otherwise_taxed(house: House) -> Hotel:
    """The same day where prices include one tax, bear another, and tax is rounded per invoice."""
    rules = [vat(77_000, inclusive=True), vat(33_333, code="CITY", name="City tax", order=1)]
    return busy_hotel(house, taxRules=rules, roundsTaxPerInvoice=True)


def _left_a_cent(hotel: Hotel) -> None:
    """90.91 and 10 %: 100.00 are owed; 90.91 euros at 1.10 are 100.00 less or more a cent."""
    folio = hotel.open_folio()
    hotel.charged(folio, cents=9_091)
    balance = hotel.get(f"/folios/{folio}").json["balance"]["amountMicro"]
    euros = balance * 10 // 11 // 10_000 * 10_000
    hotel.paid(folio, {"amountMicro": euros, "currency": "EUR"})
    answer = hotel.post(f"/folios/{folio}/close")
    assert answer.status_code == 200, answer.text


def _adjusted(hotel: Hotel, folio: str, charged: str, cents: int) -> None:
    body = {"chargeId": charged, "amount": usd(cents), "description": "less", "reason": "noise"}
    answer = hotel.post(f"/folios/{folio}/adjustments", body)
    assert answer.status_code == 201, answer.text


def _captured(folio: str) -> dict[str, Any]:
    return {"paymentId": "pp-1", "folioId": folio, "amount": usd(100)}
