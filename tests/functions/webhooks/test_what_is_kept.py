"""Nothing of a person is kept of what the processor tells, wherever it stands in it (WH-6).

The processor's objects are planted full: names, addresses, telephones, numbers of cards, accounts
and taxes, in every place where its API has one. Then everything that was stored is crawled.
"""

import json
from collections import Counter
from typing import Any, Final

import pytest

from tests.hotel import Hotel, usd
from tests.refunding import card_payment
from tests.webhooks import Webhook, event

ADDRESS: Final = {
    "city": "Jalalabad-Planted",
    "country": "AF",
    "line1": "17 Darulaman Road",
    "line2": "Flat 9 Karteh-Seh",
    "postal_code": "1006-Planted",
    "state": "Nangarhar-Planted",
}
PERSON: Final = {
    "address": ADDRESS,
    "email": "z.ahmadi@guest.example",
    "name": "Zarmina Ahmadi",
    "phone": "+93701234567",
    "tax_id": "998877665544",
}
CARD: Final = {
    "brand": "visa",
    "checks": {"address_line1_check": "pass", "cvc_check": "pass"},
    "country": "US",
    "cvc": "737-planted",
    "exp_month": 4,
    "exp_year": 2031,
    "fingerprint": "fp_of_card",
    "last4": "4242",
    "name": "ZARMINA AHMADI",
    "number": "4242424242424242",
}
METHOD: Final = {"billing_details": PERSON, "card": CARD, "id": "pm_token_planted", "type": "card"}
FULL: Final[dict[str, Any]] = {
    "amount": 5_000,
    "amount_received": 5_000,
    "billing_details": PERSON,
    "business_profile": {"name": "Zarmina Ahmadi", "support_phone": "+93701234567"},
    "charges": {"data": [{"billing_details": PERSON, "payment_method_details": {"card": CARD}}]},
    "client_secret": "pi_1_secret_planted",
    "company": {"address": ADDRESS, "name": "Ahmadi-Guesthouse", "tax_id": "998877665544"},
    "currency": "usd",
    "customer_details": PERSON,
    "customer_email": "z.ahmadi@guest.example",
    "description": "Stay of Zarmina Ahmadi",
    "evidence": {"customer_name": "Zarmina Ahmadi", "customer_purchase_ip": "203.0.113.77"},
    "external_accounts": {"data": [{"account_holder_name": "Zarmina", "last4": "6789"}]},
    "individual": {**PERSON, "dob": {"day": 7, "month": 8, "year": 1979}},
    "last_payment_error": {"message": "Card of Zarmina declined", "payment_method": METHOD},
    "owner": PERSON,
    "payment_method": "pm_token_planted",
    "receipt_email": "z.ahmadi@guest.example",
    "receipt_number": "4242424242424242",
    "receipt_url": "https://pay.example/receipts/planted",
    "shipping": {**PERSON, "tracking_number": "TRACK-planted"},
    "statement_descriptor": "AHMADI-STAY",
    **{name: each for name, each in PERSON.items() if name != "address"},
}
MISUSED: Final = {
    "charge": "4242424242424242",
    "failure_reason": "+93701234567",
    "reason": "z.ahmadi@guest.example",
    "customer": "0701234567",
}
"""Where an id or a word of the processor's belongs, and somebody has put something else."""
PLANTED: Final = (
    *("Zarmina", "ZARMINA", "Ahmadi", "AHMADI", "guest.example", "701234567", "998877665544"),
    *("Darulaman", "Karteh", "Planted", "planted", "Nangarhar", "203.0.113.77"),
    "4242424242424242",
)


def stored(hotel: Hotel) -> Counter[str]:
    """Every row that is stored of a hotel, in its own schema and beside it."""
    tables = hotel.house.sql(
        "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables"
        " WHERE table_schema IN (:own, 'billing_central')",
        own=hotel.schema,
    )
    return Counter(
        row
        for (name,) in tables
        for (row,) in hotel.house.sql(f"SELECT stored::text FROM {name} AS stored")
    )


@pytest.mark.req("WH-6", "GDPR-1", "GW-2")
def test_nothing_of_a_person_is_stored_of_whatever_object_it_is_planted_in(hotel: Hotel) -> None:
    """Each is heard, refused or put aside, and the crawl finds what it looks for where it is."""
    payment = card_payment(hotel, hotel.open_folio(), usd(5_000))
    ((theirs,),) = hotel.rows(
        "SELECT processor_payment_id FROM {s}.payments WHERE id = :id", id=payment
    )
    ours = {"tenantId": str(hotel.tenant_id), "note": "Zarmina", "guestEmail": PERSON["email"]}
    before = stored(hotel)
    told = {
        "payment_intent.succeeded": {"id": theirs, "object": "payment_intent"},
        "charge.refunded": {"id": "ch_1", "object": "charge", "refunds": {"data": [FULL]}},
        "charge.dispute.created": {"id": "dp_1", "object": "dispute", "status": "lost"},
        "payment_method.attached": {"id": "pm_token_planted", "object": "payment_method"},
        "customer.updated": {"id": "cus_1", "object": "customer"},
        "account.updated": {"id": "acct_1", "object": "account", "payouts_enabled": True},
        "payout.paid": {"id": "po_1", "object": "payout", "status": "paid", "destination": PERSON},
        "setup_intent.succeeded": {"id": "seti_1", "object": "setup_intent"},
    }
    outcomes = set()
    for kind, about in told.items():
        for metadata in (ours, {"note": "Zarmina"}):
            whole = {**FULL, "card": CARD, **about, "metadata": metadata}
            for each in (whole, {**whole, **MISUSED}):
                sent = {**event(kind, each), "account": "acct_1"}
                sent["data"]["previous_attributes"] = FULL
                outcomes.add(Webhook(hotel).send(sent).json["outcome"])

    new = " ".join(stored(hotel) - before)

    assert outcomes >= {"applied", "refused", "quarantined"}
    assert [each for each in PLANTED if each in new] == []
    assert all(each in new for each in (*told, "4242", "fp_of_card"))


def test_the_crawl_finds_what_is_planted() -> None:
    """Every word that is looked for is planted somewhere."""
    everything = json.dumps([FULL, MISUSED, CARD])
    assert [each for each in PLANTED if each not in everything] == []
