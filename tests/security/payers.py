"""A customer for the attacks, with cards and a payment that waits to be confirmed, and one that
waits for a person.

As with tills, what is made here stands before the books are looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from tests.buying import buy, fill_up
from tests.hotel import Hotel, new_id, usd
from tests.paying import a_card, a_customer, a_token, an_intent, letters
from tests.prepaying import micro
from tests.weighing import a_suspected_payment


@dataclass(frozen=True)
class Payer:
    """Who pays, for which folio; a card for the platform's bills, one of a guest's and another one
    to take away; two payments: one to be confirmed, one to be canceled."""

    folio: str
    customer: str
    card: str
    guests_card: str
    leaving: str
    intents: tuple[str, str]
    purchase: str
    review: str

    @classmethod
    def of(cls, hotel: Hotel, folio: str) -> Self:
        customer = a_customer(hotel)
        ours = a_card(hotel, customer, purpose="platform_bills")
        cards = ours, a_card(hotel, customer), a_card(hotel, customer)
        intents = (
            an_intent(hotel, folio, usd(100), customer),
            an_intent(hotel, folio, usd(100), customer),
        )
        purchase = _purchase(hotel, cards[0])
        assert fill_up(hotel, cards[0], enabled=False, thresholdMicro=1).status_code == 200
        held = a_suspected_payment(hotel, folio, customer, cards[1])
        return cls(folio, customer, *cards, intents, purchase, held.review)


def _purchase(hotel: Hotel, card: str) -> str:
    """A purchase of the hotel's: the one that there is, as it may not make many in an hour."""
    there = hotel.rows("SELECT id FROM {s}.credit_purchases ORDER BY id LIMIT 1")
    if there:
        return str(there[0][0])
    bought = buy(hotel, 500, card)
    assert bought.status_code == 201, bought.text
    return str(bought.json["purchaseId"])


def _person() -> dict[str, Any]:
    return {
        "email": f"{letters()}@guest.example",
        "name": "Zarmina Ahmadi",
        "phone": "+93 70 123 4567",
    }


BODIES: dict[str, Callable[[Payer], dict[str, Any]]] = {
    "create_customer": lambda payer: {"id": new_id("cus"), **_person()},
    "change_customer": lambda payer: _person(),
    "add_payment_method": lambda payer: {
        "id": new_id("pm"),
        "token": a_token(),
        "purpose": "later_stays",
    },
    "remove_payment_method": lambda payer: {},
    "create_payment_intent": lambda payer: {
        "id": new_id("pin"),
        "folioId": payer.folio,
        "customerId": payer.customer,
        "amount": usd(100),
        "allowCredit": True,
    },
    "confirm_payment": lambda payer: {
        "paymentIntentId": payer.intents[0],
        "paymentMethodId": payer.guests_card,
    },
    "cancel_payment": lambda payer: {},
    "purchase_credits": lambda payer: {
        "id": new_id("pin"),
        "account": "main",
        "creditsMicro": micro(500),
        "paymentMethodId": payer.card,
    },
    "set_auto_top_up": lambda payer: {
        "account": "main",
        "enabled": True,
        "thresholdMicro": micro(1),
        "creditsMicro": micro(500),
        "monthlyCapMicro": micro(1_000),
        "paymentMethodId": payer.card,
    },
    "decide_review": lambda payer: {"decision": "approve", "reason": "A guest of ours"},
}
QUERIES: dict[str, Callable[[Hotel], dict[str, str]]] = {
    "list_payment_methods": lambda _: {"limit": "50", "cursor": "IiI"},
    "show_auto_top_up": lambda _: {"account": "main"},
    "list_reviews": lambda hotel: {
        "limit": "50",
        "cursor": "IiI",
        "propertyId": str(hotel.property_id),
        "status": "open",
        "openedBefore": "2026-03-01T08:00:00Z",
    },
}
