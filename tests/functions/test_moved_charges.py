"""What charges are where they have moved to: their taxes, windows, and the invoices at last."""

import pytest

from tests.hotel import Hotel, charge, usd, vat
from tests.moving import balances, cents, move, untaxed_allowed
from tests.proofs import assert_books_are_right, assert_refused

pytestmark = pytest.mark.req("FOL-7")


@pytest.fixture
def his(hotel: Hotel) -> str:
    return hotel.open_folio()


@pytest.fixture
def hers(hotel: Hotel) -> str:
    return hotel.open_folio()


@pytest.mark.req("TAX-3")
def test_taxes_of_nights_stay_until_the_charge_moves_whole(
    hotel: Hotel, hers: str, his: str
) -> None:
    """100.00 with 10 %, and 3.00 for the night. A half is 50.00 and 5.00; the 3.00 come last."""
    levy = vat(code="CITY", ratePpm=None, perNight=usd(300), levy=True)
    hotel.write_settings(taxRules=[vat(), levy])
    room = hotel.charged(hers)

    half = move(hotel, hers, his, room, sharePpm=500_000).json["target"]["lines"]
    rest = move(hotel, hers, his, room).json["target"]["lines"]

    assert cents(half) == [("charge", 5_000), ("tax", 500)]
    assert ("tax", 300) in cents(rest)
    assert balances(hotel, hers, his) == [0, 11_300]
    assert_books_are_right(hotel)


@pytest.mark.req("TAX-1")
def test_a_moved_charge_keeps_the_rates_it_was_charged_at(hotel: Hotel, hers: str) -> None:
    """10 % when she ordered; 20 % by now, and of him, a diplomat, nothing is asked."""
    spa = hotel.charged(hers, "spa", 1_000)
    hotel.write_settings(taxRules=[vat(200_000, exemptions=["diplomat"])])
    his = hotel.open_folio(guest={"name": "B. Guest", "exemptions": ["diplomat"]})

    reached = move(hotel, hers, his, spa).json["target"]["lines"]

    assert cents(reached) == [("charge", 1_000), ("tax", 100)]
    assert hotel.rows(
        "SELECT DISTINCT settings_version FROM {s}.folio_lines WHERE moved_from IS NOT NULL"
    ) == [[1]]
    assert_books_are_right(hotel)


@pytest.mark.req("TAX-3")
def test_where_tax_is_rounded_once_an_invoice_each_folio_rounds_its_own(
    hotel: Hotel, hers: str, his: str
) -> None:
    """10 % of 0.04 is 0.004. Three owe 0.012, and 0.01 is asked; with one of them gone 0.008, still
    0.01. He owes 0.004 with one, so nothing; with another 0.008, so 0.01. Hers are nothing then."""
    hotel.write_settings(roundsTaxPerInvoice=True)
    charges = [hotel.charged(hers, "minibar", 4) for _ in range(3)]

    seen = [balances(hotel, hers, his)]
    for each in charges:
        assert move(hotel, hers, his, each).status_code == 201
        seen.append(balances(hotel, hers, his))

    assert seen == [[13, 0], [9, 4], [4, 9], [0, 13]]
    assert_books_are_right(hotel)


@pytest.mark.req("TAX-4")
def test_a_charge_that_waits_for_its_rule_is_taxed_where_it_is_by_then(
    hotel: Hotel, hers: str, his: str
) -> None:
    """100.00 untaxed move; then there is a rule of 10 %."""
    untaxed_allowed(hotel)
    room = hotel.charged(hers)
    assert move(hotel, hers, his, room).status_code == 201
    hotel.write_settings()

    both = {"folioIds": [hers, his], "reason": "The rule came late"}
    assert hotel.post("/folios/tax-backfill", both).status_code == 200

    assert balances(hotel, hers, his) == [0, 11_000]
    assert_books_are_right(hotel)


@pytest.mark.req("CLO-1", "CLO-2", "TAX-3")
def test_the_invoices_show_what_each_folio_has_in_the_end(
    hotel: Hotel, hers: str, his: str
) -> None:
    """Hers: a room of 100.00, of which he pays 40.00, and a spa of 20.00 that is all his."""
    room, spa = hotel.charged(hers), hotel.charged(hers, "spa", 2_000)
    move(hotel, hers, his, spa)
    move(hotel, hers, his, room, amount=usd(4_000))

    papers = []
    for folio, owed in ((hers, 6_600), (his, 6_600)):
        hotel.paid(folio, usd(owed))
        closed = hotel.post(f"/folios/{folio}/close")
        assert closed.status_code == 200, closed.text
        papers.append(hotel.get(f"/invoices/{closed.json['invoiceId']}").json["payload"])

    shown = [
        [(line["type"], line["kind"], line["grossMicro"] // 10_000) for line in paper["lines"]]
        for paper in papers
    ]
    assert shown == [
        [("charge", "room", 11_000), ("adjustment", "room", -4_400)],
        [("charge", "spa", 2_200), ("charge", "room", 4_400)],
    ]
    assert [paper["totals"]["taxMicro"] for paper in papers] == [6_000_000, 6_000_000]
    assert_books_are_right(hotel)


@pytest.mark.req("PAY-4")
def test_a_folio_in_credit_closes_once_charges_have_moved_onto_it(
    hotel: Hotel, hers: str, his: str
) -> None:
    """She left a deposit of 55.00 and had nothing: his 50.00 and 5.00 are hers."""
    hotel.paid(hers, usd(5_500), allowCredit=True)
    dinner = hotel.charged(his, "food_beverage", 5_000)
    assert_refused(hotel.post(f"/folios/{hers}/close"), 409, "BALANCE_DUE")

    move(hotel, his, hers, dinner)

    assert hotel.post(f"/folios/{hers}/close").status_code == 200
    assert hotel.post(f"/folios/{his}/close").status_code == 200
    assert_books_are_right(hotel)


def test_a_charge_comes_back_as_it_went(hotel: Hotel, hers: str, his: str) -> None:
    spa = hotel.charged(hers, "spa", 8_000, externalReference="bon-3", source="pos")
    there = move(hotel, hers, his, spa).json["target"]["lines"][0]["lineId"]

    back = move(hotel, his, hers, there)

    assert back.status_code == 201, back.text
    assert balances(hotel, hers, his) == [8_800, 0]
    again = hotel.post(f"/folios/{his}/charges", charge(externalReference="bon-3", source="pos"))
    assert_refused(again, 409, "EXTERNAL_REFERENCE_POSTED")
    assert_books_are_right(hotel)


def test_goes_to_the_window_that_the_other_folio_keeps_for_it(hotel: Hotel, hers: str) -> None:
    company = hotel.open_folio(windows=["company"], routing={"spa": "company"})
    spa = hotel.charged(hers, "spa", 8_000)

    reached = move(hotel, hers, company, spa).json["target"]["lines"]

    assert {line["window"] for line in reached} == {"company"}
    assert_books_are_right(hotel)
