"""What the page says: figures with the decimals of ISO 4217, texts that turn only themselves."""

from decimal import Decimal
from typing import Any

import pytest

from common.documents.legible import isolated, legible
from common.documents.localised import Localised
from common.documents.page import Page, invoice_page
from common.documents.payload import read_invoice, read_personal
from common.documents.vocabulary import LanguageUnknown
from common.domain.money import Currency
from tests.adapters.test_documents_sample import HASH, VERIFY_URL, invoice, personal


def laid_out(
    payload: dict[str, Any] | None = None,
    person: dict[str, Any] | None = None,
    language: str = "en",
) -> Page:
    return invoice_page(
        read_invoice(payload or invoice()),
        read_personal(personal() if person is None else person),
        payload_sha256=HASH,
        verify_url=VERIFY_URL,
        language=language,
    )


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.req("INV-4", "INV-9", "MON-2")
@pytest.mark.parametrize(
    ("currency", "micro", "language", "shown"),
    [
        ("JPY", 1_234_000_000, "en", "JPY 1,234"),
        ("KWD", 1_234_500_000, "en", "KWD 1,234.500"),
        ("AFN", 1_234_500_000, "en", "AFN 1,234.50"),
        ("IQD", 1_234_500_000, "en", "IQD 1,234.500"),
        ("USD", 1_234_500_000, "en", "USD 1,234.50"),
        ("USD", -5_000_000, "en", "-USD 5.00"),
        ("USD", 1_234_500_000, "de", "1.234,50 USD"),
        ("USD", 1_234_500_000, "fr", "1 234,50 USD"),
        ("CLF", 1_000_000, "en", "CLF 1.0000"),
        ("USD", 9_007_199_254_740_991, "en", "USD 9,007,199,254.740991"),
    ],
)
def test_shows_money_with_the_decimals_of_iso_4217(
    currency: str, micro: int, language: str, shown: str
) -> None:
    assert plain(Localised.into(language).money(micro, Currency(currency))) == shown


@pytest.mark.req("INV-4", "INV-9")
def test_shows_a_unit_price_that_is_finer_than_a_cent_without_rounding() -> None:
    here = Localised.into("en")

    assert here.amount(12_500, Currency("USD")) == "0.0125"
    assert here.amount(1, Currency("JPY")) == "0.000001"
    assert here.number(Decimal("2.50")) == "2.5"
    assert here.percentage(72_500) == "7.25%"


@pytest.mark.req("INV-9")
def test_shows_what_was_signed_even_where_it_is_finer_than_the_minor_unit() -> None:
    page = laid_out(invoice(currency="JPY"))

    assert [line.unit_price for line in page.lines] == ["120", "120", "45.5", "120"]
    assert plain(page.total) == "JPY 452.05"


@pytest.mark.req("INV-4")
def test_lays_out_taxes_with_and_without_a_rate() -> None:
    taxes = [(tax.name, tax.rate, tax.taxable, tax.amount) for tax in laid_out().taxes]

    assert taxes == [
        ("Value added tax (VAT)", "10%", "405.50", "40.55"),
        ("City tax (CITY)", "–", "360.00", "6.00"),
    ]


@pytest.mark.req("INV-4")
def test_shows_rounding_and_exchange_difference_only_where_there_is_one() -> None:
    payload = invoice()
    payload["totals"]["roundingMicro"] = -10_000
    payload["fx"]["differenceMicro"] = 20_000

    plainly, rounded = laid_out(), laid_out(payload)

    assert [sum_.label for sum_ in plainly.settled] == ["Paid"]
    assert plainly.exchange_difference is None
    assert [(sum_.label, sum_.value) for sum_ in rounded.settled] == [
        ("Rounding", "-0.01"),
        ("Paid", "452.05"),
    ]
    assert plain(rounded.exchange_difference or "") == "Exchange difference: USD 0.02"


@pytest.mark.req("INV-9")
def test_lays_out_tax_in_the_home_currency_where_the_payload_says_it() -> None:
    rate = {**invoice()["fx"]["snapshots"][0], "base": "AFN", "rate": "0.0141", "source": "DAB"}
    groups = [
        {"code": "VAT", "ratePpm": 100_000, "category": "S", "amountMicro": 2_875_890_000},
        {"code": "CITY", "ratePpm": None, "category": "O", "amountMicro": 425_530_000},
    ]
    told = {"currency": "AFN", "rate": rate, "groups": groups, "taxMicro": 3_301_420_000}

    shown = laid_out(invoice(taxInHomeCurrency=told)).home_tax

    assert shown is not None
    assert (shown.label, shown.rate[:22]) == ("Tax in AFN", "1 AFN = 0.0141 USD · D")
    assert [(row.label, plain(row.value)) for row in shown.rows] == [
        ("VAT 10%", "2,875.89"),
        ("CITY", "425.53"),
        ("Tax", "AFN 3,301.42"),
    ]
    assert laid_out().home_tax is None


@pytest.mark.req("INV-4")
def test_needs_neither_stay_nor_reservation_nor_payment_nor_exchange() -> None:
    page = laid_out(invoice(stay=None, reservationId=None, payments=[], fx=None))

    assert [fact.label for fact in page.facts] == ["Date of issue", "Folio", "Currency"]
    assert page.payments == ()
    assert page.rates == ()


@pytest.mark.req("INV-4")
@pytest.mark.parametrize("erased", [{}, {"name": None}, {"name": "\u202e\x00", "addressLines": []}])
def test_says_so_when_the_personal_data_are_erased(erased: dict[str, Any]) -> None:
    customer = laid_out(person=erased).customer

    assert (customer.name, customer.lines, customer.tax_id) == ("Personal data erased", (), None)


@pytest.mark.req("INV-4")
def test_reads_a_payload_that_knows_more_than_the_page() -> None:
    assert laid_out(invoice(somethingNewer={"a": 1})) == laid_out()


@pytest.mark.req("INV-4")
@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("\u202eTotal", "Total"),
        ("a\u2066b\u2069c\u200ed\u200fe\u061cf", "abcdef"),
        ("line\none\ttwo\x00", "line one two"),
        ("  two   spaces  ", "two spaces"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("Ame\u0301lie", "Amélie"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\u22125 %", "-5 %"),
        ("\U000e0041\ue000", ""),
    ],
)
def test_makes_typed_text_legible(typed: str, printed: str) -> None:
    assert legible(typed) == printed


@pytest.mark.req("INV-4")
def test_isolates_only_text_that_could_turn_its_neighbours() -> None:
    assert isolated("Amélie", "ltr") == "Amélie"
    assert isolated("احمد", "ltr") == "\u2068احمد\u2069"
    assert isolated("Amélie", "rtl") == "\u2068Amélie\u2069"
    assert isolated("", "rtl") == ""


@pytest.mark.req("INV-9")
@pytest.mark.parametrize("language", ["xx", "", "../en", "en-!"])
def test_refuses_a_language_without_words(language: str) -> None:
    with pytest.raises(LanguageUnknown):
        Localised.into(language)
