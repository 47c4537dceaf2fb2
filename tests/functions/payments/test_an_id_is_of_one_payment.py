"""The processor is asked for each payment under its id: so no two have the same one, whatever they
are for. Nobody can choose the id that a charge of the platform's invoice will have (SUB-6, GW-5).
"""

from collections.abc import Callable

import pytest

from tests.buying import ask, card, wanted
from tests.charging import charges, collect, incidents_are_over, last_charge, status
from tests.hotel import Hotel, House, usd
from tests.paying import a_customer, clerk
from tests.proofs import assert_refused
from tests.subscribing import subscribed
from tests.trust.books import broken

pytestmark = pytest.mark.req("SUB-6", "GW-5")
Clock = Callable[[str], None]


DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def behind(charge: str) -> str:
    """The id of the next trial to charge the same invoice: one more, in Crockford's digits."""
    kept = charge.rstrip("Z")
    return kept[:-1] + DIGITS[DIGITS.index(kept[-1]) + 1] + "0" * (len(charge) - len(kept))


def test_nobody_takes_the_id_of_a_charge_before_it_is_made(
    hotel: Hotel, house: House, clock: Clock
) -> None:
    """A charge is declined; whoever would make a payment, or buy credits, under the id of the next
    one would keep the processor from taking it for ever, and be served for nothing."""
    incidents_are_over(house)
    clock("2026-03-01T12:00:00+00:00")
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_declined"))
    collect(hotel)
    first = last_charge(hotel)
    folio = hotel.open_folio()
    body = {"folioId": folio, "customerId": a_customer(hotel), "amount": usd(100)}
    for taken in (first, behind(first)):
        asked = {**body, "id": taken, "allowCredit": True}
        made = hotel.post("/payments/intent", asked, token=clerk(hotel))
        assert_refused(made, 409, "MELMASTOON.GENERAL.ID_CONFLICT")
        assert_refused(
            ask(hotel, wanted(1_000, card(hotel), id=taken)), 409, "MELMASTOON.GENERAL.ID_CONFLICT"
        )
    clock("2026-03-11T12:30:00+00:00")

    collect(hotel)

    assert [row[:2] for row in charges(hotel)] == [[1, "failed"], [2, "failed"]]
    assert status(hotel) == "suspended"
    assert broken(hotel) == []


def test_a_guests_payment_and_a_purchase_have_ids_of_their_own(hotel: Hotel) -> None:
    """One payment of the guest's would otherwise pay both."""
    customer, method = a_customer(hotel), card(hotel)
    folio = hotel.open_folio()
    body = {"folioId": folio, "customerId": customer, "amount": usd(100), "allowCredit": True}
    bought = wanted(1_000, method)
    assert ask(hotel, bought).status_code == 201
    asked = {**body, "id": bought["id"]}
    assert_refused(
        hotel.post("/payments/intent", asked, token=clerk(hotel)),
        409,
        "MELMASTOON.GENERAL.ID_CONFLICT",
    )
    made = hotel.post("/payments/intent", body, token=clerk(hotel))
    assert made.status_code == 201, made.text

    again = ask(hotel, {**bought, "id": made.json["paymentIntentId"]})

    assert_refused(again, 409, "MELMASTOON.GENERAL.ID_CONFLICT")
    assert broken(hotel) == []
