"""What an invoice says: rows, taxes, sums, payments, rates. It adds up, and it can be printed."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from common.documents.payload import read_invoice
from common.documents.render import render_document
from common.domain.guest import Stay
from common.domain.identifiers import InvoiceId
from common.domain.invoice_payload import Totals, document, in_language, rows_of
from tests.domain.front_desk import (
    AFN,
    EUR,
    Account,
    Desk,
    rate,
    rule,
    series,
    settings_of,
    usd,
)


def a_stay() -> Account:
    """Two nights in Kabul with everything that an invoice can show.

    By hand, in dollars: 2 nights of 120.00, 20.00 off, are 220.00; dinner 45.50; in all 265.50
    net. VAT 10 %: 24.00 - 2.00 + 4.55 are 26.55. City tax 2.00 a night: 4.00. Gross 296.05.
    A minibar of 5.00 is voided. Paid: 100.00 EUR at 1.0806 are 108.06, and 187.98 by card; the
    cent that is left is absorbed.
    """
    desk = Desk(
        settings_of(
            rule(percent=10),
            rule("CITY", per_night=usd(200), charge_kinds=frozenset({"room"}), category="O"),
            show_fx_at_close=True,
            fx_rates=(rate(EUR, "1.0806"), rate(AFN, "0.0141")),
        )
    )
    account = Account(
        desk,
        reservation_id="RES-88121",
        stay=Stay(arrival=date(2026, 2, 28), departure=date(2026, 3, 2)),
    )
    room = account.charge(24000, quantity="2", unit_amount=usd(12000), nights=2)
    account.charge(4550, "food_beverage", description={"en": "Dinner", "de": "Abendessen"})
    account.void(account.charge(500, "minibar").lines[0].charge_id)
    account.adjust(room.lines[0].charge_id, -2000)
    account.pay(10000, EUR)
    account.pay(18798, method="card")
    return account


def payload_of(account: Account) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(account.invoice(account.close(), series()).payload)
    return payload


def cents(micro: int) -> int:
    assert micro % 10_000 == 0
    return micro // 10_000


@pytest.mark.req("TAX-3", "CLO-2")
class TestFigures:
    def test_of_rows_are_what_stands_with_its_taxes(self):
        payload = payload_of(a_stay())
        rows = [
            (
                row["type"],
                row["description"],
                row["quantity"],
                cents(row["unitAmountMicro"]),
                cents(row["netMicro"]),
                cents(row["taxMicro"]),
                cents(row["grossMicro"]),
                [(tax["code"], cents(tax["amountMicro"])) for tax in row["taxes"]],
            )
            for row in payload["lines"]
        ]
        assert rows == [
            (
                "charge",
                "Garden room",
                "2",
                12000,
                24000,
                2800,
                26800,
                [("CITY", 400), ("VAT", 2400)],
            ),
            ("charge", "Dinner", "1", 4550, 4550, 455, 5005, [("VAT", 455)]),
            ("adjustment", "Cold water", "1", -2000, -2000, -200, -2200, [("VAT", -200)]),
        ]

    def test_of_a_correction_are_in_the_terms_of_the_price(self):
        """11.00 off a price that contains 10 %: 11.00 a piece, 10.00 net."""
        account = Account(Desk(settings_of(rule(percent=10, inclusive=True))))
        account.adjust(account.charge(11000).lines[0].charge_id, -1100)
        account.pay(9900)
        charge, correction = payload_of(account)["lines"]
        assert (cents(charge["unitAmountMicro"]), cents(charge["netMicro"])) == (11000, 10000)
        assert cents(correction["unitAmountMicro"]) == cents(correction["grossMicro"]) == -1100
        assert cents(correction["netMicro"]) == -1000
        assert correction["corrects"] == charge["lineId"]

    def test_of_the_breakdown_are_by_code_rate_and_category(self):
        breakdown = payload_of(a_stay())["taxBreakdown"]
        assert [
            (
                group["code"],
                group["ratePpm"],
                group["category"],
                cents(group["baseMicro"]),
                cents(group["amountMicro"]),
            )
            for group in breakdown
        ] == [("CITY", None, "O", 24000, 400), ("VAT", 100_000, "S", 26550, 2655)]

    def test_of_the_totals_add_up(self):
        payload = payload_of(a_stay())
        totals = {name: cents(micro) for name, micro in payload["totals"].items()}
        assert totals == {
            "netMicro": 26550,
            "taxMicro": 3055,
            "grossMicro": 29605,
            "paidMicro": 29604,
            "roundingMicro": -1,
            "dueMicro": 0,
        }

    def test_of_payments_are_in_both_currencies(self):
        payments = payload_of(a_stay())["payments"]
        assert [
            (
                paid["method"],
                paid["paidCurrency"],
                cents(paid["paidMicro"]),
                cents(paid["amountMicro"]),
            )
            for paid in payments
        ] == [("cash", "EUR", 10000, 10806), ("card", "USD", 18798, 18798)]


class TestDocument:
    @pytest.mark.req("CLO-3")
    def test_shows_the_rates_that_were_used_with_their_date(self):
        account = a_stay()
        account.desk.change(fx_rates=(rate(EUR, "1.25"),))
        fx = payload_of(account)["fx"]
        assert fx["snapshots"] == [
            {
                "base": "EUR",
                "quote": "USD",
                "rate": "1.0806",
                "source": "ECB",
                "takenAt": "2026-03-01T15:00:00.000000Z",
            }
        ]
        assert [shown["rate"] for shown in fx["today"]] == ["1.25"]
        assert cents(fx["differenceMicro"]) == 12500 - 10806

    @pytest.mark.req("CLO-3")
    def test_shows_no_rates_unless_the_tenant_wants_it(self):
        account = a_stay()
        account.desk.change(show_fx_at_close=False)
        assert payload_of(account)["fx"] is None

    @pytest.mark.req("TAX-2")
    def test_says_why_a_line_bears_no_tax(self):
        desk = Desk(settings_of(rule(percent=10, long_stay_over_nights=1)))
        stay = Stay(arrival=date(2026, 2, 28), departure=date(2026, 3, 2))
        account = Account(desk, stay=stay)
        account.charge(1000)
        account.pay(1000)
        (row,) = payload_of(account)["lines"]
        assert (row["untaxed"], row["taxes"]) == ("long_stay", [])

    def test_names_only_payments_that_are_among_its_lines(self):
        """As on the second invoice of a folio that was opened again."""
        account = a_stay()
        closed, desk = account.close(), account.desk
        place = series().next_place(desk.new_id(InvoiceId), "INV", desk.now)
        second = document(
            place, account.folio, (), account.payments, closed.settlement, "", account.desk
        )
        assert (second["payments"], second["lines"], second["lineIds"]) == ([], [], [])

    def test_is_in_the_language_of_the_tenant_or_the_nearest_to_it(self):
        text = {"de": "Abendessen", "und": "Dinner"}
        assert [in_language(text, language) for language in ("de", "fr")] == [
            "Abendessen",
            "Dinner",
        ]
        assert in_language({"ps": "ډوډۍ"}, "en") == "ډوډۍ"
        assert in_language({"en": "Room", "ps": "کوټه"}, "ps-AF") == "کوټه"
        assert in_language({"ps": "", "und": "", "en": "Room"}, "ps") == "Room"
        assert in_language({}, "ps") == ""

    def test_that_would_not_add_up_is_not_issued(self):
        """A tax line that says another amount than its tax: nothing of ours writes one."""
        account = Account()
        account.charge(12000)
        account.lines[1] = replace(account.lines[1], amount=usd(1201))
        account.pay(13200)
        with pytest.raises(ValueError, match="rows come to"):
            account.invoice(account.close(), series())

    @pytest.mark.parametrize("inclusive", [False, True])
    @pytest.mark.req("TAX-3")
    def test_adds_up_after_voids_where_tax_is_rounded_per_invoice(self, inclusive: bool):
        """Ten of 0.04 to 0.13, every third voided."""
        desk = Desk(settings_of(rule(percent=10, inclusive=inclusive), rounds_tax_per_invoice=True))
        account = Account(desk)
        ids = [account.charge(price).lines[0].charge_id for price in range(4, 14)]
        for charge_id in ids[::3]:
            account.void(charge_id)
        account.pay(account.balance)
        payload = payload_of(account)
        totals, rows = payload["totals"], payload["lines"]
        assert len(rows) == 6
        for name in ("netMicro", "taxMicro", "grossMicro"):
            assert sum(row[name] for row in rows) == totals[name]
        (group,) = payload["taxBreakdown"]
        assert group["amountMicro"] == totals["taxMicro"]
        assert group["baseMicro"] == totals["netMicro"]
        for row in rows:
            assert row["netMicro"] + row["taxMicro"] == row["grossMicro"]


@pytest.mark.req("INV-4", "CLO-2")
class TestPage:
    def test_is_printed_from_a_real_payload(self):
        account = a_stay()
        invoice = account.invoice(account.close(), series())
        pdf = render_document(
            json.loads(invoice.payload),
            invoice.person.document,
            payload_sha256=invoice.payload_sha256.hex(),
            verify_url="https://billing.example.com/invoices/verify",
            language=invoice.language,
            template_version=invoice.template_version,
        )
        [page] = (page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)
        for printed in (
            "INV-AF-KBL-2026-000001",
            "Amélie van der Straeten",
            "RES-88121",
            "Garden room",
            "Cold water",
            "CITY of Kabul (CITY)",
            "VAT of Kabul (VAT)",
            "USD 296.05",
            "EUR 100.00",
            "1 EUR = 1.0806 USD",
            "USD 0.00",
        ):
            assert printed in page.replace("\u00a0", " ")

    @pytest.mark.parametrize("opened", [Account, a_stay], ids=["nothing on it", "everything"])
    def test_reads_every_payload(self, opened: Callable[[], Account]):
        account = opened()
        read = read_invoice(payload_of(account))
        totals = Totals.of(account.lines, account.folio.currency)
        assert read.totals.gross_micro == totals.gross.amount_micro
        assert len(read.lines) == len(rows_of(account.lines))
