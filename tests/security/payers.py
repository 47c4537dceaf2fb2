"""A customer for the attacks, with cards and a payment that waits to be confirmed, and one that
waits for a person.

As with tills, what is made here stands before the books are looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from tests.hotel import Hotel, new_id, usd
from tests.paying import a_card, a_customer, a_token, an_intent, letters
from tests.weighing import a_suspected_payment


@dataclass(frozen=True)
class Payer:
    """Who pays, for which folio; a card to pay with, another one to take away, a payment."""

    folio: str
    customer: str
    card: str
    leaving: str
    intent: str
    review: str

    @classmethod
    def of(cls, hotel: Hotel, folio: str) -> Self:
        customer = a_customer(hotel)
        cards = a_card(hotel, customer), a_card(hotel, customer)
        intent = an_intent(hotel, folio, usd(100), customer)
        held = a_suspected_payment(hotel, folio, customer, cards[0])
        return cls(folio, customer, *cards, intent, held.review)

    @property
    def named(self) -> dict[str, str]:
        """What a path may name of it."""
        return {
            "customer_id": self.customer,
            "payment_method_id": self.leaving,
            "payment_intent_id": self.intent,
            "review_id": self.review,
        }


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
        "paymentIntentId": payer.intent,
        "paymentMethodId": payer.card,
    },
    "decide_review": lambda payer: {"decision": "approve", "reason": "A guest of ours"},
}
QUERIES: dict[str, Callable[[Hotel], dict[str, str]]] = {
    "list_payment_methods": lambda _: {"limit": "50", "cursor": "IiI"},
    "list_reviews": lambda hotel: {
        "limit": "50",
        "cursor": "IiI",
        "propertyId": str(hotel.property_id),
        "status": "open",
        "openedBefore": "2026-03-01T08:00:00Z",
    },
}
