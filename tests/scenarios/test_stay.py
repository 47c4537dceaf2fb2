"""A family's stay over a tax change, from the reservation to the QR code on the paper.

The Ahmadis, two adults and two children, sleep in Kabul from 30 March to 3 April 2026. VAT is 10 %
until 31 March and 12 % from 1 April; each person and night bears a city levy of 1.00 USD. Euros
are worth 1.10 USD when they book, and 1.20 when they leave; what they booked by counts.

    date      what                                     net     VAT    levy     balance
    5 March   deposit by transfer                                              -100.00
    30 March  night                                 120.00   12.00    4.00       36.00
    31 March  dinner                                 45.50    4.55               86.05
    31 March  night, posted at one in the morning   120.00   12.00    4.00      222.05
    1 April   night                                 120.00   14.40    4.00      360.45
    1 April   minibar, 3 times 2.35                   7.05    0.85              368.35
    2 April   the minibar is voided                  -7.05   -0.85              360.45
    2 April   night                                 120.00   14.40    4.00      498.85
    3 April   less for the noise                    -20.00   -2.40              476.45
    3 April   laundry                                 9.99    1.20              487.64
    3 April   200 EUR in a transfer, at 1.10                    -220.00         267.64
    3 April   card, told by the processor                       -267.64           0.00

At 10 %: 285.50 net and 28.55. At 12 %: 229.99 net and 27.60. Levy: 16 person-nights, 16.00.
In all 515.49 net, 72.15 of tax, 587.64. At 1.20 the euros would have been 20.00 more.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.hotel import Hotel, House, charge, usd, vat
from tests.proofs import assert_books_are_right, assert_nothing_personal, assert_refused, told

LEVY = {
    "code": "CITY",
    "name": "City levy",
    "jurisdiction": "AF-KBL",
    "chargeKinds": ["room"],
    "perPersonNight": usd(100),
    "validFrom": "2020-01-01",
}
RULES = [vat(validTo="2026-04-01"), vat(120_000, validFrom="2026-04-01"), LEVY]
GUEST = {"name": "Zarmina Ahmadi", "addressLines": ["Flower Street 9", "Herat"]}
BALANCES = [
    -10_000, 3_600, 8_605, 22_205, 36_045, 36_835, 36_045, 49_885, 47_645, 48_764, 26_764, 0,
]  # fmt: skip


def _rate(rate: str) -> list[dict[str, str]]:
    return [
        {
            "base": "EUR",
            "quote": "USD",
            "rate": rate,
            "source": "Da Afghanistan Bank",
            "takenAt": "2026-03-01T06:00:00Z",
        }
    ]


@dataclass
class Stay:
    """The family's folio, and the balance after each thing that happened to it."""

    hotel: Hotel
    clock: Callable[[str], None]
    folio: str = ""
    balances: list[int] = field(default_factory=list)

    def balance(self) -> int:
        micro: int = self.hotel.get(f"/folios/{self.folio}").json["balance"]["amountMicro"]
        return micro // 10_000

    def book(self) -> None:
        """1 March: the reservation is confirmed and the folio opens with the rates of the day."""
        self.clock("2026-03-01T08:00:00Z")
        self._reservation("on_reservation_confirmed")
        self.folio = self.hotel.get("/folios").json["items"][0]["folioId"]
        self.clock("2026-03-05T08:00:00Z")
        self.hotel.paid(self.folio, usd(10_000), allowCredit=True)
        self.balances.append(self.balance())

    def arrive(self) -> None:
        """30 March, with another rate in force; the check-in finds the folio open."""
        self.clock("2026-03-30T10:00:00Z")
        document = self.hotel.settings(fxRates=_rate("1.20"), showFxAtClose=True)
        del document["taxRules"]
        self.hotel.deliver("on_tenant_settings_updated", document)
        self._reservation("on_reservation_checked_in")

    def sleep(self) -> None:
        """Four nights. Kabul is UTC+4:30, and its day closes at three."""
        self._charge("2026-03-30T18:00:00Z", charge("room", 12_000, persons=4))
        self._charge("2026-03-31T16:00:00Z", charge("food_beverage", 4_550))
        night = self._charge("2026-03-31T20:30:00Z", charge("room", 12_000, persons=4))
        assert night["businessDate"] == "2026-03-31"
        self._charge("2026-04-01T18:00:00Z", charge("room", 12_000, persons=4))
        minibar = self._charge("2026-04-01T19:00:00Z", charge("minibar", 235, quantity="3"))
        self._post(f"charges/{minibar['lineId']}/void", {"reason": "Nothing was taken"})
        last = self._charge("2026-04-02T18:00:00Z", charge("room", 12_000, persons=4))
        self._post(
            "adjustments",
            {
                "chargeId": last["lineId"],
                "amount": usd(-2_000),
                "description": "Works in the lift",
                "reason": "Noise until two",
            },
        )

    def pay(self) -> None:
        """3 April: two hundred euros, the rest by card; the processor tells it first."""
        self._charge("2026-04-03T05:00:00Z", charge("laundry", 999))
        self.hotel.paid(self.folio, {"amountMicro": 200_000_000, "currency": "EUR"})
        self.balances.append(self.balance())
        captured = {"paymentId": "pp-77", "folioId": self.folio, "amount": usd(26_764)}
        assert self.hotel.deliver("on_payment_captured", captured).status_code == 204
        self.balances.append(self.balance())
        desk = {"method": "card", "amount": usd(26_764), "paymentId": "pp-77"}
        answer = self.hotel.post(f"/folios/{self.folio}/payments", desk)
        assert_refused(answer, 409, "PAYMENT_ALREADY_RECORDED")

    def _reservation(self, consumer: str) -> None:
        reservation = {
            "reservationId": "R-2026-117",
            "propertyId": str(self.hotel.property_id),
            "guest": GUEST,
            "arrival": "2026-03-30",
            "departure": "2026-04-03",
        }
        assert self.hotel.deliver(consumer, reservation).status_code == 204

    def _charge(self, instant: str, body: dict[str, Any]) -> dict[str, Any]:
        self.clock(instant)
        line: dict[str, Any] = self._post("charges", body)["lines"][0]
        return line

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.hotel.post(f"/folios/{self.folio}/{path}", body)
        assert answer.status_code == 201, answer.text
        self.balances.append(answer.json["balance"]["amountMicro"] // 10_000)
        document: dict[str, Any] = answer.json
        return document


@pytest.mark.req("FOL-1", "FOL-2", "FOL-4", "FOL-6", "FOL-12", "TAX-1", "MON-5", "PAY-3", "CLO-1")
@pytest.mark.req("CLO-2", "CLO-3", "INV-1", "INV-3", "INV-6", "INV-7", "INV-8", "GDPR-1")
def test_a_family_stays_over_a_tax_change(house: House, clock: Callable[[str], None]) -> None:
    hotel = house.new_hotel(taxRules=RULES, fxRates=_rate("1.10"), showFxAtClose=True)
    stay = Stay(hotel, clock)
    stay.book()
    stay.arrive()
    stay.sleep()
    stay.pay()
    assert stay.balances == BALANCES

    closed = hotel.post(f"/folios/{stay.folio}/close").json
    late = hotel.post(f"/folios/{stay.folio}/charges", charge("minibar", 235))
    assert hotel.render(closed["invoiceId"]).status_code == 204

    assert_refused(late, 409, "FOLIO_CLOSED")
    _assert_settled(closed)
    payload = json.loads(hotel.rows("SELECT payload FROM {s}.invoices")[0][0])
    _assert_invoiced(payload)
    _assert_genuine(hotel, closed["invoiceId"])
    assert told(hotel)[0] == "folio.opened"
    assert told(hotel)[-3:] == ["folio.closed", "invoice.generated", "invoice.rendered"]
    assert_books_are_right(hotel)
    assert_nothing_personal(hotel, "Zarmina", "Flower Street")


def _assert_settled(closed: dict[str, Any]) -> None:
    settlement = closed["settlement"]
    assert (settlement["charges"], settlement["payments"]) == (usd(58_764), usd(58_764))
    assert settlement["residualMicro"] == 0
    (shown,) = settlement["fx"]
    assert (shown["pinned"]["rate"], shown["today"]["rate"]) == ("1.10", "1.20")
    assert shown["difference"] == usd(2_000)
    assert closed["invoiceNumber"] == "INV-AF-KBL-2026-000001"


def _assert_invoiced(payload: dict[str, Any]) -> None:
    groups = [
        (
            group["code"],
            group["ratePpm"],
            group["baseMicro"] // 10_000,
            group["amountMicro"] // 10_000,
        )
        for group in payload["taxBreakdown"]
    ]
    assert groups == [
        ("CITY", None, 48_000, 1_600),
        ("VAT", 100_000, 28_550, 2_855),
        ("VAT", 120_000, 22_999, 2_760),
    ]
    totals = {name: micro // 10_000 for name, micro in payload["totals"].items()}
    assert totals == {
        "netMicro": 51_549,
        "taxMicro": 7_215,
        "grossMicro": 58_764,
        "paidMicro": 58_764,
        "roundingMicro": 0,
        "dueMicro": 0,
    }
    assert [p["paidMicro"] // 10_000 for p in payload["payments"]] == [10_000, 20_000, 26_764]
    assert payload["stay"] == {"from": "2026-03-30", "to": "2026-04-03"}


def _assert_genuine(hotel: Hotel, invoice_id: str) -> None:
    """The paper's PDF is there, and whoever reads its QR code hears that it is genuine."""
    assert hotel.get(f"/invoices/{invoice_id}/pdf").status_code == 302
    digest = hotel.get(f"/invoices/{invoice_id}").json["payloadSha256"]
    page = hotel.get(
        f"/invoices/{invoice_id}/verify",
        token=None,
        headers={"Accept": "text/html", "X-Forwarded-For": "203.0.113.9, 10.0.0.1"},
        tenant=str(hotel.tenant_id),
        hash=digest,
    )
    assert "This document is genuine" in page.text
    assert "Zarmina" not in page.text
