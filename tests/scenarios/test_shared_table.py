"""Two friends and a company share what one of them has signed for.

Leyla's company pays her room, Omar a third of the dinner, and his wine was hers. VAT is 10 %.

    what                                     Leyla      Omar   company
    room                                    110.00
    dinner, signed by Leyla                  99.00
    wine, signed by Omar                               22.00
    the room moves to the company          -110.00             110.00
    30.00 of the dinner move to Omar        -33.00     33.00
    the wine moves to Leyla                  22.00    -22.00
    the wine was corked: voided             -22.00
    owed                                     66.00     33.00   110.00

All three close. Afterwards the company gets 10.00 and 1.00 of the room back, as its heating was
cold, and Omar 5.00 and 0.50 of the dinner.
"""

import pytest

from tests.crediting import credits, lines_of
from tests.hotel import Hotel, usd
from tests.moving import accounts, balances, cents, move
from tests.proofs import assert_books_are_right, assert_refused
from tests.trust.books import broken

pytestmark = pytest.mark.req("FOL-7", "CLO-2")


def _closed(hotel: Hotel, folio: str, owed: int) -> str:
    """Paid and closed, and its invoice drawn."""
    hotel.paid(folio, usd(owed))
    answer = hotel.post(f"/folios/{folio}/close")
    assert answer.status_code == 200, answer.text
    invoice: str = answer.json["invoiceId"]
    assert hotel.render(invoice).status_code == 204
    return invoice


def test_two_friends_and_a_company_share_a_bill(hotel: Hotel) -> None:
    leyla, omar, company = (hotel.open_folio(guest={"name": who}) for who in ("L.", "O.", "Ltd"))
    room = hotel.charged(leyla)
    dinner = hotel.charged(leyla, "food_beverage", 9_000)
    wine = hotel.charged(omar, "minibar", 2_000)
    earned = accounts(hotel)

    move(hotel, leyla, company, room)
    move(hotel, leyla, omar, dinner, amount=usd(3_000))
    corked = move(hotel, omar, leyla, wine).json["target"]["lines"][0]["lineId"]
    assert balances(hotel, leyla, omar, company) == [8_800, 3_300, 11_000]
    assert accounts(hotel) == earned
    late = hotel.post(f"/folios/{omar}/charges/{wine}/void", {"reason": "Corked"})
    assert_refused(late, 409, "CHARGE_ALREADY_VOIDED")
    void = hotel.post(f"/folios/{leyla}/charges/{corked}/void", {"reason": "Corked"})
    assert cents(void.json["lines"]) == [("void", -2_000), ("void", -200)]
    assert balances(hotel, leyla, omar, company) == [6_600, 3_300, 11_000]

    hers = _closed(hotel, leyla, 6_600)
    his, paid = _closed(hotel, omar, 3_300), _closed(hotel, company, 11_000)
    shown = [
        [(line["kind"], line["grossMicro"] // 10_000) for line in lines_of(hotel, invoice)]
        for invoice in (hers, his, paid)
    ]
    assert shown == [
        [("food_beverage", 9_900), ("food_beverage", -3_300)],
        [("food_beverage", 3_300)],
        [("room", 11_000)],
    ]

    for invoice, back in ((paid, 1_100), (his, 550)):
        (row,) = lines_of(hotel, invoice)
        credited = credits(hotel, invoice, (row["lineId"], usd(back)))
        assert credited.status_code == 201, credited.text
        (less,) = lines_of(hotel, credited.json["creditNoteId"])
        assert less["grossMicro"] == back * 10_000
    assert_books_are_right(hotel)
    assert broken(hotel) == []
