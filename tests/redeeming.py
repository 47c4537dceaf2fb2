"""Folios that prepaid credits settle: a hundred of them to a dollar.

    granted(hotel, 11_000)
    answer = redeem(hotel, owing(hotel), 110)

Amounts are whole dollars here.
"""

from typing import Any
from uuid import uuid4

from werkzeug.test import TestResponse

from tests.hotel import Hotel, usd


def owing(hotel: Hotel) -> str:
    """A folio that owes 110.00: a charge and its 10 %."""
    folio = hotel.open_folio()
    hotel.charged(folio)
    return folio


def redeem(
    hotel: Hotel, folio: str, dollars: int, account: str | None = "main", **more: Any
) -> TestResponse:
    """Settle so much of a folio with credits, each by another clerk."""
    sent = {name: more.pop(name) for name in ("token", "key") if name in more}
    sent.setdefault("token", hotel.token(sub=f"clerk-{uuid4()}"))
    body = {"method": "credits", "amount": usd(dollars * 100), "creditAccount": account, **more}
    wanted = {name: value for name, value in body.items() if value is not None}
    return hotel.post(f"/folios/{folio}/payments", wanted, **sent)


def redeemed(hotel: Hotel, folio: str, dollars: int, account: str = "main") -> str:
    """Settle so much, and answer the payment."""
    answer = redeem(hotel, folio, dollars, account)
    assert answer.status_code == 201, answer.text
    payment: str = answer.json["lines"][0]["lineId"]
    return payment


def owed_to_house(hotel: Hotel) -> tuple[int, int]:
    """What the platform owes: in micro units of money by the ledger, in micro credits by theirs."""
    ((money,),) = hotel.rows(
        "SELECT coalesce(sum(CASE debit_account WHEN 'credits_clearing' THEN amount_micro"
        " ELSE -amount_micro END), 0)::bigint FROM {s}.ledger_entries"
        " WHERE 'credits_clearing' IN (debit_account, credit_account)"
    )
    ((credits,),) = hotel.rows(
        "SELECT coalesce(sum(CASE credit_account WHEN 'owed_to_house' THEN amount_micro"
        " ELSE -amount_micro END), 0)::bigint FROM {s}.credit_book_entries"
        " WHERE 'owed_to_house' IN (debit_account, credit_account)"
    )
    return money, credits
